"""The log: every leaf once, whatever dies; and verification finds what was done to log or table."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.custody import Custody, LocalKeys, LocalSigner
from tests.unit.custody.samples import COPY, UPLOAD, assigned, copied
from waybill.custody.domain.identity import place_hash
from waybill.custody.domain.log_files import LogFiles, head_path
from waybill.custody.domain.proving import Prover
from waybill.custody.domain.recording import LeafKey
from waybill.custody.domain.sealed_form import mac_of, parsed
from waybill.custody.domain.sealing import LogPosition, Placed
from waybill.custody.domain.signed_heads import Checkpoint, opened_note, signed_note
from waybill.custody.domain.tiles import bundle, entries_in
from waybill.custody.domain.tracing import ByPlace
from waybill.custody.errors import CustodyRefusedError, LogForkedError
from waybill.custody.models import Leaf, TrailEntry


class Death(Exception):
    """The process ends before a write."""


def sealed_custody(count: int = 5) -> Custody:
    custody = Custody()
    custody.recorder.record([copied(number) for number in range(1, count + 1)], [], "a")
    trail = [TrailEntry("SAR#1", number, f"{number:064}") for number in range(1, 4)]
    custody.trails.kept = {(entry.trail, entry.number): entry.hash for entry in trail}
    custody.recorder.record([assigned()], trail, "b")
    custody.wait(hours=2)
    custody.seal()
    return custody


@settings(max_examples=60)
@given(st.lists(st.integers(1, 12), min_size=1, max_size=6), st.lists(st.integers(1, 25), max_size=12))
def test_killed_anywhere_with_batches_coming_again_every_leaf_is_in_the_log_once(
    batches: list[int], lives: list[int]
) -> None:
    left: list[int] = list(lives)

    def count() -> None:
        if left:
            left[0] -= 1
            if left[0] < 0:
                left.pop(0)
                raise Death

    custody, number = Custody(count), 0
    for size in batches:
        happened = [copied(number + one) for one in range(1, size + 1)]
        number += size
        while True:
            try:
                custody.recorder.record(happened, [], f"{number}-{len(left)}")
                break
            except Death:
                custody.wait(seconds=20)
        custody.wait(minutes=2)
        try:
            custody.seal()
        except Death:
            continue
    left.clear()
    custody.wait(minutes=10)
    custody.seal()
    report = custody.verify()
    assert report.findings == []
    assert report.size == report.entries == number
    assert custody.seal() == 0


def test_a_log_of_many_bundles_is_one_tree() -> None:
    custody = Custody()
    for start in range(0, 1_300, 130):
        custody.recorder.record([copied(start + one) for one in range(130)], [], f"{start}")
        custody.wait(minutes=5)
        custody.seal()
    assert custody.verify().findings == []
    assert custody.ledger.now_head.edge.size == 1_300
    assert {"tile/0/000", "tile/0/004", "tile/0/005.p/20", "tile/1/000.p/5"} <= set(custody.log.files)
    newest = opened_note(custody.log.files["checkpoint"][-1], custody.signer.key())
    assert (newest.size, newest.root) == (1_300, custody.ledger.now_head.edge.root)


def test_what_is_young_is_not_sealed_yet_and_no_finding() -> None:
    custody = sealed_custody()
    custody.recorder.record([copied(50)], [], "late")
    assert custody.seal() == 0
    report = custody.verify()
    assert (report.findings, report.waiting) == ([], 1)
    custody.wait(minutes=5)
    assert custody.seal() == 1


def test_two_sealers_with_one_head_write_one_log() -> None:
    custody = Custody()
    custody.recorder.record([copied(number) for number in range(1, 9)], [], "a")
    custody.wait(hours=1)
    late = custody.ledger.now_head
    custody.seal()
    now = custody.ledger.now_head
    # A second one that read the head before: it finds the plan, writes the same, and does not advance.
    custody.ledger.now_head = late
    seen = custody.ledger.head

    def advanced_meanwhile() -> LogPosition:
        found = seen()
        custody.ledger.now_head = now
        return found

    custody.ledger.head = advanced_meanwhile  # type: ignore[method-assign]
    assert custody.sealer.step().added == 0
    custody.ledger.head = seen  # type: ignore[method-assign]
    assert custody.verify().findings == []


def test_a_file_of_the_log_that_says_something_else_stops_the_sealing() -> None:
    custody = sealed_custody()
    custody.recorder.record([copied(70)], [], "more")
    custody.wait(hours=1)
    custody.log.files["tile/0/000.p/10"] = [b"forged"]
    with pytest.raises(LogForkedError, match=r"tile/0/000\.p/10"):
        custody.seal()


def test_an_edge_that_was_changed_is_not_signed() -> None:
    custody = sealed_custody()
    custody.recorder.record([copied(70)], [], "more")
    custody.wait(hours=1)
    edge = custody.ledger.now_head.edge
    forged = replace(edge, hashes=(bytes(32), *edge.hashes[1:]))
    custody.ledger.now_head = replace(custody.ledger.now_head, edge=forged)
    with pytest.raises(LogForkedError, match="not what the log's head signs"):
        custody.seal()


def test_nothing_of_who_writes_table_and_bucket_is_sealed() -> None:
    """Design, 3.1 (a) and (b): a slip and an item of theirs, a plan of theirs, an edge with a head of theirs."""
    custody = sealed_custody()
    insert_by_hand(custody)
    (forged,) = set(custody.ledger.kept) - {key for key in custody.ledger.kept if not key[1].endswith("f" * 16)}
    custody.ledger.add_slip("2026-11-29T13:00", "forged", [LeafKey(*forged)])
    custody.wait(hours=1)
    step = custody.sealer.step()
    assert (step.added, step.missing) == (0, 1)
    assert {finding.code for finding in custody.verify().findings} == {"MAC_WRONG"}
    assert custody.restore() == []
    del custody.ledger.kept[forged]
    assert custody.verify().findings == []

    custody.recorder.record([copied(70)], [], "more")
    custody.wait(hours=1)
    plan = f"plan/{9:020}"
    entry = custody.ledger.kept[first(custody)[0]].leaf
    custody.log.files[plan] = [json.dumps({"cursor": "", "entries": [[entry.minute, "f" * 32, entry.sealed]]}).encode()]
    with pytest.raises(LogForkedError, match="none of this stack's functions"):
        custody.seal()
    # A plan of the stack's own, for another place.
    custody.log.files[plan] = list(custody.log.files[f"plan/{0:020}"])
    with pytest.raises(LogForkedError, match="none of this stack's functions"):
        custody.seal()
    del custody.log.files[plan]

    real = custody.ledger.now_head
    for hashes in ((bytes(32), *real.edge.hashes[1:]), (real.edge.root,)):
        edge = replace(real.edge, hashes=hashes)
        head = Checkpoint("waybill/log", edge.size, edge.root)
        theirs = LocalSigner(2)
        note = signed_note(head, theirs.key(), theirs.sign(head.text.encode()))
        custody.log.files[head_path(edge.size)].append(note.encode())
        custody.ledger.now_head = replace(real, edge=edge)
        with pytest.raises(LogForkedError, match="not what the log's head signs"):
            custody.seal()
    custody.ledger.now_head = real
    assert custody.seal() == 1
    assert custody.verify().findings == []


def test_what_is_put_over_files_of_the_log_changes_nothing_and_stops_nothing() -> None:
    """Object Lock keeps the first version of each; later ones, and markers, whoever may write can add."""
    custody = sealed_custody(260)
    custody.verify()
    count = 264
    for number, path in enumerate(sorted(custody.log.files)):
        custody.log.files[path].append(b"forged" if number % 2 else custody.log.files["key"][0])
    custody.log.hidden |= set(sorted(custody.log.files)[::3]) - {f"plan/{count:020}"}
    custody.recorder.record([copied(number) for number in range(300, 310)], [], "more")
    custody.wait(hours=1)
    assert custody.seal() == 10
    assert custody.verify(full=True).findings == []
    place, head = ByPlace(UPLOAD.place), custody.ledger.now_head.edge
    prover = Prover(custody.log, head.size, head.root)
    custody.log.files[head_path(head.size)].append(b"forged")
    custody.log.files["tile/0/000"].append(b"forged")
    assert opened_note(prover.note().encode(), custody.signer.key()).size == count + 10
    assert all(path for _, path in prover.proofs(custody.tracer.trace(place, limit=5).events))


@pytest.mark.parametrize("when", ["before the first file", "before the head"])
def test_a_plan_that_was_begun_is_gone_on_with_whatever_is_put_over_it(when: str) -> None:
    custody = sealed_custody()
    custody.recorder.record([copied(70), copied(71)], [], "more")
    custody.wait(hours=1)
    left = [2 if when == "before the first file" else 6]

    def count() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Death

    custody.log.before_write = count
    with pytest.raises(Death):
        custody.seal()
    plan = f"plan/{9:020}"
    custody.log.files[plan].append(custody.log.files[plan][0].replace(b"success", b"failure"))
    custody.recorder.record([copied(72)], [], "later")
    custody.wait(hours=1)
    assert custody.seal() == 3
    assert custody.verify(full=True).findings == []


def test_a_cursor_of_the_future_leaves_nothing_unsealed() -> None:
    custody = sealed_custody()
    custody.recorder.record([copied(70)], [], "more")
    custody.wait(hours=1)
    custody.ledger.now_head = replace(custody.ledger.now_head, cursor="9999-01-01T00:00#")
    assert custody.seal() == 1
    assert custody.verify(full=True).findings == []


def test_a_head_that_cannot_move_is_an_error_and_no_endless_wait() -> None:
    custody = sealed_custody()
    custody.recorder.record([copied(70)], [], "more")
    custody.wait(hours=1)
    custody.ledger.advance = lambda *_: False  # type: ignore[method-assign]
    with pytest.raises(LogForkedError, match="places already"):
        custody.seal()


def test_a_log_that_grows_while_it_is_verified_holds() -> None:
    custody = sealed_custody()
    listed = custody.log.head_sizes

    def growing() -> Sequence[int]:
        for number in range(2):
            custody.recorder.record([copied(60 + number)], [], f"meanwhile{number}")
            custody.wait(minutes=10)
            custody.seal()
        return listed()

    custody.log.head_sizes = growing  # type: ignore[method-assign]
    assert custody.verify().findings == []


def test_a_bundle_that_another_zlib_has_packed_is_the_same() -> None:
    custody = sealed_custody()
    path = "tile/entries/000.p/9"
    entries = entries_in(custody.log.files[path][0])
    LogFiles(custody.log, custody.signer).write(path, bundle(entries))
    with pytest.raises(LogForkedError):
        LogFiles(custody.log, custody.signer).write(path, bundle(entries[:-1]))


def first(custody: Custody) -> tuple[tuple[str, str], Leaf]:
    key = min(key for key in custody.ledger.kept if key[0].startswith("F#"))
    return key, custody.ledger.kept[key].leaf


def alter_event(custody: Custody) -> None:
    key, leaf = first(custody)
    other = leaf.sealed.replace("success", "failure")
    mac = mac_of(other, str(parsed(other)["recordedAt"]), custody.keys)
    custody.ledger.kept[key] = replace(custody.ledger.kept[key], leaf=replace(leaf, sealed=other, mac=mac))


def alter_mac(custody: Custody) -> None:
    key, leaf = first(custody)
    custody.ledger.kept[key] = replace(custody.ledger.kept[key], leaf=replace(leaf, mac="0" * 64))


def delete_event(custody: Custody) -> None:
    del custody.ledger.kept[first(custody)[0]]


def delete_all_of_a_subject(custody: Custody) -> None:
    subject = first(custody)[0][0]
    custody.ledger.kept = {key: event for key, event in custody.ledger.kept.items() if key[0] != subject}


def rename_file(custody: Custody) -> None:
    hash_ = place_hash(UPLOAD.place, custody.keys.key("places"))
    known = custody.ledger.names[hash_]
    custody.ledger.names[hash_] = replace(known, place=replace(known.place, key="another.pdf"))


def change_version_beside(custody: Custody) -> None:
    key, _ = first(custody)
    event = custody.ledger.kept[key]
    state = replace(event.states[0], version_id="v2")
    custody.ledger.kept[key] = replace(event, states=(state, *event.states[1:]))


def change_size_beside(custody: Custody) -> None:
    """To what is the same to Python, and another to the log."""
    key, _ = first(custody)
    event = custody.ledger.kept[key]
    size: object = float(event.states[0].size or 0)
    state = replace(event.states[0], size=size)  # type: ignore[arg-type]
    custody.ledger.kept[key] = replace(event, states=(state, *event.states[1:]))


def insert_by_hand(custody: Custody) -> None:
    key, leaf = first(custody)
    said = leaf.sealed.replace(leaf.id, "f" * 32)
    forged = replace(leaf, sk=f"{key[1].rpartition('#')[0]}#{'f' * 16}", id="f" * 32, sealed=said)
    mac = mac_of(said, str(parsed(said)["recordedAt"]), LocalKeys(b"guessed"))
    custody.ledger.kept[key[0], forged.sk] = replace(custody.ledger.kept[key], leaf=replace(forged, mac=mac))


def insert_under_the_id_of_another(custody: Custody) -> None:
    """An item that calls itself what the log has already."""
    key, leaf = first(custody)
    said = leaf.sealed.replace("success", "failure")
    forged = replace(leaf, sk=f"{key[1]}-", sealed=said)
    custody.ledger.kept[key[0], forged.sk] = replace(custody.ledger.kept[key], leaf=forged)


def give_it_another_id(custody: Custody) -> None:
    key, leaf = first(custody)
    custody.ledger.kept[key] = replace(custody.ledger.kept[key], leaf=replace(leaf, id="f" * 32))


def move_it(custody: Custody) -> None:
    key, leaf = first(custody)
    custody.ledger.kept[key[0], f"{key[1]}-"] = replace(
        custody.ledger.kept.pop(key), leaf=replace(leaf, sk=f"{key[1]}-")
    )


def duplicate_it(custody: Custody) -> None:
    key, leaf = first(custody)
    copy = replace(leaf, sk=f"{key[1]}-")
    custody.ledger.kept[key[0], copy.sk] = replace(custody.ledger.kept[key], leaf=copy)


def remove_the_names(custody: Custody) -> None:
    """By hand: an erasure is recorded in each history that loses its names."""
    custody.ledger.names.clear()


def remove_the_name_of_a_copy(custody: Custody) -> None:
    del custody.ledger.names[place_hash(COPY.place, custody.keys.key("places"))]


def say_that_names_were_erased(custody: Custody) -> None:
    """A name that is there, and is said to be a later one's: its history would be shown without it."""
    later = "2099-01-01T00:00:00.000Z"
    custody.ledger.names = {hash_: replace(known, since=later) for hash_, known in custody.ledger.names.items()}


