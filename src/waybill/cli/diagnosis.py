"""What `waybill doctor` looks at. Every check ends with a sentence, whatever is broken, and none changes anything."""

import os
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.cli.errors import CommandError
from waybill.cli.local.project import project_folder
from waybill.core.errors import WaybillError

_PYTHON = (3, 13)
# The environments of `scripts/setup`, the layers as they are built, and room for what is tried out.
_NEEDED_BYTES = 3_000_000_000
# A signature is good for five minutes around its time (AWS Signature Version 4, "RequestTimeTooSkewed" after 15 on S3).
_SKEW_SECONDS = 300
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Diagnosis:
    """What was looked at. `good` is None where it could not be, or need not be; `todo` says what mends it."""

    name: str
    good: bool | None
    seen: str
    todo: str = ""

    def document(self) -> dict[str, Any]:
        """Return it for scripts."""
        return asdict(self)


def checks(cli: Cli) -> Iterator[Diagnosis]:
    """Yield the checks, those of this machine first."""
    project = project_folder()
    yield python(sys.version_info[:3])
    if project:
        yield setup(project)
        yield disk(project, shutil.disk_usage(project).free)
        yield key(project / ".local" / "keys" / "signing-key.pem")
        yield port(cli)
    else:
        yield Diagnosis("Set-up", None, "this is no clone of Waybill: the local stack needs one")
    stack = _stack(cli)
    yield stack if isinstance(stack, Diagnosis) else Diagnosis("Stack", True, f"{stack.name} ({_where(stack)})")
    if isinstance(stack, Diagnosis):
        yield Diagnosis("Clock", None, "there is no stack whose clock to compare")
        yield Diagnosis("Permissions", None, "there is no stack to ask")
        return
    yield health(stack)
    yield from _asked(cli, stack)


def python(version: tuple[int, int, int]) -> Diagnosis:
    """Look at the interpreter that runs this."""
    good = version[:2] == _PYTHON
    todo = "" if good else "install Python 3.13, and run scripts/setup with WAYBILL_PYTHON=/path/to/python3.13"
    return Diagnosis("Python", good, ".".join(map(str, version)), todo)


def setup(project: Path) -> Diagnosis:
    """Look for the environments of the set-up."""
    tools = ("uv/bin/uv", "ministack/bin/python", "sam/bin/python")
    missing = [tool.partition("/")[0] for tool in tools if not (project / ".local" / tool).exists()]
    if missing:
        return Diagnosis("Set-up", False, f"missing: {', '.join(missing)}", "run scripts/setup")
    if shutil.which("make") is None:
        return Diagnosis("Set-up", False, "there is no make, which builds the layers", "install make")
    return Diagnosis("Set-up", True, str(project))


def disk(project: Path, free: int) -> Diagnosis:
    """Look at the room that is left."""
    good = free >= _NEEDED_BYTES
    todo = "" if good else f"free {_NEEDED_BYTES / 1e9:.0f} GB; `make clean` removes what was built and stored"
    return Diagnosis("Disk", good, f"{free / 1e9:.1f} GB free at {project}", todo)


def key(file: Path) -> Diagnosis:
    """Look at who may read the key by which tokens of the local stack are made."""
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        return Diagnosis("Signing key", None, "not made yet: `waybill up` does")
    except OSError as error:
        return Diagnosis("Signing key", False, f"{file}: {error.strerror}", f"let {_user()} read {file}")
    if mode & _OTHERS:
        return Diagnosis("Signing key", False, "others on this machine may read it", f"chmod 600 '{file}'")
    if not os.access(file, os.R_OK):
        return Diagnosis("Signing key", False, f"{_user()} may not read it", f"chmod 600 '{file}', as its owner")
    return Diagnosis("Signing key", True, "only its owner may read it")


