"""The Merkle tree of RFC 9162, pure: hashes, roots, proofs, and checking them.

Nothing here knows what a leaf means. A tree of n leaves is split at the largest power of two
smaller than n, so that what was hashed once is never hashed anew when the tree grows.

Source: RFC 9162, sections 2.1.1 to 2.1.5 (the hashing is that of RFC 6962).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

#: The root of the tree without leaves.
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf. Its prefix keeps a node from passing for a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The right edge of a growing tree: all that the next root needs.

    It holds one hash for each bit set in `size`, largest subtree first, so a ledger of any
    length is walked in bounded memory.
    """

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        merges = self.size
        while merges & 1:
            leaf = node_hash(self._edge.pop(), leaf)
            merges >>= 1
        self._edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


class Tree:
    """A whole tree in memory, for proofs in logarithmic time.

    Parameters
    ----------
    leaves
        The leaves' hashes, in order.
    """

    def __init__(self, leaves: Iterable[bytes]) -> None:
        # _levels[k][i] is the hash of the complete subtree of 2**k leaves from i * 2**k on.
        level = list(leaves)
        self.size = len(level)
        self._levels = [level]
        while len(level) > 1:
            level = [node_hash(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
            self._levels.append(level)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first `size` leaves; of all of them if left out."""
        size = self.size if size is None else size
        _demand(0 <= size <= self.size, f"there is no tree of {size} leaves")
        return EMPTY_ROOT if size == 0 else self._hash(0, size)

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]): what leads from a leaf to the root of `size` leaves.

        Raises
        ------
        ValueError
            If there is no such leaf or no such tree.
        """
        _demand(0 <= index < size <= self.size, f"no leaf {index} in a tree of {size}")
        proof: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start = middle
        return proof[::-1]

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """PROOF(old, D[new]): that the tree of `old` leaves begins the tree of `new`.

        Raises
        ------
        ValueError
            If there are no such trees, or the older one is empty.
        """
        _demand(0 < old <= new <= self.size, f"no proof from {old} to {new} leaves")
        proof: list[bytes] = []
        start, end = 0, new
        while old < end:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start = middle
        if start > 0:  # else what is left is the old tree itself, whose root the reader has
            proof.append(self._hash(start, end))
        return proof[::-1]

    def _hash(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]), for ranges that a split of the tree makes."""
        width = end - start
        level = width.bit_length() - 1
        if width == 1 << level:
            return self._levels[level][start >> level]
        middle = start + _split(width)
        return node_hash(self._hash(start, middle), self._hash(middle, end))


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether a proof leads from a leaf's hash to the root.

    Source: RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    fn, sn, made = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            made = node_hash(sibling, made)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            made = node_hash(made, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and made == root


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether a proof shows that the new tree begins with the whole old one.

    Source: RFC 9162, section 2.1.4.2. It leaves equal sizes out: then the roots must be
    equal, and the proof empty.
    """
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    made_old = made_new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            made_old = node_hash(sibling, made_old)
            made_new = node_hash(sibling, made_new)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            made_new = node_hash(made_new, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and made_old == old_root and made_new == new_root


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def _demand(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)
