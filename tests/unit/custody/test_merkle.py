"""RFC 6962 and RFC 9162: known trees, every proof of small ones, and any growth by Hypothesis."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.custody.domain.merkle import (
    EMPTY_ROOT,
    Edge,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
)

# The reference implementation's tree of Certificate Transparency (google/certificate-transparency,
# cpp/merkletree/merkle_tree_test.cc): eight inputs, and the root of each of the eight trees.
INPUTS = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")] + [
    bytes.fromhex("606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SMALL = 70


def naive(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962, section 2.1 writes it."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(naive(leaves[:k]), naive(leaves[k:]))


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def node_of(hashes: Sequence[bytes]):
    return lambda level, index: naive(hashes[index << level : (index + 1) << level])


def test_the_known_trees() -> None:
    hashes = [leaf_hash(entry) for entry in INPUTS]
    assert [Edge().extended(hashes[: size + 1]).root.hex() for size in range(8)] == ROOTS
    assert Edge().root == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_an_edge_and_the_nodes_give_the_naive_root() -> None:
    hashes = leaves(SMALL)
    for size in range(SMALL):
        assert Edge().extended(hashes[:size]).root == root_of(size, node_of(hashes)) == naive(hashes[:size])


def test_every_inclusion_proof_holds_for_its_leaf_alone() -> None:
    hashes = leaves(SMALL)
    for size in (1, 2, 3, 7, 8, 9, 33, 64, 65, SMALL):
        root = naive(hashes[:size])
        for index in range(size):
            path = inclusion_proof(index, size, node_of(hashes))
            assert root_from_inclusion(hashes[index], index, size, path) == root
            assert root_from_inclusion(leaf_hash(b"other"), index, size, path) != root
            assert root_from_inclusion(hashes[index], index, size, [*path, root]) is None
            assert root_from_inclusion(hashes[index], (index + 1) % (size + 1), size, path) != root or size == 1


@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 40))
def test_a_tree_that_grows_is_consistent_and_no_other_is(old: int, more: int, changed: int) -> None:
    hashes = leaves(old + more)
    edge = Edge().extended(hashes[:old])
    grown = edge.extended(hashes[old:])
    assert grown == Edge().extended(hashes)
    levels = [hashes]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)])
    proof = consistency_proof(old, old + more, lambda level, index: levels[level][index])
    assert is_consistent(old, old + more, edge.root, grown.root, proof)
    forged = [*hashes[: changed % old], leaf_hash(b"forged"), *hashes[changed % old + 1 :]]
    assert not is_consistent(old, old + more, edge.root, Edge().extended(forged).root, proof)
    if more:
        assert not is_consistent(old, old + more, edge.root, grown.root, proof[:-1] if proof else [b"x" * 32])


def test_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(ValueError, match="no leaf 3"):
        inclusion_proof(3, 3, node_of(leaves(3)))
    with pytest.raises(ValueError, match="cannot follow"):
        consistency_proof(4, 3, node_of(leaves(4)))
    assert root_from_inclusion(b"", 3, 3, []) is None
