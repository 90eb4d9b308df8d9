"""The Merkle tree of RFC 6962, section 2.1: hashes, the right edge that grows, and proofs. Pure, in bytes.

A node is named by its level and its index there: a leaf is at level 0, and node `i` of level `l` stands for the leaves
from `i * 2**l` on, `2**l` of them. Nodes of complete subtrees never change, whatever is added behind them.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

EMPTY_ROOT = hashlib.sha256(b"").digest()

type Node = Callable[[int, int], bytes]
"""Gives the hash of a complete subtree by its level and index."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two others."""
    return hashlib.sha256(b"\1" + left + right).digest()


@dataclass(frozen=True)
class Edge:
    """The right edge of a tree: how many leaves it has, and the hashes of its largest complete subtrees, left first."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def extended(self, leaves: Iterable[bytes]) -> "Edge":
        """Return the edge with more leaf hashes behind it."""
        size, stack = self.size, list(self.hashes)
        for leaf in leaves:
            stack.append(leaf)
            size += 1
            whole = size
            while whole % 2 == 0:
                right = stack.pop()
                stack[-1] = node_hash(stack[-1], right)
                whole //= 2
        return Edge(size, tuple(stack))

    @property
    def root(self) -> bytes:
        """The hash of the whole tree."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


EMPTY = Edge()


def _split(size: int) -> int:
    """Return the largest power of two below `size` (RFC 6962, section 2.1: k)."""
    return 1 << (size - 1).bit_length() - 1


def range_hash(first: int, end: int, node: Node) -> bytes:
    """Return the hash of the leaves from `first` up to `end`, where `first` begins a subtree of that many leaves."""
    length = end - first
    if length & (length - 1) == 0:
        level = length.bit_length() - 1
        return node(level, first >> level)
    middle = first + _split(length)
    return node_hash(range_hash(first, middle, node), range_hash(middle, end, node))


def root_of(size: int, node: Node) -> bytes:
    """Return the hash of the tree of the first `size` leaves."""
    return range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of a leaf in the tree of that size (RFC 6962, section 2.1.1), lowest first."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    first, end = 0, size
    while end - first > 1:
        middle = first + _split(end - first)
        if index < middle:
            path.append(range_hash(middle, end, node))
            end = middle
        else:
            path.append(range_hash(first, middle, node))
            first = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of size `new` begins with the one of size `old` (RFC 6962, section 2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} cannot follow one of {old}")
    proof: list[bytes] = []
    first, end, known = 0, new, True
    while end != old:
        middle = first + _split(end - first)
        if old <= middle:
            proof.append(range_hash(middle, end, node))
            end = middle
        else:
            proof.append(range_hash(first, middle, node))
            first, known = middle, False
    return ([] if known else [range_hash(first, end, node)]) + proof[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that an audit path leads to; None for a path of another length (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    at, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return None
        if at % 2 or at == last:
            found = node_hash(step, found)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, step)
        at, last = at >> 1, last >> 1
    return found if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether a proof shows that one tree begins with another (RFC 9162, section 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    steps = list(proof)
    if not 0 < old < new or (not steps and old & (old - 1)):
        return False
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    at, last = old - 1, new - 1
    while at % 2:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at % 2 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while at % 2 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root
