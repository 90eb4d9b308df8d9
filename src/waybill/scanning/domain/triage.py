"""What people have said of values that were found: by fingerprint, for every job and every bucket."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from waybill.core.clock import iso
from waybill.core.cursors import open_cursor, seal_cursor
from waybill.core.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from waybill.core.executions import stable_json
from waybill.core.retry import CONTENTION

OPEN = "open"
STATES = (OPEN, "accepted", "false_positive", "resolved")
# How many values are read at once where a filter may leave few of them, and looked through for one answer.
_AT_ONCE, _LOOKED_THROUGH = 200, 1000
_HISTORY = 50


@dataclass(frozen=True)
class Decision:
    """What somebody has said of a value, at `at`; it holds `until` then, or for good where that is empty."""

    state: str
    reason: str
    by: str
    at: str
    until: str = ""

    def holds(self, now: datetime) -> bool:
        """Return whether it has not run out."""
        return not self.until or iso(now) < self.until


@dataclass(frozen=True)
class Value:
    """A value that was found: the decision about it and earlier ones, the oldest first, and where it was seen."""

    fingerprint: str
    decision: Decision | None
    history: Sequence[Decision]
    places: Sequence[Mapping[str, Any]]

    def state(self, now: datetime) -> str:
        """Return what holds of it now: `open` where nothing was said, or what was said has run out."""
        return self.decision.state if self.decision and self.decision.holds(now) else OPEN


class Values(Protocol):
    """Where values and decisions are kept."""

    def get(self, fingerprint: str) -> Value | None:
        """Return a value, None when it was never found."""
        ...

    def decisions(self, fingerprints: Iterable[str]) -> Mapping[str, Decision]:
        """Return those of some fingerprints that there are."""
        ...

    def decide(self, fingerprint: str, history: Sequence[Decision], decision: Decision) -> bool:
        """Store a decision behind `history`; False where another was made meanwhile."""
        ...

    def page(self, after: str, limit: int) -> tuple[Sequence[Value], str | None]:
        """Return values in the order of their fingerprints, and the position to go on from."""
        ...


@dataclass(frozen=True)
class Triage:
    """What the API, the commands and the workers do with decisions."""

    values: Values
    now: Callable[[], datetime]

    def decide(self, fingerprint: str, state: str, reason: str, until: str, subject: str) -> Value:
        """Say something of a value.

        Raises
        ------
        InvalidInputError
            It has run out already.
        NotFoundError
            It was never found.
        ConflictError
            Others say something of it all the time.
        """
        if until and until <= iso(self.now()):
            raise InvalidInputError(FieldError("until", "must be in the future"))
        for _ in CONTENTION.attempts():
            value = self.find(fingerprint)
            decision = Decision(state, reason, subject, self._after(value.decision), until)
            if self.values.decide(fingerprint, value.history, decision):
                history = (*value.history, decision)[-_HISTORY:]
                return Value(fingerprint, decision, history, value.places)
        raise ConflictError("others are saying something of this value; try again")

    def _after(self, earlier: Decision | None) -> str:
        """Return the moment, behind that of an earlier decision: by it, another decision made meanwhile is seen."""
        moment = iso(self.now())
        if earlier is None or moment > earlier.at:
            return moment
        return iso(datetime.fromisoformat(earlier.at) + timedelta(milliseconds=1))

    def find(self, fingerprint: str) -> Value:
        """Return a value; raises NotFoundError."""
        value = self.values.get(fingerprint)
        if value is None:
            raise NotFoundError("no finding has this fingerprint")
        return value

    def states(self, fingerprints: Iterable[str]) -> dict[str, str]:
        """Return what holds of each of some fingerprints now."""
        wanted = set(fingerprints)
        now, decisions = self.now(), self.values.decisions(wanted)
        held = {name: each.state for name, each in decisions.items() if each.holds(now)}
        return dict.fromkeys(wanted, OPEN) | held

    def counted(self, fingerprints: Iterable[str]) -> dict[str, int]:
        """Return how many of some findings are in each state but `open`."""
        counts = Counter(fingerprints)
        found: Counter[str] = Counter()
        for fingerprint, state in self.states(counts).items():
            if state != OPEN:
                found[state] += counts[fingerprint]
        return dict(found)

    def page(self, limit: int, cursor: str | None, wanted: Mapping[str, str], secret: bytes) -> dict[str, Any]:
        """Return `{findings, passed_over, cursor}`: the values that `wanted` (state, bucket, detector) lets through.

        A filtered answer may have fewer than `limit`, or none, though there is a cursor, which `secret` signs.
        `passed_over` counts what was left out on the way because of its state alone, by state.

        Raises
        ------
        InvalidInputError
            The cursor is not one of this list, with these filters.
        """
        about = f"values with {stable_json(dict(wanted))}"
        after = str(open_cursor(cursor, secret, about)["after"]) if cursor else ""
        shown, passed, looked, more = list[dict[str, Any]](), Counter[str](), 0, True
        while more and len(shown) < limit and looked < _LOOKED_THROUGH:
            values, position = self.values.page(after, max(limit, _AT_ONCE) if wanted else limit)
            for value in values:
                looked, after = looked + 1, value.fingerprint
                document = self._wanted(value, wanted)
                if document and wanted.get("state", document["state"]) != document["state"]:
                    passed[document["state"]] += 1
                elif document:
                    shown.append(document)
                if len(shown) == limit:
                    break
            more = position is not None or bool(values and after != values[-1].fingerprint)
        return {
            "findings": shown,
            "passed_over": dict(sorted(passed.items())),
            "cursor": seal_cursor({"after": after}, secret, about) if more else None,
        }

    def _wanted(self, value: Value, wanted: Mapping[str, str]) -> dict[str, Any] | None:
        document = self.document(value)
        places = [place for place in value.places if wanted.get("bucket", place["bucket"]) == place["bucket"]]
        return document if places and wanted.get("detector", document["detector"]) == document["detector"] else None

    def document(self, value: Value) -> dict[str, Any]:
        """Return a value as the API shows it: masked."""
        decision, newest = value.decision, max(value.places, key=lambda place: str(place["seen_at"]))
        return {
            "fingerprint": value.fingerprint,
            "state": value.state(self.now()),
            "reason": decision.reason if decision else None,
            "until": (decision.until or None) if decision else None,
            "by": decision.by if decision else None,
            "decided_at": decision.at if decision else None,
            "detector": newest["detector"],
            "masked_match": newest["masked_match"],
            "confidence": newest["confidence"],
            "places": [
                {name: place[name] for name in ("bucket", "key", "job_id", "seen_at")}
                for place in sorted(value.places, key=lambda place: str(place["bucket"]))
            ],
            "history": [asdict(each) | {"until": each.until or None} for each in value.history],
        }