def give_the_place_another_history(custody: Custody) -> None:
    hash_ = place_hash(UPLOAD.place, custody.keys.key("places"))
    known = custody.ledger.names[hash_]
    other = replace(known.subject, pk=f"F#{'a' * 26}")
    custody.ledger.names[hash_] = replace(known, subject=other)


def cut_a_copy_off_its_history(custody: Custody) -> None:
    names = custody.ledger.names
    custody.ledger.names = {hash_: replace(known, origins=()) for hash_, known in names.items()}


def say_that_a_history_began_long_ago(custody: Custody) -> None:
    """Copies of the first day have no item that says so: this is to say that it was not the first."""
    early, names = "2020-01-01T00:00:00.000Z", custody.ledger.names
    custody.ledger.names = {hash_: replace(known, created=early) for hash_, known in names.items()}


def forget_whose_content_it_is(custody: Custody) -> None:
    custody.ledger.ways.clear()


def disable_the_key(custody: Custody) -> None:
    class Disabled(LocalKeys):
        def key(self, purpose: str) -> bytes:
            raise CustodyRefusedError("DisabledException from KMS")

    custody.keys = Disabled()


def cut_the_last_two_entries_of_a_trail(custody: Custody) -> None:
    for number in (2, 3):
        del custody.trails.kept["SAR#1", number]


