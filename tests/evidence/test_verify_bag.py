"""Verifying a case's bag: keys, ledger, time stamps; and whoever rebuilds what he can of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evidence.custody import ledger, merkle
from evidence.signing.signer import pem_of
from evidence.verifying import Report, verify
from tests.evidence import bundles
from tests.evidence.authority import Authority
from tests.evidence.bundles import Case, Members

TOP = bundles.NAME


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("tsa"))
    authority.make()
    return authority


@pytest.fixture(scope="module")
def case(tsa: Authority) -> Case:
    return bundles.make_case(authority=tsa)


@pytest.fixture(scope="module")
def bag(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.write(tmp_path_factory.mktemp("bag") / "bag.zip")


@pytest.fixture(scope="module")
def other(tsa: Authority, case: Case, tmp_path_factory: pytest.TempPathFactory) -> Members:
    """Another case's bag, from another ledger, with the same key and the same authority."""
    made = bundles.make_case(case.signer, tsa, reference="b")
    return bundles.members_of(made.write(tmp_path_factory.mktemp("other") / "bag.zip"))


def failed(report: Report) -> list[str]:
    return [check.part for check in report.checks if not check.ok]


def forged(bag: Path, target: Path, change: Callable[[Members], object], **how: Any) -> list[str]:
    """What is found wrong after a change, with all manifests made and signed anew."""
    forger = bundles.new_signer()

    def edit(members: Members) -> None:
        change(members)
        bundles.rebag(members, forger)

    return failed(verify(bundles.remake(bag, target, edit), **how))


def test_papers_that_nothing_else_covers(bag: Path, case: Case, tmp_path: Path) -> None:
    """A report changed and the manifests rebuilt: the signature is of others, or of another's."""

    def report(members: Members) -> None:
        members[f"{TOP}/data/report.html"] = b"<p>another report</p>"

    def edit(members: Members) -> None:
        report(members)
        bundles.rebag(members)

    target = tmp_path / "forged.zip"
    assert failed(verify(bundles.remake(bag, target, edit))) == ["signature.json"]
    assert "data/report.html" in failed(verify(bundles.remake(bag, target, report)))
    assert forged(bag, target, report, key=case.signer.key_id) == ["signature.json"]
    gone = bundles.remake(bag, target, lambda members: members.pop(f"{TOP}/signature.json"))
    assert failed(verify(gone)) == ["signature.json"]


def test_an_untouched_bag_is_intact(bag: Path, case: Case, tsa: Authority, tmp_path: Path) -> None:
    roots = bundles.roots_of(tsa)
    report = verify(bag, key=case.signer.key_id, roots=roots)
    assert report.ok, failed(report)
    stamps = [check for check in report.checks if check.name == "time stamp"]
    assert [check.by for check in stamps] == ["CN=Test authority"] * 2
    assert all("vouched for by CN=Test root" in check.detail for check in stamps)
    unjudged = [c.detail for c in verify(bag).checks if c.name == "time stamp"]
    assert all("chain not judged: no roots given" in detail for detail in unjudged)
    folder = bundles.unpack(bag, tmp_path)
    assert failed(verify(folder, key=case.signer.key_id, roots=roots)) == []
    (tmp_path / "more.zip").write_bytes(bag.read_bytes())
    assert verify(bag, expected_sha256=report.sha256).ok
    assert not verify(folder, expected_sha256=report.sha256).ok
    assert {c.part.partition("!")[0] for c in report.checks} >= {
        f"data/ledger/{name}" for name in ("entries.jsonl", "checkpoint.txt", "checkpoint-4.txt")
    }


def test_stamps_that_are_still_awaited_are_no_fault(tmp_path: Path) -> None:
    report = verify(bundles.make_case().write(tmp_path / "bag.zip"))
    assert report.ok, failed(report)
    assert "0 stamps, 2 awaited" in {check.detail for check in report.checks}


# Whoever changes what the manifests alone vouch for


def test_files_that_are_changed_without_the_manifests(bag: Path, tmp_path: Path) -> None:
    target = tmp_path / "forged.zip"
    for name in bundles.members_of(bag):
        part = name.removeprefix(f"{TOP}/")

        def edit(members: Members, name: str = name) -> None:
            members[name] += b"\n"

        parts = {p.partition("!")[0] for p in failed(verify(bundles.remake(bag, target, edit)))}
        assert part in parts, part


