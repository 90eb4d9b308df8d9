"""Takes values out of an answer before anything is drawn, so that the report does not hold them at all.

What a rule's path (`json_paths`) names is taken out, and every form of a text that somebody has marked. With
`everywhere` so is, from all values, names of fields and names of attachments, whatever else is written for the same
person, number or date (`matching`). What is nearly that is listed for a person to decide about.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate, chain
from typing import Final

from waybill.subject_access.domain.report import matching
from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.json_paths import ROOT, Step, Wild, child, steps_of
from waybill.subject_access.domain.report.matching import NearMiss, ValueKind
from waybill.subject_access.domain.report.models import Attachment, Json, Place, Redaction
from waybill.subject_access.domain.report.wording import MARKED

_GIVEN: Final = frozenset(("firstname", "forename", "forenames", "givenname", "givennames", "first"))
_SURNAME: Final = frozenset(("lastname", "surname", "familyname", "last"))
# Fields of such names hold people, however they are written: `victim.name`, `createdByDisplayName`, `author`.
_OF_PEOPLE = re.compile(
    r"(?:\w*(?:full|display|person|officer|staff|victim|author|witness|worker))?_?name|author|surname", re.IGNORECASE
)
# So many near misses are named; all are counted.
MOST_NEAR: Final = 200
# Of values that are looked for together.
_MOST_PATTERNS: Final = 500
# A rule and how much of its path led here.
type _States = frozenset[tuple[int, int]]


@dataclass
class Redacted:
    """An answer without what the rules take out.

    Attributes
    ----------
    content : Json
        A new value; what was given is as it was.
    removed : int
        Values that were taken out, those of `Redaction.everywhere` among them.
    left : int
        Places that still hold a form of one that was taken out elsewhere.
    near : list[Place]
        Places that hold what is nearly the value, at most `MOST_NEAR`; `near_count` counts all of them.
    taken : Counter[str]
        Values that were taken out, by the mark of their rule.
    """

    content: Json = None
    removed: int = 0
    left: int = 0
    near: list[Place] = field(default_factory=list)
    near_count: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    texts: dict[tuple[str, ValueKind], Redaction] = field(default_factory=dict)

    @cached_property
    def sweep(self) -> "Sweep":
        """What takes the other forms of the values out of any other text."""
        return Sweep(self, self.texts)

    def swept(self, text: str) -> str:
        """Return a text of an attachment without what was taken out; what is nearly that has no path."""
        return self.sweep.text(text, "attachments") if self.texts else text

    def look(self, text: str, place: str) -> None:
        """Note what a text has of the values, and what is nearly one, where it is shown as it came."""
        if self.texts:
            self.sweep.look(text, place)

    def attachment(self, attachment: Attachment) -> Attachment:
        """Return an attachment whose names do not hold what was taken out."""
        if not self.texts:
            return attachment
        place = f"attachments[{attachment.number}]"
        return replace(
            attachment,
            name=self.sweep.text(attachment.name, f"{place}.name"),
            filename=self.sweep.file_name(attachment.filename, f"{place}.filename"),
        )


def redact(content: Json, rules: Sequence[Redaction]) -> Redacted:
    """Return `content` with each value that a rule names replaced by ``[Redacted: reason]``."""
    if not rules:
        return Redacted(content)
    result = Redacted()
    for marked in rules:
        for text in marked.texts:
            _note_text(text, marked, result)
    by_path = [rule for rule in rules if not rule.texts]
    paths = [steps_of(rule.path) for rule in by_path]
    start = _closure(((index, 0) for index in range(len(by_path))), paths)
    result.content = _walk(content, start, paths, by_path, result)
    if result.texts:
        result.content = result.sweep.value(result.content, "")
    return result


def marker(rule: Redaction) -> str:
    """Return what is printed instead of a value."""
    return redacted_as(rule.reason, rule.exemption)


def redacted_as(reason: str, exemption: str = "") -> str:
    """Return what is printed where something was taken out for a reason, by an exemption of the law."""
    return f"{MARKED}{reason}; {exemption}]" if exemption else f"{MARKED}{reason}]"


def texts_at(content: Json, path: str) -> list[str] | None:
    """Return the texts of what a path names; None where it names nothing."""
    probe = Redacted()
    _walk(
        content, _closure([(0, 0)], [steps_of(path)]), [steps_of(path)], [Redaction(path, "", everywhere=True)], probe
    )
    return [text for text, _ in probe.texts] if probe.removed else None


def _closure(states: Iterable[tuple[int, int]], paths: Sequence[Sequence[Step]]) -> _States:
    """Return `states` and those that ``**`` reaches by standing for no level."""
    found: set[tuple[int, int]] = set()
    for index, position in states:
        after = position
        while after < len(paths[index]) and paths[index][after] is Wild.DEPTH:
            after += 1
        found.update((index, reached) for reached in range(position, after + 1))
    return frozenset(found)


def _into(states: _States, place: str | int, paths: Sequence[Sequence[Step]]) -> _States:
    onward = []
    for index, position in states:
        if position < len(paths[index]):
            wanted = paths[index][position]
            # Lists are walked through, unless the path says which item.
            if wanted is Wild.DEPTH or (isinstance(place, int) and not isinstance(wanted, int)):
                onward.append((index, position))
            elif wanted == place or wanted is Wild.NAME:
                onward.append((index, position + 1))
    return _closure(onward, paths)


def _walk(
    value: Json, states: _States, paths: Sequence[Sequence[Step]], rules: Sequence[Redaction], result: Redacted
) -> Json:
    ended = sorted(index for index, position in states if position == len(paths[index]))
    if ended:
        _note(value, rules[ended[0]], result)
        return marker(rules[ended[0]])
    if not states:
        return value
    if isinstance(value, dict):
        return {name: _walk(one, _into(states, name, paths), paths, rules, result) for name, one in value.items()}
    if isinstance(value, LISTS):
        return [_walk(one, _into(states, index, paths), paths, rules, result) for index, one in enumerate(value)]
    return value


def _note(value: Json, rule: Redaction, result: Redacted) -> None:
    """Remember the texts of a value that is taken out."""
    result.removed += 1
    result.taken[rule.mark] += 1
    for text in _texts(value):
        _note_text(text, rule, result)


def names_person(path: str) -> bool:
    """Return whether the field that a path ends with holds a person's name, however it is written."""
    names = [step for step in steps_of(path) if isinstance(step, str)] if path else []
    return bool(names and _OF_PEOPLE.fullmatch(names[-1]))


