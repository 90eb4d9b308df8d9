"""The C2SP pages tlog-tiles, signed-note and tlog-checkpoint: paths, widths, bundles, signatures."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from waybill.custody.domain.merkle import Edge, inclusion_proof, leaf_hash, root_from_inclusion, root_of
from waybill.custody.domain.signed_heads import Checkpoint, VerifierKey, opened_note, signed_note
from waybill.custody.domain.tiles import (
    WIDTH,
    Tile,
    TileNodes,
    bundle,
    bundle_path,
    entries_in,
    grown_tiles,
    hashes_in,
    subtree,
    width_of,
)
from waybill.custody.errors import BadProofError

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey("waybill/log", PRIVATE.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def test_paths_are_those_of_the_page() -> None:
    """tlog-tiles: "the 1234067th tile of level 0 is tile/0/x001/x234/067", partial ones end in .p/<width>."""
    assert Tile(0, 1_234_067, WIDTH).path == "tile/0/x001/x234/067"
    assert Tile(1, 273, 112).path == "tile/1/273.p/112"
    assert bundle_path(1_234_067, WIDTH) == "tile/entries/x001/x234/067"
    assert bundle_path(0, 3) == "tile/entries/000.p/3"


def test_the_example_of_the_page() -> None:
    """tlog-tiles: 70,000 entries are 273 full tiles and a partial one at level 0, one full and 17 hashes at level 1."""
    tiles = list(grown_tiles(0, 70_000))
    assert [tile for tile in tiles if tile.level == 0 and tile.width < WIDTH] == [Tile(0, 273, 112)]
    assert len([tile for tile in tiles if tile.level == 0 and tile.width == WIDTH]) == 273
    assert [tile for tile in tiles if tile.level > 0] == [Tile(1, 0, WIDTH), Tile(1, 1, 17), Tile(2, 0, 1)]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=5))
def test_whatever_steps_a_log_grows_in_its_tiles_hold_it(steps: list[int]) -> None:
    hashes: list[bytes] = []
    files: dict[str, bytes] = {}
    for step in steps:
        old = len(hashes)
        hashes += [leaf_hash(str(old + number).encode()) for number in range(step)]
        for tile in grown_tiles(old, len(hashes)):
            start, span = tile.number * WIDTH, 1 << 8 * tile.level
            inside = [hashes[at * span : (at + 1) * span] for at in range(start, start + tile.width)]
            assert tile.path not in files
            files[tile.path] = b"".join(map(subtree, inside))
    size = len(hashes)
    node = TileNodes(lambda tile: files[tile.path], size).node()
    root = root_of(size, node)
    assert root == Edge().extended(hashes).root
    for index in {0, size // 2, size - 1}:
        assert root_from_inclusion(hashes[index], index, size, inclusion_proof(index, size, node)) == root


def test_a_proof_in_a_log_of_a_billion_reads_few_tiles() -> None:
    read: list[Tile] = []
    size = 1_000_000_000

    def tile_of(tile: Tile) -> bytes:
        read.append(tile)
        assert tile.width == width_of(tile.level, tile.number, size)
        return bytes(32 * tile.width)

    path = inclusion_proof(123_456_789, size, TileNodes(tile_of, size).node())
    assert len(read) == len(set(read)) <= 7
    assert sum(map(len, path)) <= 30 * 32


@given(st.lists(st.binary(max_size=400), max_size=300))
def test_a_bundle_gives_back_its_entries_and_is_the_same_each_time(entries: list[bytes]) -> None:
    packed = bundle(entries)
    assert entries_in(packed) == entries
    assert bundle(entries) == packed


def test_damaged_files_are_named() -> None:
    packed = bundle([b"one", b"two"])
    for damaged in (b"", packed[:-9], b"\0" + packed, bundle([b"x" * 9])[:20]):
        with pytest.raises(BadProofError, match="bundle"):
            entries_in(damaged)
    with pytest.raises(BadProofError, match="3 hashes has 64 bytes"):
        hashes_in(bytes(64), 3)


def test_a_note_is_what_the_page_describes() -> None:
    head = Checkpoint(KEY.name, 12, bytes(32))
    note = signed_note(head, KEY, PRIVATE.sign(head.text.encode()))
    said, _, signature = note.partition("\n\n")
    assert said.split("\n") == ["waybill/log", "12", base64.b64encode(bytes(32)).decode()]
    assert signature.startswith("— waybill/log ")
    assert signature.endswith("\n")
    assert len(base64.b64decode(signature.split()[2])) == 4 + 64
    assert opened_note(note, KEY) == head


def test_the_key_of_the_pages_example() -> None:
    """golang.org/x/mod/sumdb/note, package documentation: the key of PeterNeumann and its note."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert key.text == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    encoded = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    with pytest.raises(BadProofError, match="not what heads look like"):
        # The signature holds; a head of a log it is not.
        opened_note(f"{text}\n— PeterNeumann {encoded}\n", key)
    with pytest.raises(BadProofError, match="wrong signature"):
        opened_note(f"{text.replace('know', 'knew')}\n— PeterNeumann {encoded}\n", key)


@pytest.mark.parametrize(
    "text", ["", "name", "name+00000000+AAAA", "name+00000000+!", KEY.text.replace(KEY.id.hex(), "00000000")]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadProofError, match="public key"):
        VerifierKey.parse(text)


@pytest.mark.parametrize("size", ["-1", "01", "1e3", "", "１２"])
def test_a_signed_head_with_another_size_is_refused(size: str) -> None:
    text = f"waybill/log\n{size}\n{base64.b64encode(bytes(32)).decode()}\n"
    raw = base64.b64encode(KEY.id + PRIVATE.sign(text.encode())).decode()
    with pytest.raises(BadProofError, match="a head of the log"):
        opened_note(f"{text}\n— waybill/log {raw}\n", KEY)


@given(st.binary(max_size=300))
def test_any_other_bytes_are_no_note(note: bytes) -> None:
    with pytest.raises(BadProofError):
        opened_note(note, KEY)