def test_exhibits(bag: Path, other: Members, tmp_path: Path) -> None:
    """All manifests fit again: then case and ledger, or the package itself, say otherwise."""
    target = tmp_path / "forged.zip"
    parcel, listing = "data/exhibits/002-parcel.jpg", "data/exhibits/001-listing.wacz"

    def case_json(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
        def edit(members: Members) -> None:
            said = json.loads(members[f"{TOP}/data/case.json"])
            change(said)
            members[f"{TOP}/data/case.json"] = json.dumps(said).encode()

        return edit

    def replaced(name: str, data: bytes) -> Callable[[Members], None]:
        """The file, and what the case says of it."""
        number = int(name.rpartition("/")[2][:3])

        def edit(members: Members) -> None:
            members[f"{TOP}/{name}"] = data
            case_json(
                lambda said: said["exhibits"][number - 1].update(
                    sha256=bundles.sha256(data), size=len(data)
                )
            )(members)

        return edit

    def dropped(members: Members) -> None:
        del members[f"{TOP}/{parcel}"]
        case_json(lambda said: said["exhibits"].pop(1))(members)

    def added(members: Members) -> None:
        members[f"{TOP}/data/exhibits/004-more.jpg"] = b"more"

    def renumbered(said: dict[str, Any]) -> None:
        first, second = said["exhibits"][:2]
        first["number"], second["number"] = second["number"], first["number"]

    wacz_elsewhere = other[f"{TOP}/{listing}"]
    for change, part in (
        (lambda m: m.update({f"{TOP}/{parcel}": b"other"}), parcel),
        (replaced(parcel, b"another photograph"), parcel),
        (replaced(parcel, b"another photograph"), "data/case.json"),
        (replaced("data/exhibits/003-purchase.json", b"{}"), "data/case.json"),
        (replaced(listing, wacz_elsewhere), listing),
        (dropped, "data/case.json"),
        (added, "data/exhibits/004-more.jpg"),
        (lambda m: m.update({f"{TOP}/data/notes.txt": b"x"}), "data/notes.txt"),
        (case_json(renumbered), "data/case.json"),
        (case_json(lambda said: said["exhibits"][1].update(path=None)), "data/case.json"),
        (case_json(lambda said: said["exhibits"][1].update(sealed=True)), parcel),
        (case_json(lambda said: said.update(withheld_entries=[5])), "data/ledger/entries.jsonl"),
        (case_json(lambda said: said["case"].update(reference="X")), "data/ledger/entries.jsonl"),
        (lambda m: m.pop(f"{TOP}/data/case.json"), "data/case.json"),
        (lambda m: m.pop(f"{TOP}/bag-info.txt") and None, "bag-info.txt"),
    ):
        if part == "bag-info.txt":
            bundles.remake(bag, target, change)
            assert part in failed(verify(target))
            continue
        assert part in forged(bag, target, change), part


# The ledger


def _ledger(members: Members) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    lines = members[f"{TOP}/data/ledger/entries.jsonl"].splitlines()
    return [json.loads(line) for line in lines], json.loads(
        members[f"{TOP}/data/ledger/proofs.json"]
    )


def ledger_changed(
    change: Callable[[list[dict[str, Any]], dict[str, Any]], object],
) -> Callable[[Members], None]:
    """A change of the entries and of the proofs."""

    def edit(members: Members) -> None:
        entries, proofs = _ledger(members)
        change(entries, proofs)
        lines = [json.dumps(entry, ensure_ascii=False) for entry in entries]
        text = "".join(f"{line}\n" for line in lines)
        members[f"{TOP}/data/ledger/entries.jsonl"] = text.encode()
        members[f"{TOP}/data/ledger/proofs.json"] = json.dumps(proofs).encode()

    return edit


def test_the_ledger(bag: Path, case: Case, tmp_path: Path) -> None:
    entries_file, proofs_file = "data/ledger/entries.jsonl", "data/ledger/proofs.json"

    def leaf(entries: list[dict[str, Any]], **changed: Any) -> None:
        said = json.loads(entries[-2]["leaf"])
        entries[-2]["leaf"] = ledger.canonical({**said, **changed})

    def cut(entries: list[dict[str, Any]], proofs: dict[str, Any], which: slice) -> None:
        for entry in entries[which]:
            del proofs["inclusion"][str(entry["seq"])]
        del entries[which]

    def doubled(entries: list[dict[str, Any]], proofs: dict[str, Any]) -> None:
        entries.append({**entries[0], "seq": entries[-1]["seq"] + 1})
        proofs["inclusion"][str(entries[-1]["seq"])] = proofs["inclusion"][str(entries[0]["seq"])]

    def renumbered(entries: list[dict[str, Any]], proofs: dict[str, Any]) -> None:
        """Two entries change places, each with the other's number."""
        one, two = entries[-3], entries[-2]
        one["leaf"], two["leaf"] = two["leaf"], one["leaf"]
        for entry in (one, two):
            said = json.loads(entry["leaf"])
            entry["leaf"] = ledger.canonical({**said, "seq": entry["seq"]})

    def proof(entries: list[dict[str, Any]], proofs: dict[str, Any]) -> None:
        steps = proofs["inclusion"][str(entries[2]["seq"])]
        steps[0] = "0" * 64

    changes: list[tuple[str, Callable[[list[dict[str, Any]], dict[str, Any]], object], str]] = [
        ("truncated", lambda e, p: e.pop(), entries_file),
        ("truncated with its proofs", lambda e, p: cut(e, p, slice(-1, None)), entries_file),
        ("cut in the middle", lambda e, p: cut(e, p, slice(-2, -1)), entries_file),
        ("emptied", lambda e, p: cut(e, p, slice(None)), entries_file),
        ("reordered", lambda e, p: e.reverse(), entries_file),
        ("swapped lines", lambda e, p: e.insert(0, e.pop(1)), entries_file),
        ("renumbered", renumbered, entries_file),
        ("doubled", doubled, entries_file),
        ("another actor", lambda e, p: leaf(e, actor="nobody"), entries_file),
        ("another time", lambda e, p: leaf(e, occurred_at="2020-01-01T00:00:00Z"), entries_file),
        ("other details", lambda e, p: leaf(e, details={}), entries_file),
        ("spaces", lambda e, p: e[0].update(leaf=e[0]["leaf"] + " "), entries_file),
        ("changed proof", proof, entries_file),
        ("no proof", lambda e, p: p["inclusion"].pop(str(e[0]["seq"])), proofs_file),
        ("no proofs", lambda e, p: p.pop("inclusion"), proofs_file),
        ("more in a line", lambda e, p: e[0].update(more=1), entries_file),
        ("another root", lambda e, p: p.update(root="0" * 64), "data/ledger/checkpoint.txt"),
        ("another size", lambda e, p: p.update(size=9), "data/ledger/checkpoint.txt"),
        (
            "changed history",
            lambda e, p: p["earlier"][0]["consistency"].pop(),
            "data/ledger/checkpoint-4.txt",
        ),
        (
            "history forgotten",
            lambda e, p: p["earlier"].clear(),
            "data/ledger/checkpoint-4.txt",
        ),
    ]
    for what, change, part in changes:
        parts = forged(bag, tmp_path / "forged.zip", ledger_changed(change))
        assert part in parts, (what, parts)


def test_checkpoints(bag: Path, case: Case, other: Members, tmp_path: Path) -> None:
    target = tmp_path / "forged.zip"
    note = f"{TOP}/data/ledger/checkpoint.txt"

    def of_another_ledger(members: Members) -> None:
        """With all that belongs to it, but not the entries."""
        for name in ("checkpoint.txt", "checkpoint-4.txt"):
            members[f"{TOP}/data/ledger/{name}"] = other[f"{TOP}/data/ledger/{name}"]
        _, theirs = _ledger(other)
        ledger_changed(lambda e, p: p.update({k: theirs[k] for k in ("root", "earlier")}))(members)

    def signature(members: Members) -> None:
        """The signature of another checkpoint of the same key."""
        lines = members[note].decode().splitlines(keepends=True)
        theirs = members[f"{TOP}/data/ledger/checkpoint-4.txt"].decode().splitlines(keepends=True)
        members[note] = "".join([*lines[:-1], theirs[-1]]).encode()

    def rewritten(members: Members) -> None:
        """The forger's own ledger: an entry left out, signed with his own key."""
        mine = bundles.Case(bundles.new_signer(), None, leaves=list(case.leaves))
        mine.leaves[5] = mine.leaves[5].replace("VEL", "XXX").replace("exhibit", "Exhibit")
        tree = merkle.Tree(merkle.leaf_hash(leaf.encode()) for leaf in mine.leaves)
        members[note] = mine.checkpoint().encode()
        members[f"{TOP}/data/keys/{mine.signer.key_id}.pem"] = pem_of(mine.signer.public_key)

        def change(entries: list[dict[str, Any]], proofs: dict[str, Any]) -> None:
            proofs["root"] = tree.root().hex()
            for entry in entries:
                steps = tree.inclusion_proof(entry["seq"], tree.size)
                proofs["inclusion"][str(entry["seq"])] = [step.hex() for step in steps]
                entry["leaf"] = mine.leaves[entry["seq"]]
            steps = tree.consistency_proof(4, tree.size)
            proofs["earlier"][0]["consistency"] = [step.hex() for step in steps]

        ledger_changed(change)(members)

    assert "data/ledger/entries.jsonl" in forged(bag, target, of_another_ledger)
    assert forged(bag, target, signature) != []
    assert "data/ledger/checkpoint.txt" in forged(bag, target, signature)
    assert "data/ledger/checkpoint.txt" in forged(bag, target, rewritten, key=case.signer.key_id)
    key_file = f"{TOP}/data/keys/{case.signer.key_id}.pem"
    assert "data/ledger/checkpoint.txt" in forged(bag, target, lambda m: m.pop(key_file))
    strange = pem_of(bundles.new_signer().public_key)
    assert key_file.removeprefix(f"{TOP}/") in forged(
        bag, target, lambda m: m.update({key_file: strange})
    )
    assert failed(verify(bag, key="0" * 64)) != []


def test_who_signed_each_is_said(bag: Path, case: Case) -> None:
    ours = {case.signer.key_id: "key of this installation"}
    report = verify(bag, known=ours)
    said = {c.by for c in report.checks if c.name in ("signature", "checkpoint")}
    assert said == {f"key {case.signer.key_id} (key of this installation)"}


# Time stamps


def test_stamps(bag: Path, other: Members, tsa: Authority, tmp_path: Path) -> None:
    target = tmp_path / "forged.zip"
    first, index = f"{TOP}/data/stamps/1.tsr", f"{TOP}/data/stamps/index.json"

    def stamps_index(change: Callable[[list[dict[str, Any]]], object]) -> Callable[[Members], None]:
        def edit(members: Members) -> None:
            said = json.loads(members[index])
            change(said)
            members[index] = json.dumps(said).encode()

        return edit

    def swapped(members: Members) -> None:
        second = f"{TOP}/data/stamps/2.tsr"
        members[first], members[second] = members[second], members[first]

    def relabelled(members: Members) -> None:
        """A stamp of another bundle, and the index says that its digest is what is stamped."""
        theirs = json.loads(other[index])[0]
        members[first] = other[first]
        stamps_index(lambda said: said[0].update(digest=theirs["digest"]))(members)

    def dropped(members: Members) -> None:
        del members[first]

    for what, change, part in (
        ("of another bundle", lambda m: m.update({first: other[first]}), "data/stamps/1.tsr"),
        ("relabelled", relabelled, "data/stamps/1.tsr"),
        ("swapped", swapped, "data/stamps/1.tsr"),
        ("dropped", dropped, "data/stamps/1.tsr"),
        ("not listed", stamps_index(lambda said: said.pop(0)), "data/stamps/1.tsr"),
        ("awaited", stamps_index(lambda s: s[0].update(file=None)), "data/stamps/index.json"),
        ("empty", lambda m: m.update({first: b""}), "data/stamps/1.tsr"),
        ("cut", lambda m: m.update({first: m[first][:-1]}), "data/stamps/1.tsr"),
        ("longer", lambda m: m.update({first: m[first] + b"\0"}), "data/stamps/1.tsr"),
    ):  # fmt: skip
        parts = forged(bag, target, change)
        assert part in parts, (what, parts)
    certificate = next(n for n in bundles.members_of(bag) if n.startswith(f"{TOP}/data/cert"))
    root = tsa.roots.read_bytes()
    part = certificate.removeprefix(f"{TOP}/")
    assert part in forged(bag, target, lambda m: m.update({certificate: root}))
    elsewhere = Authority(tmp_path / "elsewhere")
    elsewhere.make()
    assert failed(verify(bag, roots=bundles.roots_of(elsewhere))) == [
        "data/stamps/1.tsr", "data/stamps/2.tsr",
    ]  # fmt: skip
    both = bundles.roots_of(elsewhere) + bundles.roots_of(tsa)
    assert verify(bag, roots=both).ok
    assert "roots" in failed(verify(bag, roots=b"nonsense"))


def test_stamps_beside_a_package(tsa: Authority, tmp_path: Path) -> None:
    made = bundles.make_wacz(tmp_path / "one")
    package = made.path.with_name("bundle.wacz.tsr")
    package.write_bytes(bundles.stamp(tsa, made.sha256))
    archive = made.path.with_name("bundle.wacz.2.tsr")
    archive.write_bytes(bundles.stamp(tsa, made.archive_sha256))
    report = verify(made.path, roots=bundles.roots_of(tsa))
    assert report.ok, failed(report)
    details = [check.detail for check in report.checks if check.name == "time stamp"]
    assert any(detail.startswith("bundle.wacz,") for detail in details)
    assert any(detail.startswith("the WARC in it,") for detail in details)
    folder = verify(made.path.parent)
    assert "1 bundles, 2 stamps" in folder.checks[0].detail
    assert failed(folder) == []
    archive.write_bytes(bundles.stamp(tsa, "0" * 64))
    assert failed(verify(made.path)) == ["bundle.wacz.2.tsr"]
    assert failed(verify(made.path.parent)) == ["bundle.wacz!bundle.wacz.2.tsr"]
    archive.rename(made.path.with_name("stray.tsr"))
    assert failed(verify(made.path.parent)) == ["stray.tsr"]


# Somebody with a key of his own, and anything at all in his files

STRANGE: tuple[Any, ...] = (
    None, True, 0, -1, 1 << 80, 1.5, "", "x", "\ud800", "../x", [], [[]], {}, {"a": []}, "0" * 64,
)  # fmt: skip


def _replace_one(value: Any, dice: random.Random) -> Any:
    """The same, with something in it replaced or taken away."""
    if isinstance(value, dict) and value and dice.random() < 0.9:
        name = dice.choice(list(value))
        if dice.random() < 0.1:
            return {k: v for k, v in value.items() if k != name}
        return {**value, name: _replace_one(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.9:
        place = dice.randrange(len(value))
        return [*value[:place], _replace_one(value[place], dice), *value[place + 1 :]]
    return dice.choice(STRANGE)


def test_strange_values_are_refused_in_words(case: Case, bag: Path, tmp_path: Path) -> None:
    dice = random.Random(5)
    listing = f"{TOP}/data/exhibits/001-listing.wacz"

    def strange(raw: bytes) -> bytes:
        return json.dumps(_replace_one(json.loads(raw), dice)).encode()

    def edit(members: Members) -> None:
        kind = dice.randrange(6)
        names = ("case.json", "stamps/index.json", "ledger/proofs.json")
        if kind < 3:
            name = f"{TOP}/data/{names[kind]}"
            members[name] = strange(members[name])
        elif kind == 3:
            name = f"{TOP}/data/ledger/entries.jsonl"
            lines = members[name].splitlines()
            lines[dice.randrange(len(lines))] = strange(dice.choice(lines))
            members[name] = b"".join(line + b"\n" for line in lines)
        else:
            (tmp_path / "x.wacz").write_bytes(members[listing])
            parts = bundles.members_of(tmp_path / "x.wacz")
            name = "datapackage.json" if kind == 4 else "datapackage-digest.json"
            parts[name] = strange(parts[name])
            members[listing] = bundles.write_zip(tmp_path / "x.wacz", parts).read_bytes()
        bundles.rebag(members)

    for _ in range(300):
        report = verify(bundles.remake(bag, tmp_path / "strange.zip", edit))
        assert not any("cannot be judged" in check.detail for check in report.checks), report
        json.dumps(report.to_dict(), ensure_ascii=False).encode()


def test_strange_entries_in_a_ledger_of_his_own(tmp_path: Path) -> None:
    dice = random.Random(6)
    for number in range(60):
        made = bundles.make_case()
        place = dice.randrange(1, len(made.leaves))
        changed = _replace_one(json.loads(made.leaves[place]), dice)
        if not isinstance(changed, dict) or not isinstance(changed.get("subject"), str):
            continue
        made.leaves[place] = ledger.canonical(changed)
        made.notes.clear()
        made.stamps = made.stamps[:1]
        made.checkpoint()
        report = verify(made.write(tmp_path / f"{number}.zip"))
        assert not any("cannot be judged" in check.detail for check in report.checks), report