def _note_text(text: str, rule: Redaction, result: Redacted) -> None:
    person = rule.kind == ValueKind.NAME or (not rule.kind and names_person(rule.path))
    for name in (text,) if rule.kind and not person else matching.people(text, small=person):
        kind = ValueKind(rule.kind) if rule.kind else matching.kind_of(name)
        if person and matching.is_small_name(name, least=1):
            kind = ValueKind.NAME
        if is_short(name):
            if rule.everywhere:
                _near(result, rule.path or ROOT, NearMiss.SHORT)
        elif not ((name, kind) in result.texts and result.texts[name, kind].everywhere):
            result.texts[name, kind] = rule


def is_short(text: str) -> bool:
    """Return whether a text has so few letters that it would be found by chance."""
    return matching.weight(text) < matching.SHORTEST


def _texts(value: Json) -> Iterator[str]:
    """Yield the texts of a value; a given name and a surname of one object are one name."""
    if isinstance(value, dict):
        plain = {name.lower().replace("_", ""): one for name, one in value.items() if isinstance(one, str)}
        given = next((plain[name] for name in plain if name in _GIVEN), None)
        surname = next((plain[name] for name in plain if name in _SURNAME), None)
        if surname and surname.strip():
            whole = f"{surname}, {given or ''}".rstrip(", ")
            # What two fields say is a person's is one in small letters too; capitals are compared as none.
            yield whole.title() if whole.islower() else whole
        for name, one in value.items():
            if not (surname and name.lower().replace("_", "") in _GIVEN | _SURNAME):
                yield from _texts(one)
    elif isinstance(value, LISTS):
        for one in value:
            yield from _texts(one)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _near(result: Redacted, place: str, kind: NearMiss) -> None:
    result.near_count += 1
    if len(result.near) < MOST_NEAR:
        result.near.append(Place(place, kind.value))