def port(cli: Cli) -> Diagnosis:
    """Look at the port of the embedded AWS."""
    from waybill.cli.local.ministack import is_taken

    embedded = cli.local_stack().ministack
    if embedded.recorded_port == embedded.port:
        if embedded.healthy():
            return Diagnosis("Port", True, f"{embedded.port}: the embedded AWS answers")
        return Diagnosis("Port", False, f"{embedded.port}: the embedded AWS does not answer", "make down, then make up")
    if is_taken(embedded.port):
        other = f"stop the program that listens there, or choose another: WAYBILL_PORT={embedded.port + 11} make up"
        return Diagnosis("Port", False, f"{embedded.port} is taken by another program", other)
    return Diagnosis("Port", True, f"{embedded.port} is free")


def health(stack: Stack) -> Diagnosis:
    """Ask the API how it is."""
    from waybill.cli.local.answers import http_status

    if not stack.api_url:
        return Diagnosis("API", False, "the stack has no output ApiUrl", "deploy this version of Waybill")
    status = http_status(f"{stack.api_url}/health")
    todo = "waybill status, and the logs: docs/operations.md" if status != 200 else ""
    return Diagnosis("API", status == 200, f"{stack.api_url}/health answers {status or 'nothing'}", todo)


def clock(theirs: str, ours: float) -> Diagnosis:
    """Compare `ours`, in Unix seconds, with the header `Date` of an answer."""
    try:
        seconds = ours - parsedate_to_datetime(theirs).timestamp()
    except (TypeError, ValueError):
        return Diagnosis("Clock", None, "the answer does not say what time it is")
    said = f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) <= _SKEW_SECONDS:
        return Diagnosis("Clock", True, said)
    return Diagnosis("Clock", False, said, "set this machine's clock (NTP): AWS refuses what is signed at another time")


def _stack(cli: Cli) -> Stack | Diagnosis:
    try:
        return cli.stack
    except CommandError as error:
        todo = "make up for one on this machine; for one on AWS: --stack, --profile and a Region"
        return Diagnosis("Stack", False, str(error), todo)


def _asked(cli: Cli, stack: Stack) -> Iterator[Diagnosis]:
    """Ask for what most commands need, each by a request that changes nothing."""
    from waybill.core.aws.faults import AWS_FAULTS

    def table(name: str) -> None:
        cli.client("dynamodb").describe_table(TableName=stack.output(name))

    def bucket() -> None:
        cli.client("s3").head_bucket(Bucket=stack.output("SourceBucketName"))

    def workflow(name: str) -> None:
        cli.client("stepfunctions").describe_state_machine(stateMachineArn=stack.output(name))

    try:
        identity = cli.client("sts").get_caller_identity()
    except AWS_FAULTS as error:
        yield Diagnosis("Clock", None, "AWS did not answer")
        yield Diagnosis("Permissions", False, f"AWS does not know you: {error}", "sign in: aws sso login, or --profile")
        return
    answered = identity["ResponseMetadata"]["HTTPHeaders"]
    yield clock(answered.get("date", ""), time.time())
    yield Diagnosis("Identity", True, identity["Arn"])
    questions: dict[str, Callable[[], object]] = {
        "s3:ListBucket on the source bucket": bucket,
        "dynamodb:DescribeTable on the tracking table": lambda: table("FileCopyTrackingTableName"),
        "dynamodb:DescribeTable on the identifiers": lambda: table("IdentifiersTableName"),
        "dynamodb:DescribeTable on the consignments": lambda: table("ConsignmentsTableName"),
        "dynamodb:DescribeTable on the scans": lambda: table("ScansTableName"),
        "states:DescribeStateMachine on replication": lambda: workflow("FileCopyWorkflowArn"),
    }
    refused = []
    for name, ask in questions.items():
        try:
            ask()
        except (*AWS_FAULTS, CommandError, WaybillError) as error:
            refused.append(f"{name}: {error}")
    todo = "ask for the rights of docs/permissions.md, or take another --profile" if refused else ""
    seen = "; ".join(refused) or f"{len(questions)} questions that commands ask were answered"
    yield Diagnosis("Permissions", not refused, seen, todo)


def _where(stack: Stack) -> str:
    return stack.endpoint or f"AWS, {stack.region}"


def _user() -> str:
    import getpass

    return getpass.getuser()