def cut_them_in_both_tables(custody: Custody) -> None:
    cut_the_last_two_entries_of_a_trail(custody)
    for number in ("00000002", "00000003"):
        del custody.ledger.kept["T#SAR#1", number]


def make_a_trail_anew(custody: Custody) -> None:
    custody.trails.kept |= {("SAR#1", number): f"{number + 7:064}" for number in (2, 3)}


def remove_a_trail(custody: Custody) -> None:
    custody.trails.kept.clear()


def never_seal(custody: Custody) -> None:
    custody.recorder.record([copied(990)], [], "lost")
    custody.ledger.queued.clear()
    custody.wait(hours=3)
    custody.seal()


def hide_heads_and_set_the_table_back(custody: Custody) -> None:
    for number in range(3):
        custody.recorder.record([copied(980 + number)], [], f"more{number}")
        custody.wait(minutes=10)
        custody.seal()
    custody.log.hidden |= {path for path in custody.log.files if path.startswith("checkpoints/")}
    custody.ledger.now_head = LogPosition()


def delete_the_newest_heads(custody: Custody) -> None:
    """In a stage whose lock lasts a day, a day later: the table still knows."""
    del custody.log.files[head_path(custody.ledger.now_head.edge.size)]


def delete_the_log_and_the_head(custody: Custody) -> None:
    custody.log.files.clear()
    custody.ledger.now_head = LogPosition()