class _Spans:
    """Places of a text, looked up in one step: a long text has as many as words."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(spans)
        self._begins = [begin for begin, _ in ordered]
        self._ends = list(accumulate((end for _, end in ordered), max))

    def __contains__(self, place: int) -> bool:
        index = bisect_right(self._begins, place) - 1
        return index >= 0 and place < self._ends[index]


class Sweep:
    """Takes the forms of values out of texts where their rule says so, and counts where it does not."""

    def __init__(self, result: Redacted, texts: Mapping[tuple[str, ValueKind], Redaction]) -> None:
        self._result = result
        self._rules: dict[str, Redaction] = {}
        self._forms: list[str] = []
        self._anchors: list[Sequence[str]] = []
        self._patterns: dict[tuple[int, ...], re.Pattern[str]] = {}
        # Rules that take out go first, then long values: what one has taken is not found again.
        ordered = sorted(texts.items(), key=lambda item: (not item[1].everywhere, -len(item[0][0]), item[0][0]))
        for number, ((text, kind), rule) in enumerate(ordered):
            name = f"v{number}"
            self._rules[name] = rule
            written = matching.patterns(text, kind)
            if kind is ValueKind.NAME and rule.given_name and any(len(one) > 1 for one in matching.person(text).given):
                written.append(matching.given_name_pattern(matching.person(text)))
            self._forms.append(f"(?P<{name}>{'|'.join(written)})")
            self._anchors.append(matching.anchors(text, kind, given_name=rule.given_name))
        people = [matching.person(text) for (text, kind), rule in ordered if kind is ValueKind.NAME and rule.everywhere]
        self._surnames = {word for one in people for word in matching.surname_words(one)}
        self._parts = {
            part
            for one in people
            for part in re.split(r"[\s\-]+", " ".join(matching.surname_words(one)))
            if len(part) >= matching.SHORTEST
        }
        codes = [
            some
            for (text, kind), rule in ordered
            if kind is ValueKind.IDENTIFIER and rule.everywhere and (some := matching.codes_of(text))
        ]
        self._codes = {code for some in codes for code in some}
        # What differs in one sign has the same begin, or the same end.
        shortest = [some[-1] for some in codes]
        self._halves = {half for code in shortest for half in (code[: len(code) // 2], code[-(len(code) // 2) :])}
        self._lengths = {len(code) + more for code in self._codes for more in (-1, 0, 1)}
        self._longest = max(self._lengths, default=0)
        self._given = {name for one in people for name in one.given if len(name) > 1}
        self._users = {word for one in people for word in matching.user_names(one)}
        # Of what may be a name in small letters: a word with a capital letter may be the person.
        self._small = {
            word
            for (text, kind), rule in ordered
            if kind is ValueKind.TEXT and rule.everywhere and not rule.kind and matching.is_small_name(text)
            for word in matching.WORD.findall(matching.normal(text).text)
            if len(word) >= matching.SHORTEST
        }
        self._near_words: dict[str, NearMiss | None] = {}

    def value(self, value: Json, place: str) -> Json:
        """Return a value of an answer; names that become the same are told apart, so that nothing is lost."""
        if isinstance(value, dict):
            swept: dict[str, Json] = {}
            used = Counter[str]()
            for name, one in value.items():
                new = self.text(name, place or ROOT)
                used[new] += 1
                key = new if new not in swept else f"{new} ({used[new]})"
                swept[key] = self.value(one, child(place, new))
            return swept
        if isinstance(value, LISTS):
            return [self.value(one, child(place, index)) for index, one in enumerate(value)]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        new = self.text(text, place or ROOT)
        return value if new == text else new

    def file_name(self, name: str, place: str) -> str:
        """Return a file's name; between its words may be what stands for a space in names of files."""
        stem, dot, ending = name.rpartition(".")
        spaced = re.sub(r"[_+.]|%20", " ", stem) if dot else re.sub(r"[_+]|%20", " ", name)
        plain = stem if dot else name
        text = matching.normal(spaced).text
        pattern = self._pattern_for(matching.squashed(text))
        found = pattern.search(text) if pattern else None
        return self.text(spaced if found else plain, place) + dot + (ending if dot else "")

    def text(self, text: str, place: str) -> str:
        """Return a text without what is to be taken out of it."""
        normal = matching.normal(text)
        squashed = matching.squashed(normal.text)
        pieces: list[str] = []
        end, covered = 0, list[tuple[int, int]]()
        pattern = self._pattern_for(squashed)
        for found in pattern.finditer(normal.text) if pattern else ():
            rule = self._rules[str(found.lastgroup)]
            covered.append(found.span())
            if not rule.everywhere:
                self._result.left += 1
                continue
            first, last = normal.span(found)
            self._result.removed += 1
            self._result.taken[rule.mark] += 1
            pieces += [text[end:first], marker(rule)]
            end = last
        self._note_near(normal, squashed, covered, place)
        return "".join([*pieces, text[end:]]) if pieces else text

    def look(self, text: str, place: str) -> None:
        """Note the forms of values in a text from which nothing can be taken, and what is nearly one."""
        normal = matching.normal(text)
        squashed = matching.squashed(normal.text)
        pattern = self._pattern_for(squashed)
        covered = [found.span() for found in pattern.finditer(normal.text)] if pattern else []
        for _ in covered:
            _near(self._result, place, NearMiss.SHOWN)
        self._note_near(normal, squashed, covered, place)

    def _pattern_for(self, squashed: str) -> re.Pattern[str] | None:
        """Return a pattern for the values that may be in a squashed text: most texts have none of them."""
        some = tuple(
            number for number, anchors in enumerate(self._anchors) if any(anchor in squashed for anchor in anchors)
        )
        if not some:
            return None
        if some not in self._patterns and len(self._patterns) >= _MOST_PATTERNS:
            some = tuple(range(len(self._forms)))
        if some not in self._patterns:
            self._patterns[some] = re.compile("|".join(self._forms[number] for number in some))
        return self._patterns[some]

    def _note_near(
        self, normal: matching.Normal, squashed: str, covered: Sequence[tuple[int, int]], place: str
    ) -> None:
        text = normal.text
        if not (self._surnames or self._given or self._codes or self._small):
            return
        addresses = list(matching.emails(text)) if "@" in text else []
        for found in addresses:
            if any(name in found[0] for name in self._surnames | self._given):
                _near(self._result, place, NearMiss.EMAIL)
        taken = _Spans([*covered, *(found.span() for found in addresses)])
        forms = [matching.WORD, matching.CODE] if self._codes else [matching.WORD]
        if self._halves and any(half in squashed for half in self._halves):
            self._note_near_codes(text, taken, place)
        # Nearly every text has none: then it is not gone through place by place.
        if not any(self._near_word(word) for form in forms for word in set(form.findall(text))):
            return
        for found in chain.from_iterable(form.finditer(text) for form in forms):
            kind = self._near_word(found[0])
            if kind is NearMiss.SMALL and not normal.original[normal.span(found)[0]].isupper():
                continue
            if kind and found.start() not in taken:
                _near(self._result, place, kind)

    def _note_near_codes(self, text: str, taken: "_Spans", place: str) -> None:
        """Note what is nearly an identifier, written with separators."""
        end = 0
        for begin, code in matching.grouped(text, self._longest):
            if begin < end or len(code) not in self._lengths or begin in taken:
                continue
            if any(matching.differs_by_one(code, known) for known in self._codes):
                _near(self._result, place, NearMiss.ONE_LETTER)
                end = begin + len(code)

    def _near_word(self, word: str) -> NearMiss | None:
        if word not in self._near_words:
            near = any(matching.differs_by_one(word, name) for name in self._surnames | self._codes)
            part = not self._parts.isdisjoint(word.split("-"))
            by = (
                (word in self._given, NearMiss.GIVEN_NAME),
                (word in self._users, NearMiss.USER),
                (part, NearMiss.PART),
                (near, NearMiss.ONE_LETTER),
                (word in self._small, NearMiss.SMALL),
            )
            self._near_words[word] = next((kind for is_so, kind in by if is_so), None)
        return self._near_words[word]
