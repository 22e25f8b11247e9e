"""Verifying a WACZ: what is well, every forgery that we could think of, and hostile files."""

from __future__ import annotations

import gzip
import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from evidence.packing import wacz, warc
from evidence.verifying import Report, container, verify
from evidence.verifying.checks import Damaged
from evidence.verifying.container import read_members
from evidence.verifying.indexes import _without_request
from evidence.verifying.keys import verify_signature
from evidence.verifying.warcs import read_archive
from evidence.verifying.work import Region, Work
from tests.evidence import bundles
from tests.evidence.bundles import Made, Members


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return bundles.make_wacz(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def dearer(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The same listing at another price, as somebody else captured it."""
    other = bundles.make_wacz(tmp_path_factory.mktemp("dearer"), price="390,00")
    return bundles.members_of(other.path)


def failed(report: Report) -> list[str]:
    return [check.part for check in report.checks if not check.ok]


def region(path: Path) -> Region:
    return Region(path, 0, path.stat().st_size)


def test_an_untouched_bundle_is_intact(made: Made, tmp_path: Path) -> None:
    report = verify(made.path)
    assert report.ok, failed(report)
    assert report.sha256 == made.sha256
    assert {c.part for c in report.checks} >= {
        "container", "datapackage.json", "datapackage-digest.json", "archive/data.warc.gz",
        "pages/pages.jsonl", "indexes/index.cdx.gz", "indexes/index.idx", "extra/capture.json",
    }  # fmt: skip
    assert all(check.proves for check in report.checks)
    assert json.dumps(report.to_dict())
    assert verify(made.path, expected_sha256=made.sha256.upper()).ok
    named = tmp_path / f"{made.sha256}.wacz"
    named.write_bytes(made.path.read_bytes())
    assert verify(named).ok
    misnamed = tmp_path / f"{'0' * 64}.wacz"
    misnamed.write_bytes(made.path.read_bytes())
    assert failed(verify(misnamed)) == [misnamed.name]


def test_who_signed_is_said(made: Made) -> None:
    key_id = made.signer.key_id

    def by(**known: Any) -> str:
        report = verify(made.path, **known)
        return next(c.by for c in report.checks if c.name == "signature")

    assert by() == f"key {key_id}"
    assert by(known={}) == f"key {key_id} (unknown key)"
    ours = {key_id: "key of this installation"}
    assert by(known=ours) == f"key {key_id} (key of this installation)"
    assert by(key=key_id) == f"key {key_id} (the one that was asked for)"
    assert verify(made.path, key=frozenset({key_id, "0" * 64})).ok
    assert failed(verify(made.path, key="0" * 64)) == ["datapackage-digest.json"]


@pytest.mark.parametrize("cut", [1, 22, 100, 1000])
def test_a_shorter_or_longer_file_is_not_intact(made: Made, tmp_path: Path, cut: int) -> None:
    other, original = tmp_path / "other.wacz", made.path.read_bytes()
    for data in (original[:-cut], original + b"\0" * cut, b"\0" * cut + original):
        other.write_bytes(data)
        assert not verify(other).ok


# Forgeries. The forger writes the container as we do, and brings up to date what he can.


def drop(name: str) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        del members[name]

    return edit


def put(name: str, data: bytes) -> Callable[[Members], None]:
    return lambda members: members.update({name: data})


def test_forgeries_that_leave_the_manifest(made: Made, dearer: Members, tmp_path: Path) -> None:
    for part, change in (
        ("datapackage-digest.json", drop("datapackage-digest.json")),
        ("datapackage.json", drop("datapackage.json")),
        ("indexes/index.cdx.gz", drop("indexes/index.cdx.gz")),
        ("indexes/index.idx", drop("indexes/index.idx")),
        ("pages/pages.jsonl", drop("pages/pages.jsonl")),
        ("extra/surprise", put("extra/surprise", b"unlisted")),
        ("surprise", put("surprise", b"unlisted")),
        ("extra/more.json", put("extra/more.json", b"{}")),
        ("archive/data.warc.gz", put("archive/data.warc.gz", dearer["archive/data.warc.gz"])),
        ("datapackage-digest.json", put("datapackage.json", b"[]")),
    ):
        assert part in failed(verify(bundles.remake(made.path, tmp_path / "f.wacz", change))), part


def swap_price(dearer: Members) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        for name in ("archive/data.warc.gz", "indexes/index.cdx.gz", "indexes/index.idx"):
            members[name] = dearer[name]
        bundles.reseal(members)

    return edit


def test_a_changed_price(made: Made, dearer: Members, tmp_path: Path) -> None:
    target = tmp_path / "forged.wacz"
    changed = swap_price(dearer)

    def digest_dropped(members: Members) -> None:
        changed(members)
        del members["datapackage-digest.json"]

    def signature_dropped(members: Members) -> None:
        changed(members)
        digest = json.loads(members["datapackage-digest.json"])
        del digest["signedData"]
        members["datapackage-digest.json"] = json.dumps(digest).encode()

    def hash_of_signature_too(members: Members) -> None:
        changed(members)
        digest = json.loads(members["datapackage-digest.json"])
        digest["signedData"]["hash"] = digest["hash"]
        members["datapackage-digest.json"] = json.dumps(digest).encode()

    def own_key(members: Members) -> None:
        changed(members)
        bundles.reseal(members, bundles.new_signer())

    for change in (changed, digest_dropped, signature_dropped, hash_of_signature_too):
        report = verify(bundles.remake(made.path, target, change))
        assert failed(report) == ["datapackage-digest.json"], change
    # With a key of the forger's own all fits, and only whose key it is gives him away.
    forged = bundles.remake(made.path, target, own_key)
    assert verify(forged).ok
    assert failed(verify(forged, key=made.signer.key_id)) == ["datapackage-digest.json"]
    assert failed(verify(forged, expected_sha256=made.sha256)) == ["forged.wacz"]


def signed(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    """A change of the digest file."""

    def edit(members: Members) -> None:
        digest = json.loads(members["datapackage-digest.json"])
        change(digest)
        members["datapackage-digest.json"] = json.dumps(digest).encode()

    return edit


def test_signatures_that_are_not_of_this_manifest(
    made: Made, dearer: Members, tmp_path: Path
) -> None:
    theirs = json.loads(dearer["datapackage-digest.json"])["signedData"]
    changes: list[Callable[[dict[str, Any]], object]] = [
        lambda d: d.update(signedData=theirs),
        lambda d: d["signedData"].update(hash=theirs["hash"]),
        lambda d: d["signedData"].update(signature=theirs["signature"]),
        lambda d: d["signedData"].update(publicKey=theirs["publicKey"]),
        lambda d: d["signedData"].update(signature=""),
        lambda d: d["signedData"].update(publicKey="AAAA"),
        lambda d: d["signedData"].update(created="2020-01-01T00:00:00Z"),
        lambda d: d["signedData"].update(software="other"),
        lambda d: d["signedData"].update(domain="court.example"),
        lambda d: d["signedData"].update(version="9"),
        lambda d: d.update(hash=theirs["hash"]),
        lambda d: d.update(signedData=None),
        lambda d: d.update(more=1),
    ]
    for number, change in enumerate(changes):
        target = bundles.remake(made.path, tmp_path / "forged.wacz", signed(change))
        assert failed(verify(target)) == ["datapackage-digest.json"], number


def test_parts_that_do_not_fit_each_other(made: Made, dearer: Members, tmp_path: Path) -> None:
    """By somebody who has the key: then it is what the parts say that must agree."""
    target = tmp_path / "forged.wacz"

    def sealed_with(part: str, data: bytes) -> Report:
        def edit(members: Members) -> None:
            members[part] = data
            bundles.reseal(members, made.signer)

        return verify(bundles.remake(made.path, target, edit))

    mine = bundles.members_of(made.path)
    pages = mine["pages/pages.jsonl"]
    index = gzip.decompress(mine["indexes/index.cdx.gz"])
    other_index = gzip.compress(index.replace(b'"200"', b'"404"'), mtime=0)
    for part, data, names in (
        ("archive/data.warc.gz", dearer["archive/data.warc.gz"], "indexes/index.cdx.gz"),
        ("pages/pages.jsonl", pages.replace(b"/item/7", b"/item/8"), "pages/pages.jsonl"),
        ("pages/pages.jsonl", pages.splitlines(keepends=True)[0], "pages/pages.jsonl"),
        ("pages/pages.jsonl", b"\xff", "pages/pages.jsonl"),
        ("indexes/index.cdx.gz", other_index, "indexes/index.idx"),
        ("indexes/index.cdx.gz", b"", "indexes/index.idx"),
        ("indexes/index.idx", b"", "indexes/index.idx"),
        ("archive/data.warc.gz", b"", "archive/data.warc.gz"),
        ("archive/data.warc.gz", mine["archive/data.warc.gz"][:-1], "archive/data.warc.gz"),
    ):
        assert failed(sealed_with(part, data)) == [names], (part, data[:20])
    assert failed(sealed_with("extra/capture.json", b"changed")) == []


def test_a_manifest_with_a_name_twice(made: Made, tmp_path: Path) -> None:
    """Of which one reader takes the first value and another the last."""

    def edit(members: Members) -> None:
        raw = members["datapackage.json"]
        members["datapackage.json"] = raw.replace(b"{", b'{"title": "other",', 1)
        package = members["datapackage.json"]
        members["datapackage-digest.json"] = wacz._signed(
            package, made.signer, software="test", created="2026-11-01T12:00:00.000000Z"
        )

    assert failed(verify(bundles.remake(made.path, tmp_path / "f.wacz", edit))) == [
        "datapackage.json"
    ]


# Hostile files


def test_hostile_names(tmp_path: Path) -> None:
    path = tmp_path / "hostile.wacz"
    for name in ("../outside", "/etc/passwd", "a\\b", "a/../b", "C:x", "a//b", "./a", "a/", "a\nb"):
        with zipfile.ZipFile(path, "w") as sink:
            sink.writestr(wacz.entry(name), b"x")
        with pytest.raises(Damaged, match="outside"):
            read_members(region(path))
        assert not verify(path).ok
    for names in (("same", "same"), ("Same", "same")):
        with zipfile.ZipFile(path, "w") as sink, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names:
                sink.writestr(wacz.entry(name), b"{}")
        assert "twice" in verify(path).checks[0].detail
    link = zipfile.ZipInfo("link", date_time=wacz.ZIP_EPOCH)
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(path, "w") as sink:
        sink.writestr(link, b"/etc/passwd")
    assert "symbolic link" in verify(path).checks[0].detail
    assert list(tmp_path.iterdir()) == [path]


def test_bombs(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "bomb.wacz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as sink:
        sink.writestr("datapackage.json", b"\0" * (50 << 20))
    assert "stored" in verify(path).checks[0].detail
    path.write_bytes(b"")
    assert not verify(path).ok
    huge = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFE, 0xFFFE, 0xFFFFFFF0, 0xFFFFFFF0, 0)
    path.write_bytes(huge)
    assert not verify(path).ok

    def deep(members: Members) -> None:
        members["datapackage-digest.json"] = b"[" * 1_000_000

    assert failed(verify(bundles.remake(made.path, path, deep))) == ["datapackage-digest.json"]

    def index(members: Members) -> None:
        block = gzip.compress(b"\0" * (70 << 20), 9)
        place = {
            "offset": 0, "length": len(block), "digest": f"sha256:{bundles.sha256(block)}",
            "filename": "index.cdx.gz",
        }  # fmt: skip
        head = members["indexes/index.idx"].splitlines(keepends=True)[0]
        members["indexes/index.idx"] = head + f"\0 {json.dumps(place)}\n".encode()
        members["indexes/index.cdx.gz"] = block
        bundles.reseal(members, made.signer)

    assert failed(verify(bundles.remake(made.path, path, index))) == ["indexes/index.cdx.gz"]


def test_an_archive_that_unpacks_without_end(tmp_path: Path) -> None:
    head = b"WARC/1.1\r\nWARC-Type: resource\r\nContent-Length: 90000000\r\n\r\n"
    archive = tmp_path / "a.warc.gz"
    archive.write_bytes(gzip.compress(head + b"\0" * 90_000_000, 9))
    work = Work(0)
    work._left = 8 << 20  # the real bound is some gigabytes
    with pytest.raises(Damaged, match="unpacks to more"):
        read_archive("a", region(archive), work, [], 1 << 20)
    archive.write_bytes(gzip.compress(b"WARC/1.1\r\n" + b"x" * (40 << 20), 9))
    with pytest.raises(Damaged, match="no end"):
        read_archive("a", region(archive), Work(0), [], 1 << 20)


def _record(
    kind: str = "resource", block: bytes = b"abc", fields: Mapping[str, str] | None = None
) -> bytes:
    lines = {
        "WARC-Type": kind, "Content-Length": str(len(block)), "Content-Type": "text/plain",
        "WARC-Block-Digest": f"sha256:{bundles.sha256(block)}", **(fields or {}),
    }  # fmt: skip
    head = "WARC/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items())
    return head.encode() + b"\r\n" + block + b"\r\n\r\n"


def test_records_that_are_not_what_they_say(tmp_path: Path) -> None:
    archive = tmp_path / "a.warc.gz"

    def read(*members: bytes) -> int:
        archive.write_bytes(b"".join(members))
        return read_archive("a", region(archive), Work(0), [], 1 << 20).records

    well = gzip.compress(_record())
    assert read(well, well) == 2
    for data, why in (
        (_record()[:-1], "not as long"),
        (_record() + b"more", "not as long"),
        (_record(fields={"content-length": "3"}), "cannot be read"),
        (_record(fields={"Content-Length": "-3"}), "how long"),
        (_record(fields={"WARC-Block-Digest": "sha256:" + "0" * 64}), "not what its digest"),
        (_record(fields={"WARC-Payload-Digest": "sha256:" + "0" * 64}), "payload"),
        (_record(fields={"WARC-Payload-Digest": "sha1:AAAA"}), "payload"),
        (_record("strange"), "no type"),
        (_record("response", fields={"Content-Type": "application/http"}), "not as long"),
        (_record("revisit", fields={"WARC-Payload-Digest": "sha256:" + "0" * 64}), "revisit"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no WARC record"),
    ):
        with pytest.raises(Damaged, match=why):
            read(well, gzip.compress(data))
    for packed in (well[:-1], well + b"\0", b"\0" + well, zlib.compress(_record())):
        with pytest.raises(Damaged):
            read(packed)


def test_an_archive_in_stretches(tmp_path: Path) -> None:
    """Read side by side, it is the same as from end to end, wherever it is cut."""
    archive = tmp_path / "a.warc.gz"
    bodies = [bytes([n]) * 3_000 for n in range(40)]
    members = [gzip.compress(_record(block=body)) for body in bodies]
    archive.write_bytes(b"".join(members))
    starts = [sum(map(len, members[:n])) for n in range(len(members))]
    whole = read_archive("a", region(archive), Work(0), [], 1 << 20)
    for cuts in ([starts[20]], [starts[10], starts[30]], [starts[7] + 1], [5, 6], starts[1:]):
        tally = read_archive("a", region(archive), Work(0), cuts, 1 << 20)
        assert (
            (tally.records, tally.end)
            == (whole.records, whole.end)
            == (40, starts[-1] + len(members[-1]))
        )


def test_a_directory_that_lies_about_sizes(made: Made, tmp_path: Path) -> None:
    data = bytearray(made.path.read_bytes())
    place = data.index(b"PK\1\2")
    data[place + 20 : place + 28] = struct.pack("<LL", 0xFFFFFF00, 0xFFFFFF00)
    path = tmp_path / "lies.wacz"
    path.write_bytes(data)
    assert not verify(path).ok


def test_zip64_as_the_library_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its limits lowered, so that small members count as large."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    monkeypatch.setattr(container, "ZIP64_LIMIT", 1000)
    monkeypatch.setattr(container, "ZIP64_MEMBERS", 5)
    path = tmp_path / "z.zip"
    for sizes in ([10], [10] * 6, [10, 2000, 10], [1000, 1001]):
        with zipfile.ZipFile(path, "w") as sink:
            for number, size in enumerate(sizes):
                info = wacz.entry(f"m{number}")
                with sink.open(info, "w", force_zip64=size > 1000) as member:
                    member.write(bytes(size))
        members = read_members(region(path))
        assert [m.region.size for m in members] == sizes
        data = path.read_bytes()
        spans = [range(m.region.offset, m.region.offset + m.region.size) for m in members]
        for place in range(len(data)):
            if any(place in span for span in spans):
                continue
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(Damaged):
                read_members(region(path))


def test_more_members_than_zip_can_count(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as sink:
        for number in range(65_537):
            sink.writestr(wacz.entry(f"data/{number}"), b"")
    assert len(read_members(region(path))) == 65_537


def test_what_is_no_bundle(tmp_path: Path) -> None:
    assert not verify(tmp_path / "absent.wacz").ok
    assert not verify(tmp_path).ok
    (tmp_path / "x.wacz").write_bytes(b"PK")
    assert not verify(tmp_path).ok
    (tmp_path / "x.wacz").unlink()
    (tmp_path / "x.wacz").symlink_to("/etc/passwd")
    assert failed(verify(tmp_path)) == ["x.wacz"]


def test_nothing_half_is_left_when_packing_fails(tmp_path: Path) -> None:
    target = tmp_path / "second.wacz"
    page = wacz.Page(uuid7(), bundles.URL, bundles.NOW, "Velaro", "Velaro")
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system says
        wacz.pack(
            tmp_path / "absent", target, pages=[page], software="t", created=bundles.NOW,
            title="t", signer=bundles.new_signer(),
        )  # fmt: skip
    assert not list(tmp_path.glob("second*"))


def test_the_index_is_what_the_writer_of_archives_gives(tmp_path: Path) -> None:
    """Two readers of WARC, the writer's and ours, on heads of every kind."""
    from evidence.verifying.indexes import _line

    head = b"HTTP/1.1 %s\r\n%s\r\n"
    archive = tmp_path / "data.warc.gz"
    with archive.open("wb") as stream:
        for number, (status, fields) in enumerate(
            (
                (b"200 OK", b"Content-Type: text/html; charset=utf-8\r\n"),
                (b"204", b""),
                (b"404 Not  Found", b"content-type:image/png \r\nContent-Type: other\r\n"),
                (b"200 ", b"X: y\r\nCONTENT-TYPE:   text/css ; x\r\n"),
                (b"301 Moved", b"Content-Type\r\nLocation: /\r\n"),
            )
        ):
            fields_of = {
                "WARC-Target-URI": f"https://Shop.example:8443/Ä/{number}?q=%20#x",
                "WARC-Date": "2026-11-01T12:00:00.000000Z",
                "WARC-Payload-Digest": f"sha256:{bundles.sha256(b'body')}",
                "Content-Type": "application/http; msgtype=response",
            }
            block = head % (status, fields) + b"body"
            stream.write(gzip.compress(_record("response", block, fields_of)))
    tally = read_archive("a", region(archive), Work(0), [], 1 << 20)
    with archive.open("rb") as stream:
        theirs = list(warc.cdxj_lines(io.BytesIO(stream.read()), "data.warc.gz"))
    assert [_line(record, "archive/data.warc.gz") for record in tally.found] == theirs


def test_no_byte_of_a_key_is_free_to_change() -> None:
    """A point on the curve can be written in a hybrid form, which libraries read as well."""
    signer = bundles.new_signer()
    signature = signer.sign(b"x")
    verify_signature("part", signer.public_key, signature, b"x")
    for place in range(len(signer.public_key)):
        for bit in (1, 2, 3, 4, 0x80):
            changed = bytearray(signer.public_key)
            changed[place] ^= bit
            with pytest.raises(Damaged):
                verify_signature("part", bytes(changed), signature, b"x")


def test_a_line_of_the_index_may_speak_of_its_request_under_the_right_key_only() -> None:
    entry = '{"url": "https://www.shop.example/ask?b=1", "status": "200"'
    said = ', "method": "POST", "requestBody": "a=2"}'
    plain = f"example,shop)/ask?b=1 20261101120000 {entry}}}"
    line = f"example,shop)/ask?__wb_method=post&a=2&b=1 20261101120000 {entry}{said}"
    assert _without_request(plain) == plain
    assert _without_request(line) == plain
    for wrong in (
        line.replace("a=2&b=1", "a=3&b=1"),
        line.replace('"a=2"', '"a=3"'),
        line.replace('"a=2"', "7"),
        line.replace(', "method": "POST"', ""),
    ):
        with pytest.raises(Damaged):
            _without_request(wrong)
