"""The subject access workflow of the stack that the options name."""

import getpass
import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from waybill.cli.context import Cli, OfStack
from waybill.cli.errors import CommandError
from waybill.core import clock
from waybill.subject_access import runtime
from waybill.subject_access.models import StoredReport, SubjectRequest
from waybill.subject_access.service_models import Service


@dataclass(frozen=True)
class Deployed:
    """What the commands use of it, each built when a command needs it: the same code as the functions."""

    cli: Cli

    store = OfStack(runtime.store)
    lists = OfStack(runtime.lists)
    catalogue = OfStack(runtime.catalogue)
    reports = OfStack(runtime.reports)
    report_files = OfStack(runtime.report_files)
    executions = OfStack(runtime.executions)
    decisions = OfStack(runtime.decisions)
    holds = OfStack(runtime.holds)
    endings = OfStack(runtime.endings)
    services = OfStack(runtime.services)
    redacting = OfStack(runtime.redacting)
    corrections = OfStack(runtime.corrections)
    answers = OfStack(runtime.answers)
    letters = OfStack(runtime.letters)

    @cached_property
    def actor(self) -> str:
        """Who runs the command, for what is kept of it."""
        return f"waybill:{getpass.getuser()}"

    def now(self) -> datetime:
        """Return the time."""
        return clock.now()

    def record(self, about: str, name: str) -> None:
        """Record that somebody looked at a request, or at what is about none."""
        from waybill.subject_access.domain.audit import Action

        self.store.record(about, Action(self.actor, name, {}))

    def found(self, request_id: str) -> SubjectRequest:
        """Return a request; raises `UnknownRequestError`."""
        from waybill.subject_access.errors import UnknownRequestError

        request = self.store.request(request_id)
        if request is None:
            raise UnknownRequestError("there is no such request")
        return request

    def save_report(self, report: StoredReport, path: Path) -> None:
        """Write a report to a file of its owner's alone, which is there only when it is whole.

        Raises
        ------
        ReportDamagedError
            What is stored is not what was completed, or nothing is.
        """
        from waybill.subject_access.errors import ReportDamagedError

        with TemporaryDirectory(dir=path.parent) as folder:
            part = Path(folder, "report.pdf")
            self.report_files.fetch(report.key, part)
            with part.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != report.sha256:
                    raise ReportDamagedError("the report in the bucket is not the one that was completed")
            part.chmod(0o600)  # what is said about a person is for whoever has asked for it
            part.replace(path)

    def start_worker(self, request_id: str) -> str:
        """Start an execution that takes one request; return its ARN."""
        workflow = self.cli.stack.output("SubjectAccessWorkflowArn")
        return self.executions.start(workflow, str(uuid.uuid4()), {"requestId": request_id}).execution_arn

    def is_running(self, execution: str) -> bool:
        """Return whether an execution has not ended."""
        return self.executions.is_running(execution)

    def register(self, name: str, url: str) -> None:
        """Put a service of this machine into the catalogue, or move it to another of its ports; its label is its name.

        Raises
        ------
        CommandError
            There is a service of this name that is not on this machine, or somebody else was faster.
        """
        from waybill.subject_access.domain.audit import Action

        known = self.catalogue.service(name)
        if known and not _is_local(known.url):
            # Elsewhere a second person has to agree.
            raise CommandError(f"the service {name} is at {known.url}: nothing on this machine takes its place")
        service = known or Service(name, name, url, enabled=True, category="PRISON")
        service = replace(service, url=url, enabled=True, credential_origin=None)
        action = Action(self.actor, "SERVICE_CHANGED" if known else "SERVICE_CREATED", {"service": name})
        if not self.catalogue.save_service(service, action, new=known is None):
            raise CommandError(f"somebody else has just changed the service {name}; try again")


def _is_local(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
