"""Ten thousand changed bytes, and members dropped, added, swapped and renamed: all are found.

The bundles are small, so that each trial costs milliseconds; the code is the one that checks
the large ones.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from evidence.verifying import Report, verify
from evidence.verifying.container import read_members
from evidence.verifying.work import Region
from tests.evidence import bundles
from tests.evidence.authority import Authority

TRIALS = 5_000


@pytest.fixture(scope="module")
def wacz_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.make_wacz(tmp_path_factory.mktemp("wacz")).path


@pytest.fixture(scope="module")
def bag_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bag")
    tsa = Authority(folder / "tsa")
    tsa.make()
    return bundles.make_case(authority=tsa).write(folder / "bag.zip")


@pytest.fixture(params=["wacz", "bag"])
def bundle(request: pytest.FixtureRequest, wacz_file: Path, bag_file: Path) -> Path:
    return wacz_file if request.param == "wacz" else bag_file


def failed(report: Report) -> list[str]:
    return [check.part for check in report.checks if not check.ok]


def owners(bundle: Path) -> list[tuple[range, str]]:
    """Which bytes of the file belong to which member."""
    data = bundle.read_bytes()
    return [
        (range(m.region.offset, m.region.offset + m.region.size), m.name)
        for m in read_members(Region(bundle, 0, len(data)))
    ]


def test_untouched_bundles_raise_no_alarm(tmp_path: Path) -> None:
    """Many of them, of many sizes and contents."""
    for number in range(10):
        dice = random.Random(number)
        bodies = [dice.randbytes(dice.randrange(1, 3_000)) for _ in range(1 + number)]
        made = bundles.make_wacz(tmp_path / f"w{number}", bodies=[*bodies, bodies[0]])
        report = verify(made.path, expected_sha256=made.sha256, key=made.signer.key_id)
        assert report.ok, failed(report)
        bag = bundles.make_case(reference=f"r{number}").write(tmp_path / f"{number}.zip")
        assert failed(verify(bag)) == []
        assert failed(verify(bundles.unpack(bag, tmp_path / f"u{number}"))) == []


def test_every_changed_byte_is_found_and_its_part_named(bundle: Path, tmp_path: Path) -> None:
    original = bundle.read_bytes()
    members = owners(bundle)
    changed = tmp_path / bundle.name
    dice = random.Random(1)
    unfound, unnamed = [], []
    for _ in range(TRIALS):
        place = dice.randrange(len(original))
        data = bytearray(original)
        data[place] ^= dice.randrange(1, 256)
        changed.write_bytes(data)
        parts = failed(verify(changed))
        if not parts:
            unfound.append(place)
        owner = next((name for span, name in members if place in span), None)
        if owner is not None and not any(_names(part, owner) for part in parts):
            unnamed.append((place, owner, parts))
    assert not unfound
    assert not unnamed


def _names(part: str, member: str) -> bool:
    """Whether a part is a member, or something in it, its folder in the ZIP aside."""
    return part.partition("!")[0] in (member, member.partition("/")[2])


def _altered(
    members: bundles.Members, dice: random.Random
) -> Iterator[tuple[str, bundles.Members, set[str]]]:
    """What happened, the members after it, and the names of which one must be named."""
    for name in members:
        yield f"dropped {name}", {k: v for k, v in members.items() if k != name}, {name}
        renamed = f"{name}.old"
        yield (
            f"renamed {name}",
            {renamed if k == name else k: v for k, v in members.items()},
            {name, renamed},
        )
    for name in ("extra", "data/extra", "data/exhibits/009-extra", "archive/more.warc.gz"):
        inside = next(iter(members)).partition("/")[0] + "/" + name
        for added in (name, inside):
            yield f"added {added}", {**members, added: dice.randbytes(20)}, {added}
    for one, other in itertools.combinations(members, 2):
        if members[one] != members[other]:
            swapped = {**members, one: members[other], other: members[one]}
            yield f"swapped {one} and {other}", swapped, {one, other}


def test_dropped_added_swapped_and_renamed_members(bundle: Path, tmp_path: Path) -> None:
    members = bundles.members_of(bundle)
    target = tmp_path / bundle.name
    for what, after, names in _altered(members, random.Random(2)):
        bundles.write_zip(target, after)
        parts = failed(verify(target))
        assert parts, what
        named = any(_names(part, name) for part in parts for name in names)
        # What the manifest does not fit any more is named by the manifest's name.
        assert named or {"datapackage.json", "datapackage-digest.json"} & set(parts), (what, parts)


def test_members_in_another_order(bundle: Path, tmp_path: Path) -> None:
    members = list(bundles.members_of(bundle).items())
    members[0], members[1] = members[1], members[0]
    target = bundles.write_zip(tmp_path / bundle.name, dict(members))
    digest = verify(bundle).sha256
    assert failed(verify(target, expected_sha256=digest)) == [bundle.name]


def test_an_unpacked_bag(bag_file: Path, tmp_path: Path) -> None:
    """Without a container around them, every byte of every file counts as well."""
    folder = bundles.unpack(bag_file, tmp_path)
    assert verify(folder).ok
    dice = random.Random(3)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        original = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        step = 1 if name == "tagmanifest-sha256.txt" else 97
        for place in range(0, len(original), step):
            data = bytearray(original)
            data[place] ^= dice.randrange(1, 256)
            path.write_bytes(data)
            parts = failed(verify(folder))
            assert parts, (name, place)
            listed = {"tagmanifest-sha256.txt", "bagit.txt", "bag-info.txt", "manifest-sha256.txt"}
            assert any(_names(p, name) for p in parts) or (name in listed and listed & set(parts))
        path.write_bytes(original)
        path.unlink()
        assert any(_names(part, name) for part in failed(verify(folder))), name
        path.write_bytes(original)
    link = folder / "data" / "link"
    link.symlink_to("case.json")
    assert failed(verify(folder)) == ["data/link"]
