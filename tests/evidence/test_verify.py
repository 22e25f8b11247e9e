"""A bundle with any byte changed, and every forgery that we could think of."""

from __future__ import annotations

import hashlib
import json
import random
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from uuid_utils.compat import uuid7

from evidence import wacz, warc
from evidence.container import Damaged, read_members
from evidence.exchanges import Exchange
from evidence.verify import Report, verify

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
URL = "http://shop.example/item/7"


def make(folder: Path, price: str = "39,00") -> Path:
    """A small bundle, made by the code that makes the large ones."""
    parts = folder / "package"
    for name in ("archive", "indexes", "extra"):
        (parts / name).mkdir(parents=True)
    body = folder / "body"
    body.write_bytes(f"<h1>Velaro</h1> € {price}".encode())
    exchange = Exchange(URL, "GET", NOW, {"Accept": "*/*"}, b"", "Document", body=body)
    exchange.response = {
        "status": 200,
        "statusText": "OK",
        "headers": {"Content-Type": "text/html"},
    }
    archive = parts / "archive" / "data.warc.gz"
    warc.write_warc(archive, {"software": "test"}, [exchange])
    warc.write_index(archive, parts / "indexes")
    (parts / "extra" / "capture.json").write_text("{}")
    target = folder / "bundle.wacz"
    page = wacz.Page(uuid7(), URL, NOW, "Velaro", "Velaro")
    wacz.pack(parts, target, pages=[page], software="test", created=NOW, title="Velaro")
    return target


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("bundle"))


def failed(report: Report) -> list[str]:
    return [check.part for check in report.checks if not check.ok]


def test_an_untouched_bundle_is_intact(bundle: Path) -> None:
    report = verify(bundle)
    assert report.ok, failed(report)
    assert {c.part for c in report.checks} >= {
        "container", "datapackage.json", "archive/data.warc.gz", "pages/pages.jsonl",
        "indexes/index.cdx.gz", "indexes/index.idx", "extra/capture.json",
    }  # fmt: skip
    digest = hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert verify(bundle, expected_sha256=digest).ok
    named = bundle.with_name(f"{digest}.wacz")
    named.write_bytes(bundle.read_bytes())
    assert verify(named).ok


def test_any_one_byte_changed_is_found_and_its_part_named(bundle: Path, tmp_path: Path) -> None:
    """Every byte of the bundle, each turned into another value."""
    original = bundle.read_bytes()
    owner = {}
    for member in read_members(bundle):
        for place in range(member.offset, member.offset + member.size):
            owner[place] = member.name
    changed = tmp_path / "changed.wacz"
    dice = random.Random(1)
    for place in range(len(original)):
        data = bytearray(original)
        data[place] ^= dice.randrange(1, 256)
        changed.write_bytes(data)
        parts = failed(verify(changed))
        assert parts, f"byte {place} of {len(original)} ({owner.get(place, 'container')})"
        if place in owner:
            assert owner[place] in parts or "datapackage-digest.json" in parts


@pytest.mark.parametrize("cut", [1, 22, 100, 1000])
def test_a_shorter_or_longer_file_is_not_intact(bundle: Path, tmp_path: Path, cut: int) -> None:
    other = tmp_path / "other.wacz"
    other.write_bytes(bundle.read_bytes()[:-cut])
    assert not verify(other).ok
    other.write_bytes(bundle.read_bytes() + b"\0" * cut)
    assert not verify(other).ok
    other.write_bytes(b"\0" * cut + bundle.read_bytes())
    assert not verify(other).ok


def remade(bundle: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Report:
    """A forger's bundle: members changed, the container written anew and canonical."""
    with zipfile.ZipFile(bundle) as source:
        members = {name: source.read(name) for name in source.namelist()}
    change(members)
    with zipfile.ZipFile(target, "w") as sink:
        for name, data in members.items():
            sink.writestr(wacz.entry(name), data)
    return verify(target)


def test_forgeries_with_a_clean_container(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "forged.wacz"
    other = make(tmp_path, price="390,00")
    with zipfile.ZipFile(other) as source:
        archive = source.read("archive/data.warc.gz")

    def drop(name: str) -> Callable[[dict[str, bytes]], None]:
        def edit(members: dict[str, bytes]) -> None:
            del members[name]

        return edit

    def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], None]:
        return lambda members: members.update({name: data})

    for part, change in (
        ("datapackage-digest.json", drop("datapackage-digest.json")),
        ("datapackage.json", drop("datapackage.json")),
        ("indexes/index.cdx.gz", drop("indexes/index.cdx.gz")),
        ("pages/pages.jsonl", drop("pages/pages.jsonl")),
        ("extra/surprise", put("extra/surprise", b"unlisted")),
        ("archive/data.warc.gz", put("archive/data.warc.gz", archive)),
        ("datapackage.json", put("datapackage.json", b"[]")),
    ):
        assert part in failed(remade(bundle, target, change)), part


