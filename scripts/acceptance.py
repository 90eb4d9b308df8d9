"""Makes a stack ready for `make accept` (docs/acceptance.md).

`scripts/acceptance BUCKET` writes the stack's parameters, to deploy it with. BUCKET exists; the tests upload files to
it that start nothing by themselves. `scripts/acceptance --local` deploys such a stack on the embedded AWS of `make up`.
"""

import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from scripts.template import PROJECT
from tests.workflow.support.parameters import LOCAL_STACK, parameters_with
from waybill.cli.local.errors import LocalStackError
from waybill.cli.local.keys import AUDIENCE, ISSUER, SigningKey
from waybill.cli.local.project import project_stack
from waybill.cli.output import Output

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = PROJECT / ".local" / "acceptance"


def main() -> int:
    """Write `.local/acceptance/parameters.yaml` or deploy, each with a key pair for the tests' tokens.

    Returns
    -------
    int
        The exit status.
    """
    match sys.argv[1:]:
        case ["--local"]:
            try:
                deploy_locally()
            except LocalStackError as error:
                print(error, file=sys.stderr)
                return 1
        case [bucket] if not bucket.startswith("-"):
            file = FOLDER / "parameters.yaml"
            content = json.dumps(parameters(bucket), indent=2) + "\n"
            file.write_text(content, "utf-8")
            print(file.relative_to(PROJECT))
        case _:
            print("usage: scripts/acceptance BUCKET\n       scripts/acceptance --local", file=sys.stderr)
            return 2
    return 0


def parameters(bucket: str) -> dict[str, str]:
    """Return the parameters of the stack; makes the key pair on its first call."""
    key = SigningKey.load_or_generate(FOLDER / "signing-key.pem")
    access = {"AuthIssuer": ISSUER, "AuthAudience": AUDIENCE, "AuthJwks": key.jwks()}
    return {"Stage": "test", **parameters_with(bucket), **access}


def deploy_locally() -> None:
    """Deploy the stack on the embedded AWS of this clone, which is started or brought up to date first."""
    local = project_stack(PROJECT, Output().note)
    running = local.up()
    s3: S3Client = local.client("s3")
    bucket = f"{LOCAL_STACK}-quiet"
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": running.region})  # type: ignore[typeddict-item]
    Output().note(f"deploying {LOCAL_STACK} beside {running.stack_name}")
    local.sam.deploy(
        stack_name=LOCAL_STACK,
        endpoint=running.endpoint,
        region=running.region,
        parameters={**parameters(bucket), "Platform": "embedded"},
    )


if __name__ == "__main__":
    sys.exit(main())
