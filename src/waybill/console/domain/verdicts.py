"""What the checks' verdicts on files add up to: who has to do something. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from waybill.console.domain.words import Tag

type Json = Mapping[str, Any]

# What the API says of who can put it right; a test holds it against the table of sentences.
_SENDER = "Fix yourself"
_BY_WHO = {
    "accepted": Tag("Accepted", "green"),
    "sender": Tag("Sender", "yellow"),
    "us": Tag("Us", "blue"),
    "locked": Tag("Locked away", "red"),
    "waiting": Tag("Not checked yet", "grey"),
}


@dataclass(frozen=True)
class Verdict:
    """Of one file: who has to do something, and what was found."""

    who: str
    sentences: tuple[str, ...]

    @property
    def tag(self) -> Tag:
        """The word for who has to do something."""
        return _BY_WHO[self.who]


@dataclass(frozen=True)
class Verdicts:
    """How many files are accepted, and whom the others wait for."""

    accepted: int = 0
    sender: int = 0
    us: int = 0
    locked: int = 0
    waiting: int = 0

    @classmethod
    def of(cls, files: Iterable[Json]) -> "Verdicts":
        """Count files."""
        return cls(**Counter(verdict_of(each).who for each in files))

    @property
    def refused(self) -> int:
        """How many are not accepted."""
        return self.sender + self.us + self.locked

    @property
    def next_step(self) -> str:
        """What has to happen, in a few sentences."""
        said = []
        if self.sender:
            said.append(_said(self.sender, "is for the sender to put right.", "are for the sender to put right."))
        if self.us:
            said.append(_said(self.us, "is for us to look at.", "are for us to look at."))
        if self.locked:
            said.append(_said(self.locked, "holds malware and is locked away.", "hold malware and are locked away."))
        return " ".join(said)


def verdict_of(file: Json) -> Verdict:
    """Return who has to do something about a file (as the API shows it), and what was found."""
    wrong = [each for each in file["explanations"] if each["action"]]
    sentences = tuple(dict.fromkeys(str(each["sentence"]) for each in wrong))
    if file.get("accepted"):
        return Verdict("accepted", sentences)
    if any(each["value"] == "VirusDetected" for each in wrong):
        return Verdict("locked", sentences)
    if any(each["action"] == _SENDER for each in wrong):
        return Verdict("sender", sentences)
    return Verdict("us" if wrong else "waiting", sentences)


def formats_of(file: Json) -> list[str]:
    """Return what a file's format is called, with its PRONOM id: `Acrobat PDF 1.4 (fmt/18)`."""
    matches = (file.get("fileFormat") or {}).get("matches") or []
    found = []
    for match in matches:
        name = " ".join(str(match[part]) for part in ("formatName", "formatVersion") if match.get(part))
        if match.get("puid"):
            found.append(f"{name} ({match['puid']})" if name else str(match["puid"]))
    return found


def _said(number: int, one: str, many: str) -> str:
    return f"{number:,} {'file ' + one if number == 1 else 'files ' + many}"
