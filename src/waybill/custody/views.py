"""What the routes of custody answer."""

from collections.abc import Container
from typing import Self

from pydantic import Field, JsonValue

from waybill.core.views import RequestBody, View, optional
from waybill.custody.domain.tracing import Trace, TracedEvent, TracedState
from waybill.custody.domain.vocabulary import type_uri
from waybill.custody.models import EventType, Outcome, Place

_MOMENT = "2026-11-29T12:00:00.123Z"
_SUBJECT = "F#mfrggzdfmztwq2lknnwg23tpob"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_CHECKPOINT = "waybill/log\n1024\nroot\n\n— waybill/log signature\n"
_CURSOR = "eyJzayI6IkUjMjAyNiJ9"
# What Waybill did is recorded always; what others do to an object S3 tells, of the buckets that are watched.
COVERAGE, COVERAGE_OF_S3 = "waybill", "s3"


class PlaceView(View):
    """Where a file is."""

    bucket: str = Field(description="The bucket", examples=["waybill-source"])
    key: str = Field(description="The key", examples=["reports/2026/annual.pdf"])

    @classmethod
    def of_place(cls, place: Place) -> Self:
        """Return the view of a place."""
        return cls(bucket=place.bucket, key=place.key)


class FileStateView(View):
    """A file as it was; what nobody knows, or what was erased, is null."""

    bucket: str | None = Field(description="The bucket", examples=["waybill-source"])
    key: str | None = Field(description="The key", examples=["reports/2026/annual.pdf"])
    version_id: str | None = Field(description="The version", examples=["3HL4kqtJlcpXroDTDmJ"])
    sha256: str | None = Field(description="SHA-256 of the content, in hexadecimal", examples=[_SHA256])
    size: int | None = Field(description="Bytes", examples=[48213])
    erased: bool | None = optional("The names were erased; that the event is in the log still holds")

    @classmethod
    def of_state(cls, state: TracedState) -> Self:
        """Return the view of a file in an event."""
        place = state.place
        return cls(
            bucket=place.bucket if place else None,
            key=place.key if place else None,
            version_id=state.version_id,
            sha256=state.sha256,
            size=state.size,
            erased=None if place else True,
        )


class ProofView(View):
    """Proof that an event is in the log of a head (RFC 6962)."""

    size: int = Field(description="Entries of the log that the head signs", examples=[1024])
    path: list[str] = Field(description="The audit path, lowest first, in base64", examples=[[]])


class EventView(View):
    """One thing that happened."""

    event_id: str = Field(description="Made from what happened", examples=["0f3a5b0c1d2e4f60718293a4b5c6d7e8"])
    type: EventType = Field(description="A term of the PREMIS event type vocabulary, or Waybill's own")
    type_uri: str | None = Field(
        description="Its address in the vocabulary; null for Waybill's own",
        examples=["http://id.loc.gov/vocabulary/preservation/eventType/rep"],
    )
    at: str = Field(description="When it happened", examples=[_MOMENT])
    recorded_at: str = Field(description="When custody recorded it", examples=[_MOMENT])
    workflow: str = Field(description="Which workflow did it", examples=["replication"])
    outcome: Outcome = Field(description="How it ended")
    agent: dict[str, str] = Field(
        description="Who did it: `software`, `run`, and `person` as a pseudonym",
        examples=[{"software": "waybill.replication", "run": "reports-annual-pdf-1f7c11"}],
    )
    detail: dict[str, str | int | bool | list[str]] = Field(
        description="What else is known", examples=[{"code": "COPIED"}]
    )
    object: FileStateView | None = Field(description="The file that it is about; null for an identifier")
    related: list[FileStateView] = Field(description="Copies that came of it")
    previous: str | None = Field(description="The `mac` of the event before, as its writer saw it", examples=[_SHA256])
    mac: str = Field(description="Keyed hash of what is sealed", examples=[_SHA256])
    intact: bool = Field(description="Whether the keyed hash holds, and what is shown of files is what was sealed")
    index: int | None = optional("Its place in the log; with `prove=true`, once it is sealed", examples=[512])
    proof: ProofView | None = optional("Proof that the log has it; with `prove=true`, once it is sealed")

    @classmethod
    def of_event(cls, traced: TracedEvent, path: list[str] | None = None, size: int = 0) -> Self:
        """Return the view of an event."""
        said, agent, detail = traced.said, traced.said.get("agent"), traced.said.get("detail")
        has_object = said.get("object") is not None
        states = [FileStateView.of_state(state) for state in traced.states]
        type_ = EventType(str(said["type"]))
        return cls(
            event_id=str(said["eventId"]),
            type=type_,
            type_uri=type_uri(type_),
            at=str(said["at"]),
            recorded_at=str(said["recordedAt"]),
            workflow=str(said["workflow"]),
            outcome=Outcome(str(said["outcome"])),
            agent={name: str(value) for name, value in agent.items()} if isinstance(agent, dict) else {},
            detail={name: _shown(value) for name, value in detail.items()} if isinstance(detail, dict) else {},
            object=states[0] if has_object and states else None,
            related=states[1:] if has_object else states,
            previous=str(said["previous"]) if said.get("previous") else None,
            mac=traced.event.leaf.mac,
            intact=traced.intact,
            index=traced.index,
            proof=None if path is None else ProofView(size=size, path=path),
        )


