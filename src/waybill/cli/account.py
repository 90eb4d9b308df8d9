"""The account that the embedded AWS has, and where it listens."""

import os

HOST = "127.0.0.1"
DEFAULT_PORT = 4566
DEFAULT_REGION = "eu-west-1"
ACCOUNT_ID = "000000000000"

# What MiniStack treats as the account's root. They open nothing outside this machine.
TEST_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def account_environment(endpoint: str, region: str) -> dict[str, str]:
    """Return the variables that send every AWS call of a process to the embedded AWS, and nowhere else."""
    return {
        **TEST_CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "NO_PROXY": "*",
    }