def reseal(members: dict[str, bytes]) -> None:
    """Bring manifest and digest up to the members, as a careful forger would."""
    package = json.loads(members["datapackage.json"])
    for resource in package["resources"]:
        data = members.get(resource["path"], b"")
        resource["hash"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
        resource["bytes"] = len(data)
    members["datapackage.json"] = json.dumps(package).encode()
    digest = hashlib.sha256(members["datapackage.json"]).hexdigest()
    members["datapackage-digest.json"] = json.dumps(
        {"path": "datapackage.json", "hash": f"sha256:{digest}"}
    ).encode()


def test_forgeries_with_a_rebuilt_manifest(bundle: Path, tmp_path: Path) -> None:
    target = tmp_path / "forged.wacz"
    other = make(tmp_path, price="390,00")
    with zipfile.ZipFile(other) as source:
        archive = source.read("archive/data.warc.gz")

    def swap_archive(members: dict[str, bytes]) -> None:
        members["archive/data.warc.gz"] = archive
        reseal(members)

    def other_page(members: dict[str, bytes]) -> None:
        members["pages/pages.jsonl"] = members["pages/pages.jsonl"].replace(b"/item/7", b"/item/8")
        reseal(members)

    assert failed(remade(bundle, target, swap_archive)) == ["indexes/index.cdx.gz"]
    assert failed(remade(bundle, target, other_page)) == ["pages/pages.jsonl"]
    # A bundle remade as a whole is consistent: only its recorded SHA-256 gives it away.
    recorded = hashlib.sha256(bundle.read_bytes()).hexdigest()
    assert not verify(other, expected_sha256=recorded).ok


def test_hostile_archives(tmp_path: Path) -> None:
    for name in ("../outside", "/etc/passwd", "a\\b"):
        path = tmp_path / "hostile.wacz"
        with zipfile.ZipFile(path, "w") as sink:
            sink.writestr(zipfile.ZipInfo(name), b"x")
        with pytest.raises(Damaged, match="outside"):
            read_members(path)
        assert not verify(path).ok
    bomb = tmp_path / "bomb.wacz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as sink:
        sink.writestr("datapackage.json", b"\0" * (50 << 20))
    assert "stored" in verify(bomb).checks[0].detail
    nothing = tmp_path / "nothing.wacz"
    nothing.write_bytes(b"")
    assert not verify(nothing).ok
    twice = tmp_path / "twice.wacz"
    with zipfile.ZipFile(twice, "w") as sink:
        sink.writestr(wacz.entry("datapackage.json"), b"{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            sink.writestr(wacz.entry("datapackage.json"), b"{}")
    assert "twice" in verify(twice).checks[0].detail


def test_a_directory_that_lies_about_sizes(bundle: Path, tmp_path: Path) -> None:
    data = bytearray(bundle.read_bytes())
    place = data.index(b"PK\1\2")
    data[place + 20 : place + 28] = struct.pack("<LL", 0xFFFFFF00, 0xFFFFFF00)
    path = tmp_path / "lies.wacz"
    path.write_bytes(data)
    assert not verify(path).ok


def test_nothing_half_is_left_when_packing_fails(tmp_path: Path) -> None:
    make(tmp_path)
    target = tmp_path / "second.wacz"
    (tmp_path / "package" / "extra" / "unreadable").symlink_to(tmp_path)
    page = wacz.Page(uuid7(), URL, NOW, "Velaro", "Velaro")
    folder = tmp_path / "absent"
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system says
        wacz.pack(folder, target, pages=[page], software="t", created=NOW, title="t")
    assert not list(tmp_path.glob("second*"))