def _shown(value: JsonValue) -> str | int | bool | list[str]:
    if isinstance(value, str | int):
        return value
    return [str(each) for each in value] if isinstance(value, list) else str(value)


class SubjectView(View):
    """What has the history."""

    subject_id: str = Field(description="Random; names nothing", examples=[_SUBJECT])
    places: list[PlaceView] = Field(description="Where it is or was, in the events of this page")
    origin: str | None = Field(description="The subject that it was copied from", examples=[_SUBJECT])
    copies: list[PlaceView] = Field(description="Where copies of it went")
    identifiers: list[str] = Field(description="Its canonical ids", examples=[["kx7dn2ph"]])


class VerifiedView(View):
    """The last verification that held."""

    size: int = Field(description="Entries of the log that it covered", examples=[1024])
    at: str = Field(description="When", examples=[_MOMENT])


class TraceView(View):
    """The history of a file, oldest first."""

    subject: SubjectView
    coverage: list[str] = Field(
        description="Whose doings are recorded: `waybill`, what Waybill did; `s3`, what anybody did to the object, of a"
        " bucket that is watched (`CustodyWatchBuckets`), since it is",
        examples=[[COVERAGE, COVERAGE_OF_S3]],
    )
    verified: VerifiedView | None = Field(description="The last verification that held; null before the first")
    events: list[EventView] = Field(description="What happened, oldest first")
    checkpoint: str | None = optional("The signed head that proofs are for; with `prove=true`", examples=[_CHECKPOINT])
    cut: bool | None = optional("It is about more files than one answer follows")
    cursor: str | None = Field(description="Where the next page begins; null on the last one", examples=[_CURSOR])

    @classmethod
    def of_trace(
        cls,
        trace: Trace,
        events: list[EventView],
        cursor: str | None,
        checkpoint: str | None,
        watched: Container[str],
    ) -> Self:
        """Return the view of a page of a history; of the buckets that are `watched` S3 itself tells."""
        head = trace.head
        named = [pk.removeprefix("I#") for pk in (*trace.subjects, *trace.origins) if pk.startswith("I#")]
        origins = [pk for pk in trace.origins if not pk.startswith("I#")]
        subject = SubjectView(
            subject_id=trace.subjects[0],
            places=[PlaceView.of_place(place) for place in trace.places],
            origin=origins[0] if origins else None,
            copies=[PlaceView.of_place(place) for place in trace.copies],
            identifiers=list(dict.fromkeys(named)),
        )
        is_watched = bool(trace.places) and all(place.bucket in watched for place in trace.places)
        return cls(
            subject=subject,
            coverage=[COVERAGE, COVERAGE_OF_S3] if is_watched else [COVERAGE],
            verified=VerifiedView(size=head.verified_size, at=head.verified_at) if head.verified_at else None,
            events=events,
            checkpoint=checkpoint,
            cut=trace.cut or None,
            cursor=cursor,
        )


class ErasureBody(RequestBody):
    """Whose names go, and why."""

    bucket: str = Field(description="The bucket", min_length=1, max_length=63, examples=["waybill-source"])
    key: str = Field(description="The key", min_length=1, max_length=1024, examples=["reports/2026/annual.pdf"])
    reason: str = Field(
        description="Why; it is kept in the table, so name nobody",
        min_length=1,
        max_length=500,
        pattern=r"\S",
        examples=["Asked for by the person whom the name names, case 4711"],
    )
    dry_run: bool = Field(default=False, description="Say which places it would be, and erase nothing")


class ErasureView(View):
    """Whose names went, or would go."""

    erased: bool = Field(description="Whether they are gone; false with `dryRun`")
    places: list[PlaceView] = Field(description="The file and every copy that shares its history")
