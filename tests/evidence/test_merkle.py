"""The Merkle tree against the RFC's own definitions, written out naively, and known roots."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.custody import merkle

#: The leaves and roots by which the implementations of RFC 6962 are tested
#: (google/certificate-transparency, transparency-dev/merkle).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZE = 65
DATA = [str(number).encode() for number in range(SIZE)]
TREE = merkle.Tree(map(merkle.leaf_hash, DATA))


# RFC 9162, sections 2.1.1, 2.1.3.1 and 2.1.4.1, word for word.


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    if not d:
        return hashlib.sha256().digest()
    if len(d) == 1:
        return hashlib.sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return hashlib.sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: list[bytes]) -> list[bytes]:
    if len(d) == 1:
        return []
    k = split(len(d))
    if m < k:
        return [*path(m, d[:k]), mth(d[k:])]
    return [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: list[bytes], whole: bool) -> list[bytes]:
    if m == len(d):
        return [] if whole else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], whole), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


def test_the_known_roots_come_out() -> None:
    tree = merkle.Tree(map(merkle.leaf_hash, LEAVES))
    frontier = merkle.Frontier()
    for size, root in enumerate(ROOTS):
        assert mth(LEAVES[:size]).hex() == root
        assert tree.root(size).hex() == root
        assert frontier.root().hex() == root
        if size < len(LEAVES):
            frontier.append(merkle.leaf_hash(LEAVES[size]))


def test_roots_and_proofs_of_all_small_trees_are_the_rfcs() -> None:
    frontier = merkle.Frontier()
    for size in range(1, SIZE + 1):
        frontier.append(merkle.leaf_hash(DATA[size - 1]))
        root = mth(DATA[:size])
        assert TREE.root(size) == frontier.root() == root
        for index in range(size):
            proof = TREE.inclusion_proof(index, size)
            assert proof == path(index, DATA[:size])
            assert merkle.verify_inclusion(merkle.leaf_hash(DATA[index]), index, size, proof, root)
        for old in range(1, size + 1):
            proof = TREE.consistency_proof(old, size)
            assert proof == subproof(old, DATA[:size], True)
            assert merkle.verify_consistency(old, size, mth(DATA[:old]), root, proof)


@given(st.lists(st.binary(max_size=8), max_size=200), st.data())
def test_any_leaves_make_the_rfcs_tree(leaves: list[bytes], data: st.DataObject) -> None:
    tree = merkle.Tree(map(merkle.leaf_hash, leaves))
    size = data.draw(st.integers(0, len(leaves)))
    assert tree.root(size) == mth(leaves[:size])
    if size:
        index = data.draw(st.integers(0, size - 1))
        assert tree.inclusion_proof(index, size) == path(index, leaves[:size])
        old = data.draw(st.integers(1, size))
        assert tree.consistency_proof(old, size) == subproof(old, leaves[:size], True)


def spoiled(proof: list[bytes]) -> list[list[bytes]]:
    """A proof with each part changed, dropped or doubled, and with one more."""
    wrong = [[*proof, bytes(32)], [bytes(32), *proof]]
    for at, part in enumerate(proof):
        wrong.append([*proof[:at], bytes([part[0] ^ 1]) + part[1:], *proof[at + 1 :]])
        wrong.append([*proof[:at], *proof[at + 1 :]])
        wrong.append([*proof[:at], part, *proof[at:]])
    return wrong


def test_wrong_inclusion_proofs_are_refused() -> None:
    for size in range(1, 34):
        root = TREE.root(size)
        for index in range(size):
            leaf = merkle.leaf_hash(DATA[index])
            proof = TREE.inclusion_proof(index, size)
            for wrong in spoiled(proof):
                assert not merkle.verify_inclusion(leaf, index, size, wrong, root)
            assert not merkle.verify_inclusion(bytes(32), index, size, proof, root)
            assert not merkle.verify_inclusion(leaf, index, size, proof, bytes(32))
            for other in (*range(-1, index), *range(index + 1, size + 1)):
                assert not merkle.verify_inclusion(leaf, other, size, proof, root)


def test_wrong_consistency_proofs_are_refused() -> None:
    for new in range(1, 34):
        root = TREE.root(new)
        for old in range(1, new + 1):
            proof, old_root = TREE.consistency_proof(old, new), TREE.root(old)
            for wrong in spoiled(proof):
                assert not merkle.verify_consistency(old, new, old_root, root, wrong)
            assert not merkle.verify_consistency(old, new, bytes(32), root, proof)
            assert not merkle.verify_consistency(old, new, old_root, bytes(32), proof)
            for other in (*range(old), *range(old + 1, new + 2)):
                assert not merkle.verify_consistency(other, new, old_root, root, proof)


def test_a_node_does_not_pass_for_a_leaf() -> None:
    left, right = merkle.leaf_hash(b"a"), merkle.leaf_hash(b"b")
    assert merkle.leaf_hash(left + right) != merkle.node_hash(left, right)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (0, SIZE + 1)])
def test_there_is_no_proof_of_what_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        TREE.inclusion_proof(index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 5), (6, 5), (5, SIZE + 1)])
def test_there_is_no_way_from_a_tree_that_is_not_there(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no proof"):
        TREE.consistency_proof(old, new)
