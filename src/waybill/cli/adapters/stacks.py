"""Stacks on AWS, as CloudFormation describes them."""

from typing import NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError, ProfileNotFound

from waybill.cli.errors import StackNotFoundError
from waybill.core.aws.faults import code_of


class DescribedStack(NamedTuple):
    """A stack's Region, and its outputs by key."""

    region: str
    outputs: dict[str, str]


def described(name: str, profile: str | None, looked: str) -> DescribedStack:
    """Return what CloudFormation says of a stack, in the Region of the AWS configuration.

    Raises
    ------
    StackNotFoundError
        There is none, or it cannot be asked for; `looked` ends the message and says where else it was looked for.
    """
    try:
        session = boto3.Session(profile_name=profile)
        if not session.region_name:
            raise NoRegionError
        found = session.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except ProfileNotFound:
        raise StackNotFoundError(f"there is no profile {profile} in the AWS configuration") from None
    except NoRegionError:
        where = f"profile {profile} names" if profile else "the AWS configuration names"
        problem = f"AWS was not asked for stack {name}, since {where} no Region (AWS_DEFAULT_REGION): {looked}"
        raise StackNotFoundError(problem) from None
    except ClientError as error:
        where = f"AWS, {session.region_name}" + (f", profile {profile}" if profile else "")
        reason = error.response["Error"].get("Message") or code_of(error)
        raise StackNotFoundError(f"there is no stack {name} ({where}): {reason}; {looked}") from error
    except BotoCoreError as error:
        raise StackNotFoundError(f"AWS cannot be asked for stack {name}: {error}; {looked}") from error
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    return DescribedStack(session.region_name, outputs)
