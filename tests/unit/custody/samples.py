"""What may happen to files, for tests."""

from dataclasses import replace

from hypothesis import strategies as st

from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UPLOAD = FileState(Place("source", "reports/annual.pdf"), "v1", SHA256, 48213)
COPY = FileState(Place("copies-eu", "reports/annual.pdf"), "v7", SHA256, 48213)


def copied(number: int = 1, source: FileState = UPLOAD, copy: FileState = COPY) -> Happening:
    return Happening(
        workflow="replication",
        kind="destination",
        parts=(f"run-{number}", copy.place.bucket, "COPIED"),
        type=EventType.REPLICATION,
        at=f"2026-11-29T10:{number // 60 % 60:02}:{number % 60:02}.000Z",
        outcome=Outcome.SUCCESS,
        about=source,
        agent={"software": "waybill.replication", "run": f"run-{number}"},
        detail={"code": "COPIED"},
        copies=(copy,),
    )


def assigned(canonical_id: str = "kx7dn2ph") -> Happening:
    return replace(
        copied(),
        workflow="minting",
        type=EventType.IDENTIFIER_ASSIGNMENT,
        about=canonical_id,
        copies=(),
        parts=("S#1",),
    )


# Few places and few runs, so that the same happens again and again.
PLACES = [Place("source", f"key/{name}") for name in ("a", "b#c", "d/é\u0001\n", "%2F")]
HAPPENINGS = st.builds(
    lambda number, source, copy: copied(number, FileState(source, None, SHA256, 3), FileState(copy)),
    st.integers(1, 6),
    st.sampled_from(PLACES),
    st.sampled_from([Place("copies", "x"), Place("copies", "y"), PLACES[0]]),
) | st.sampled_from([assigned(), assigned("abcdefgh")])