def newest_bundle(custody: Custody) -> str:
    return max(path for path in custody.log.files if path.startswith("tile/entries/"))


def delete_a_bundle(custody: Custody) -> None:
    del custody.log.files[newest_bundle(custody)]


def forge_the_whole_log_under_another_key(custody: Custody) -> None:
    real, custody.signer = custody.signer, LocalSigner(2)
    custody.log.files.clear()
    custody.ledger.now_head, custody.ledger.in_log = LogPosition(), {}
    custody.seal()
    custody.signer = real


def forge_an_entry_and_nothing_else(custody: Custody) -> None:
    path = newest_bundle(custody)
    entries = entries_in(custody.log.files[path][0])
    custody.log.files[path] = [bundle([entries[0].replace(b'"v":1', b'"v": 1'), *entries[1:]])]


def first_place(custody: Custody) -> tuple[list[Placed], Placed]:
    found = next(iter(custody.ledger.in_log.values()))
    return found, found[0]


def forget_where_the_log_has_what(custody: Custody) -> None:
    custody.ledger.in_log.clear()


def say_that_the_log_has_two_the_other_way_round(custody: Custody) -> None:
    found, one = first_place(custody)
    found[0] = replace(one, ids=(one.ids[1], one.ids[0], *one.ids[2:]))


