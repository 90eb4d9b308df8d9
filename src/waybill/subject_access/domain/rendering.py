"""From stored answers to stored pages: one part by itself, then the report of all of them."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from waybill.core.errors import PermanentError, RetryableError
from waybill.subject_access.domain import keys
from waybill.subject_access.domain.claims import held
from waybill.subject_access.domain.marks import hidden_attachments, hidden_pages, redactions_of
from waybill.subject_access.domain.packaging import Packed, pack, path_of
from waybill.subject_access.domain.ports import Catalogue, RequestStore
from waybill.subject_access.domain.redacting import drawn_again
from waybill.subject_access.domain.redactions import Redactions
from waybill.subject_access.domain.report import models as drawn
from waybill.subject_access.domain.report.assembly import assemble
from waybill.subject_access.domain.report.errors import AnswerUnreadableError, PartTooLargeError, TemplateError
from waybill.subject_access.domain.report.merging import digest
from waybill.subject_access.domain.report.part import render_part
from waybill.subject_access.domain.unseen import is_searched, not_searched
from waybill.subject_access.errors import (
    PagesMovedError,
    PartsMissingError,
    ReportDamagedError,
    RulesChangedError,
    UnknownRequestError,
)
from waybill.subject_access.models import (
    Attachment,
    Claim,
    Gap,
    Part,
    PartStatus,
    StoredReport,
    SubjectRequest,
    Withheld,
)
from waybill.subject_access.service_models import RedactionRule, rules_digest

TITLE = "Subject Access Request Report"
# Error codes of a part (README.md, "Error codes").
TEMPLATE_UNUSABLE = "render_6001"
ANSWER_UNREADABLE = "render_6002"
ANSWER_GONE = "render_6003"
PAGES_GONE = "render_6004"
DRAWING_FAILED = "render_6005"
RULES_CHANGED = "render_6006"
PAGES_MOVED = "render_6007"
# What ends a part, and is no fault of the program; the first that fits.
_REFUSED_AS: Mapping[type[Exception], str] = {
    TemplateError: TEMPLATE_UNUSABLE,
    AnswerUnreadableError: ANSWER_UNREADABLE,
    ReportDamagedError: ANSWER_GONE,
    PartTooLargeError: DRAWING_FAILED,
    PagesMovedError: PAGES_MOVED,
}
_STORED = "STORED"
# A request's item holds those of all its parts.
_MOST_WITHHELD = 50
_LONGEST_TYPE = 100
# An audit entry is an item of DynamoDB, of at most 400 KB; the page of the contents lists every character.
_MOST_LISTED = 500


class Files(Protocol):
    """Objects as local files."""

    def fetch(self, key: str, file: Path) -> None:
        """Write an object to `file`."""
        ...

    def fetch_if_there(self, key: str, file: Path) -> bool:
        """Write an object to `file`; return whether there is one."""
        ...

    def keep(self, key: str, file: Path, content_type: str) -> None:
        """Store `file`."""
        ...

    def save_facts(self, key: str, facts: Mapping[str, Any]) -> None:
        """Store `facts` as JSON."""
        ...


@dataclass(frozen=True)
class Rendering:
    """Makes parts and reports. Files on the way are in folders of their own, which are removed."""

    store: RequestStore
    catalogue: Catalogue
    files: Files
    now: Callable[[], datetime]

    def part(self, claim: Claim, rank: int, service: str) -> Part:
        """Render what a service answered, store the pages, and record the result; a part that is done stays as it is.

        Where the answer, its template or an attachment is not in the bucket any more, the part is in error: the next
        attempt asks the service again.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request. What was stored under its keys is never looked at.
        """
        request = self._held(claim)
        part = self.store.part(claim.request_id, rank, service)
        if part is None:
            raise UnknownRequestError(f"the request has no part {service}")
        if part.render_status is not PartStatus.FETCHED:
            return part
        rules = self._rules(service)
        with TemporaryDirectory() as name:
            folder = Path(name)
            file = folder / "part.pdf"
            try:
                marks = self._marks(request, folder)
                section = self._section(replace(part, rules_sha256=rules_digest(rules)), request, rules, marks, folder)
                summary = render_part(section, _subject(request), file, _work(folder))
            except tuple(_REFUSED_AS) as error:
                return self._refused(claim, part, _code_of(error), error)
            except (RetryableError, PermanentError):
                raise
            # Whatever a service's data leads to is the end of its own part: its siblings go on. The type of what
            # happened is said, never the data.
            except Exception as error:
                return self._refused(claim, part, DRAWING_FAILED, RuntimeError(type(error).__name__))
            key = keys.part_key(claim.request_id, claim.generation, service)
            self.files.keep(key, file, "application/pdf")
            withheld = _withheld(summary, section)
        self.files.save_facts(keys.summary_key(claim.request_id, claim.generation, service), asdict(summary))
        rendered = self._searched(
            replace(
                part,
                render_status=PartStatus.COMPLETE,
                part_key=key,
                pages=summary.pages,
                sha256=summary.sha256,
                rendered_at=self.now(),
                error_code=None,
                error_message=None,
                rules_sha256=rules_digest(rules),
                redactions_sha256=request.redactions_sha256,
                withheld=withheld[:_MOST_WITHHELD],
                withheld_count=len(withheld),
                taken=summary.redacted + len(section.hidden_pages) + len(section.hidden_attachments),
            ),
            claim,
            summary,
        )
        self._save_drawn(claim, rendered, section, summary)
        return rendered

    def _searched(self, rendered: Part, claim: Claim, summary: drawn.PartSummary) -> Part:
        """Return a part with the count of what a person has to look at: near misses, and what was not searched."""
        if not is_searched(rendered):
            return rendered
        sent = self.store.attachments(claim.request_id, rendered.service, rendered.generation)
        return replace(rendered, unseen=summary.near_misses + not_searched(rendered, summary, sent))

    def _save_drawn(self, claim: Claim, rendered: Part, section: drawn.Section, summary: drawn.PartSummary) -> None:
        """Record a part that was drawn, and what was found on its pages."""
        self.store.save_part(
            claim,
            rendered,
            pages=summary.pages,
            unprintable=dict(Counter(summary.unprintable).most_common(_MOST_LISTED)),
            unprintableKinds=len(summary.unprintable),
            redacted=summary.redacted,
            redactedLeft=summary.redacted_left,
            nearMisses=summary.near_misses,
            placeholders=[one.number for one in summary.attachments if one.problem],
            notSearched=sum(not (one.problem or one.redacted or one.searched) for one in summary.attachments),
            hiddenPages=len(section.hidden_pages),
            hiddenAttachments=len(section.hidden_attachments),
        )

    def report(self, claim: Claim) -> StoredReport:
        """Join the parts into the report and store it under the claim's own key.

        Parts whose pages are not in the bucket any more, or are not those that were rendered, are in error from then
        on: the next attempt asks their services again.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request.
        PartsMissingError
            A part is not finished, and nobody accepts it as missing; or its pages are gone.
        """
        request = self._held(claim)
        parts = self.store.parts(claim.request_id)
        missing = [part for part in parts if not part.finished]
        if not_accepted := sorted(part.service for part in missing if part.service not in request.accepted_gaps):
            raise PartsMissingError(f"parts are missing: {', '.join(not_accepted)}")
        with TemporaryDirectory() as folder:
            # Apart from the files that are made here, whatever a service is called.
            by_service = Path(folder, "parts")
            by_service.mkdir()
            ready = self._all_ready(claim, [part for part in parts if part.finished], request, by_service)
            file = Path(folder, "report.pdf")
            facts = _facts(request, missing, self.now())
            summary = assemble(ready, facts, file, _work(folder))
            key = keys.report_key(claim.request_id, claim.generation, summary.sha256)
            self.store.heartbeat(claim)
            self.files.keep(key, file, "application/pdf")
            copy, package = self._handed_over(claim, ready, facts, parts, Path(folder))
        return StoredReport(key, summary.size, summary.sha256, summary.pages, copy, package)

    def _handed_over(
        self, claim: Claim, ready: Sequence[drawn.Part], facts: drawn.Facts, parts: Sequence[Part], folder: Path
    ) -> tuple[StoredReport, StoredReport]:
        """Store the copy for the person, and the package of it and what is not in it."""
        file, package = folder / "copy.pdf", folder / "package.zip"
        summary = assemble(ready, facts, file, _work(folder / "copy"), internal=False)
        key = keys.copy_key(claim.request_id, claim.generation, summary.sha256)
        self.files.keep(key, file, "application/pdf")
        copy = StoredReport(key, summary.size, summary.sha256, summary.pages)
        pack(file, self._packed(claim, ready, parts, folder), package)
        sha256 = digest(package)
        key = keys.package_key(claim.request_id, claim.generation, sha256)
        self.store.heartbeat(claim)
        self.files.keep(key, package, "application/zip")
        return copy, StoredReport(key, package.stat().st_size, sha256, 0)

    def _packed(
        self, claim: Claim, ready: Sequence[drawn.Part], parts: Sequence[Part], folder: Path
    ) -> Iterator[Packed]:
        """Yield the attachments that are not in the report, or not as a whole."""
        known = {part.service: part for part in parts}
        for part in ready:
            outcomes = [one for one in part.summary.attachments if one.problem]
            generation = known[part.service].generation
            stored = self.store.attachments(claim.request_id, part.service, generation) if outcomes else []
            by_number = {one.number: one for one in stored}
            for outcome in outcomes:
                attachment = by_number[outcome.number]
                path = path_of(part.service, outcome.number, outcome.name, attachment.filename)
                reason, source = str(outcome.problem), None
                if outcome.swept:
                    reason = f"{reason}; something is taken out of it, so it is not handed over as it came"
                elif attachment.key is not None and attachment.outcome == _STORED:
                    source = folder / "attachment"
                    self.files.fetch(attachment.key, source)
                yield Packed(path, outcome.name, source, reason)

    def _all_ready(
        self, claim: Claim, parts: Sequence[Part], request: SubjectRequest, folder: Path
    ) -> list[drawn.Part]:
        ready, gone = [], []
        for part in parts:
            try:
                ready.append(self._ready(part, request, folder))
            except ReportDamagedError as error:
                self._refused(claim, part, PAGES_GONE, error)
                gone.append(part.service)
            except RulesChangedError as error:
                self._outdated(claim, part, error)
                gone.append(part.service)
        if gone:
            raise PartsMissingError(f"the pages of parts are not right any more, or are gone: {', '.join(gone)}")
        return ready

    def _held(self, claim: Claim) -> SubjectRequest:
        request = self.store.request(claim.request_id)
        if request is None:
            raise UnknownRequestError("there is no such request")
        return held(request, claim)

    def _refused(self, claim: Claim, part: Part, code: str, error: Exception) -> Part:
        refused = replace(part, render_status=PartStatus.ERRORED, error_code=code, error_message=str(error))
        self.store.save_part(claim, refused)
        return refused

    def _outdated(self, claim: Claim, part: Part, error: Exception) -> None:
        """Note that a part is older than what is to be taken out: it is drawn again, from the answer if it is there."""
        again = drawn_again(part)
        self.store.save_part(claim, replace(again, error_code=RULES_CHANGED, error_message=str(error)))

    def _marks(self, request: SubjectRequest, folder: Path) -> Redactions:
        if request.redactions_sha256 is None:
            return Redactions()
        file = folder / "redactions.json"
        self.files.fetch(keys.redactions_key(request.request_id, request.redactions_sha256), file)
        return Redactions.of(file.read_bytes())

    def _rules(self, service: str) -> Sequence[RedactionRule]:
        found = self.catalogue.service(service)
        return found.redactions if found else ()

    def _section(
        self,
        part: Part,
        request: SubjectRequest,
        rules: Sequence[RedactionRule],
        marks: Redactions,
        folder: Path,
    ) -> drawn.Section:
        answer = folder / "answer.json"
        if part.answer_key is None:
            raise AnswerUnreadableError(f"the answer of {part.service} was not stored")
        self.files.fetch(part.answer_key, answer)
        stored = self.store.attachments(request.request_id, part.service, part.generation)
        return drawn.Section(
            service=part.service,
            label=part.label,
            outcome=drawn.Outcome.COMPLETE,
            content=answer,
            template=self._template(part, folder),
            lookups=self._names(folder) if part.template_key else drawn.Lookups(),
            attachments=[self._attachment(one, folder) for one in stored if one.inline is None],
            pictures={one.inline: self._attachment(one, folder) for one in stored if one.inline is not None},
            redactions=[
                *(
                    drawn.Redaction(
                        rule.path, rule.reason, rule.everywhere, rule.kind, rule.given_name, mark=f"rule {rule.path}"
                    )
                    for rule in rules
                ),
                *redactions_of(marks, part.service),
            ],
            hidden_attachments=hidden_attachments(marks, part.service),
            hidden_pages=hidden_pages(marks, part),
        )

    def _template(self, part: Part, folder: Path) -> str | None:
        if part.template_key is None:
            return None
        file = folder / "template.mustache"
        self.files.fetch(part.template_key, file)
        return file.read_text("utf-8")

    def _names(self, folder: Path) -> drawn.Lookups:
        file = folder / "names.json"
        if not self.files.fetch_if_there(keys.names_key(), file):
            return drawn.Lookups()
        return drawn.Lookups.from_json(json.loads(file.read_text("utf-8")))

    def _attachment(self, one: Attachment, folder: Path) -> drawn.Attachment:
        path, problem = None, "the file could not be fetched from the service"
        if one.key is not None and one.outcome == _STORED:
            path, problem = folder / f"attachment-{one.number}", ""
            self.files.fetch(one.key, path)
        return drawn.Attachment(one.number, one.name, one.filename, one.content_type, path, problem or None)

    def _ready(self, part: Part, request: SubjectRequest, folder: Path) -> drawn.Part:
        """Return a finished part as a file; a part without data has its page drawn here."""
        file = folder / f"{part.service}.pdf"
        if part.part_key is None and part.render_status is PartStatus.COMPLETE:
            # A worker outside had the answer and never finished the report: drawn here it would say that there is none.
            raise ReportDamagedError(f"the pages of {part.service} are not in the bucket")
        if part.part_key is not None and part.rules_sha256 != rules_digest(self._rules(part.service)):
            raise RulesChangedError(f"the rules of redaction of {part.service} changed since it was drawn")
        if part.part_key is not None and part.redactions_sha256 != request.redactions_sha256:
            raise RulesChangedError(f"what is taken out of the report changed since {part.service} was drawn")
        if part.part_key is None:
            section = drawn.Section(part.service, part.label, drawn.Outcome(part.render_status.value))
            summary = render_part(section, _subject(request), file, _work(folder / part.service))
        else:
            self.files.fetch(part.part_key, file)
            if digest(file) != part.sha256:
                raise ReportDamagedError(f"the pages of {part.service} are not those that were rendered")
            facts = file.with_suffix(".json")
            self.files.fetch(part.part_key.removesuffix(".pdf") + ".json", facts)
            summary = drawn.PartSummary.from_json(json.loads(facts.read_text("utf-8")))
        version = None if part.template_version is None else str(part.template_version)
        return drawn.Part(part.service, part.label, part.category, file, summary, version)


def _code_of(error: Exception) -> str:
    return next(code for kind, code in _REFUSED_AS.items() if isinstance(error, kind))


def _withheld(summary: drawn.PartSummary, section: drawn.Section) -> tuple[Withheld, ...]:
    """Return the attachments that are not in a part, by names from which redacted values are gone."""
    sent = {one.number: one for one in (*section.attachments, *section.pictures.values())}
    return tuple(
        Withheld(
            one.number,
            one.name,
            sent[one.number].content_type[:_LONGEST_TYPE],
            size.stat().st_size if (size := sent[one.number].path) else None,
            one.problem,
        )
        for one in summary.attachments
        if one.problem
    )


def _subject(request: SubjectRequest) -> drawn.Subject:
    kind = drawn.IdKind.NOMIS if request.nomis_id else drawn.IdKind.NDELIUS
    return drawn.Subject(request.subject_name or "", kind, request.subject_id)


def _facts(request: SubjectRequest, missing: Sequence[Part], now: datetime) -> drawn.Facts:
    return drawn.Facts(
        title=TITLE,
        subject=_subject(request),
        case_reference=request.sar_case_reference_number,
        date_from=request.date_from,
        date_to=request.date_to,
        # The day of the claim: a second try under the same claim gives the same bytes.
        generated=(request.claimed_at or now).date(),
        missing=[_missing(part, request.accepted_gaps[part.service]) for part in missing],
    )


def _missing(part: Part, gap: Gap) -> drawn.Missing:
    return drawn.Missing(part.label, gap.reason, gap.by)


def _work(folder: Path | str) -> Path:
    work = Path(folder, "work")
    work.mkdir(parents=True)
    return work