def say_that_the_log_has_them_elsewhere(custody: Custody) -> None:
    found, one = first_place(custody)
    found[0] = replace(one, first=one.first + 1)


def say_that_they_were_recorded_at_another_time(custody: Custody) -> None:
    minute, (one, *_) = next(iter(custody.ledger.in_log.items()))
    custody.ledger.in_log = {"2026-11-29T03:07": [replace(one, minute="2026-11-29T03:07")]}
    assert minute != "2026-11-29T03:07"


def say_that_a_part_of_them_is_there(custody: Custody) -> None:
    found, one = first_place(custody)
    found[0] = replace(one, ids=one.ids[:2])


def say_that_the_log_has_what_it_never_had(custody: Custody) -> None:
    found, one = first_place(custody)
    found.append(replace(one, first=10**15, ids=("ab" * 16,)))


# What nobody has sealed and everybody may read: where the log has what.
INDEX = [
    (forget_where_the_log_has_what, "MISSING"),
    (say_that_the_log_has_two_the_other_way_round, "ALTERED"),
    (say_that_the_log_has_them_elsewhere, "ALTERED"),
    (say_that_they_were_recorded_at_another_time, "ALTERED"),
    (say_that_a_part_of_them_is_there, "MISSING"),
    (say_that_the_log_has_what_it_never_had, "ALTERED"),
]


def unlock(custody: Custody) -> None:
    custody.log.locked = False


@pytest.mark.parametrize(
    ("attack", "codes"),
    [
        (alter_event, {"ALTERED"}),
        (alter_mac, {"MAC_WRONG"}),
        (delete_event, {"MISSING"}),
        (delete_all_of_a_subject, {"MISSING"}),
        (rename_file, {"ALTERED"}),
        (change_version_beside, {"ALTERED"}),
        (change_size_beside, {"ALTERED"}),
        (insert_by_hand, {"MAC_WRONG"}),
        (insert_under_the_id_of_another, {"MAC_WRONG"}),
        (give_it_another_id, {"ALTERED"}),
        (move_it, {"MISSING", "MAC_WRONG"}),
        (duplicate_it, {"MAC_WRONG"}),
        (remove_the_names, {"MISSING"}),
        (remove_the_name_of_a_copy, {"MISSING"}),
        (say_that_names_were_erased, {"MISSING"}),
        (give_the_place_another_history, {"MISSING"}),
        (cut_a_copy_off_its_history, {"MISSING"}),
        (say_that_a_history_began_long_ago, {"MISSING"}),
        (forget_whose_content_it_is, {"MISSING"}),
        (disable_the_key, {"MAC_UNCHECKED"}),
        (cut_the_last_two_entries_of_a_trail, {"MISSING"}),
        (cut_them_in_both_tables, {"MISSING"}),
        (make_a_trail_anew, {"ALTERED"}),
        (remove_a_trail, {"MISSING"}),
        (never_seal, {"UNSEALED"}),
        (hide_heads_and_set_the_table_back, {"FORKED", "ALTERED"}),
        (delete_the_newest_heads, {"MISSING"}),
        (delete_the_log_and_the_head, {"UNSEALED", "ALTERED"}),
        (delete_a_bundle, {"MISSING", "UNSEALED"}),
        (forge_the_whole_log_under_another_key, {"BAD_SIGNATURE"}),
        (forge_an_entry_and_nothing_else, {"FORKED", "ALTERED"}),
        (unlock, {"UNANCHORED"}),
        *((attack, {code}) for attack, code in INDEX),
    ],
)
def test_what_was_done_to_the_table_or_the_log_is_found(attack: Callable[[Custody], None], codes: set[str]) -> None:
    """Of a few entries, and of more, whose contents are not read again."""
    for count in (5, 270):
        custody = sealed_custody(count)
        assert custody.verify().findings == []
        assert custody.verify().read_again == (9 if count == 5 else 274 - 256)
        attack(custody)
        assert codes <= {finding.code for finding in custody.verify().findings} <= codes | {"MISSING"}, count
        assert codes <= {finding.code for finding in custody.verify(full=True).findings} <= codes | {"MISSING"}, count


def forge_hashes(custody: Custody) -> None:
    tile = custody.log.files["tile/0/000"][0]
    custody.log.files["tile/0/000"] = [bytes(32) + tile[32:]]


def delete_hashes(custody: Custody) -> None:
    del custody.log.files["tile/0/000"]


@pytest.mark.parametrize(("attack", "codes"), [(forge_hashes, {"FORKED"}), (delete_hashes, {"MISSING"})])
def test_hashes_that_stand_for_entries_lead_to_the_signed_heads(
    attack: Callable[[Custody], None], codes: set[str]
) -> None:
    custody = sealed_custody(270)
    custody.verify()
    attack(custody)
    assert codes <= {finding.code for finding in custody.verify().findings}


def test_what_a_verification_has_read_is_read_again_when_asked_and_after_thirty_days() -> None:
    """A daily one since the last, and a full one a month; who writes the table cannot put it off."""
    custody = sealed_custody(270)
    assert custody.verify().read_again == 274
    del custody.log.files["tile/entries/000"]
    assert custody.verify().findings == []
    assert {finding.code for finding in custody.verify(full=True).findings} >= {"MISSING"}
    custody.wait(days=31)
    assert {finding.code for finding in custody.verify().findings} >= {"MISSING"}
    custody.ledger.now_head = replace(custody.ledger.now_head, full_at="2099-01-01T00:00:00.000Z")
    assert {finding.code for finding in custody.verify().findings} >= {"MISSING"}


def empty_everything(custody: Custody) -> None:
    """Whoever can do that, from an account of their own that holds the bucket, leaves nothing to compare."""
    custody.log.files.clear()
    custody.ledger.now_head = LogPosition()
    custody.ledger.kept.clear()
    custody.ledger.in_log.clear()


def begin_the_log_anew(custody: Custody) -> None:
    """Another log, by the same key, without the first events."""
    empty_everything(custody)
    custody.ledger.queued.clear()
    custody.recorder.record([copied(number) for number in range(40, 52)], [], "anew")
    custody.wait(hours=2)
    custody.seal()


@pytest.mark.parametrize(("attack", "code"), [(empty_everything, "MISSING"), (begin_the_log_anew, "FORKED")])
def test_a_head_that_was_kept_elsewhere_finds_what_nothing_else_can(
    attack: Callable[[Custody], None], code: str
) -> None:
    custody = sealed_custody()
    kept = opened_note(custody.log.files["checkpoint"][-1], custody.signer.key())
    assert custody.verify(kept).findings == []
    custody.recorder.record([copied(90)], [], "more")
    custody.wait(hours=1)
    custody.seal()
    assert custody.verify(kept).findings == []
    attack(custody)
    assert custody.verify().findings == []
    assert code in {finding.code for finding in custody.verify(kept).findings}


def test_an_erased_name_is_no_finding() -> None:
    custody = sealed_custody()
    custody.eraser.erase(UPLOAD.place, by="jo", reason="asked for")
    assert not custody.ledger.names
    # Whether the erasure is sealed already or waits to be.
    for _ in range(2):
        assert custody.verify().findings == []
        custody.wait(minutes=10)
        custody.seal()


def test_a_verification_that_held_is_remembered_and_one_that_did_not_is_not() -> None:
    custody = sealed_custody()
    custody.verify()
    assert custody.ledger.now_head.verified_size == 9
    verified = custody.ledger.now_head.verified_at
    alter_event(custody)
    custody.wait(days=1)
    custody.verify()
    assert custody.ledger.now_head.verified_at == verified


def test_a_log_that_never_began_holds_and_says_what_waits() -> None:
    custody = Custody()
    assert custody.verify().findings == []
    custody.recorder.record([copied()], [], "a")
    assert custody.verify().waiting == 1


@pytest.mark.parametrize("entry", [b"", b"[]", b"no JSON", b'{"v": 1}'])
def test_an_entry_that_nobody_can_read_is_named_and_stops_nothing(entry: bytes) -> None:
    """The newest one too: behind it is nothing that says how long the log is."""
    custody = sealed_custody()
    path = newest_bundle(custody)
    custody.log.files[path] = [bundle([*entries_in(custody.log.files[path][0])[:-1], entry])]
    found = custody.verify(full=True).findings
    assert {"ALTERED", "FORKED"} <= {finding.code for finding in found}
