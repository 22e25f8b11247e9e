"""The bag of a case: public tools accept it, the buyer is nowhere in it, it is whole or not."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import select

from evidence.custody import cases, ledger, retention
from evidence.custody.checkpoints import enter
from evidence.exhibits import paper, sealing
from evidence.exhibits.exhibit import Exported, export
from evidence.packing import wacz
from evidence.signing import timestamps
from evidence.signing.signer import open_signer
from evidence.verifying import container, verify
from evidence.verifying.work import Region
from registry.blobs import Blobs, open_blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Capture, Case, Exhibit, LedgerEntry
from registry.settings import Settings
from tests.evidence.authority import Authority, authority
from tests.evidence.matter import BUYER, REFERENCE, buyers, make_matter

SECRETS = [BUYER["name"], BUYER["line1"], BUYER["email"], BUYER["phone"]]


@dataclass(frozen=True)
class Given:
    """A case with a stamped ledger, and the bag of it."""

    database: Database
    blobs: Blobs
    settings: Settings
    authority: Authority
    exported: Exported
    folder: Path

    @property
    def bag(self) -> Path:
        """Where the bag was unpacked."""
        return self.folder / self.exported.name


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    folder = tmp_path_factory.mktemp("given")
    with authority(folder / "tsa") as tsa:
        settings = Settings(
            data_dir=folder / "data",
            operator="tester",
            timestamp_authorities=(tsa.url,),
            timestamp_roots=tsa.roots,
        )
        database = Database(settings.database)
        database.migrate()
        blobs = open_blobs(settings.evidence_store)
        matter = make_matter(database, blobs, settings)
        with database.writing() as session:
            capture = session.get_one(Capture, matter.listing_capture)
            for about, digest in (("package", capture.sha256), ("archive", capture.archive_sha256)):
                assert digest is not None
                timestamps.request(
                    session, digest=digest, about=about, settings=settings, capture_id=capture.id
                )
            drawn = ledger.draw(session, open_signer(settings))
            assert drawn is not None
            enter(session, drawn, settings)
        assert [stamp.state for stamp in timestamps.ask_awaiting(database, settings)] == [
            "stamped", "stamped", "stamped",
        ]  # fmt: skip
        letter = folder / "letter.txt"
        letter.write_text("a letter that must go")
        with database.writing() as session:
            stored = cases.store_file(blobs, letter)
            cases.add_file(session, blobs, REFERENCE, stored, actor="Grace Hopper")
        with database.writing() as session:
            row = session.scalars(select(Exhibit).where(Exhibit.number == 7)).one()
            retention.delete(session, row.id, actor="Grace Hopper", reason="court order 7 O 12/26")
        exported = export(
            database, blobs, settings, REFERENCE, folder / "case.zip",
            by="Ada Lovelace", reason="for the court", buyers=buyers(database),
        )  # fmt: skip
        with zipfile.ZipFile(exported.path) as packed:
            packed.extractall(folder / "unpacked")
        yield Given(database, blobs, settings, tsa, exported, folder / "unpacked")
        database.close()


def test_how_to_verify_is_true(given: Given) -> None:
    """Each command in HOW-TO-VERIFY.md works as it stands there, and says what it should."""
    text = (given.bag / "data" / "HOW-TO-VERIFY.md").read_text(encoding="utf-8")
    (given.folder / "roots.pem").write_bytes(given.authority.roots.read_bytes())
    blocks = re.findall(r"^```sh.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    script = "".join(blocks)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    try:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=given.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        (given.folder / "roots.pem").unlink()
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "is valid" in said  # bagit.py
    # Two captures and two checkpoints are signed; four stamps lead to the root.
    assert said.count("Verified OK") == 4
    assert said.count("Verification: OK") == 4
    assert "FAIL" not in said
    listed = (given.bag / "manifest-sha256.txt").read_text(encoding="utf-8")
    assert {line.partition("  ")[2] for line in listed.splitlines()} == {
        path.relative_to(given.bag).as_posix()
        for path in (given.bag / "data").rglob("*")
        if path.is_file()
    }


def test_our_own_verifier_finds_nothing_wrong(given: Given) -> None:
    key = open_signer(given.settings).key_id
    for path in (given.exported.path, given.bag):
        report = verify(path, key=key, roots=given.authority.roots.read_bytes())
        assert report.ok, [check for check in report.checks if not check.ok]
    assert verify(given.exported.path, expected_sha256=given.exported.sha256).ok
    assert given.exported.awaiting == 0
    proofs = json.loads((given.bag / "data/ledger/proofs.json").read_text())
    assert len(proofs["earlier"]) == 1
    assert list((given.bag / "data/certificates").iterdir())


def test_the_same_container_to_the_bit(given: Given, tmp_path: Path) -> None:
    """The members in their order give the file again: nothing in it is free."""
    members = container.read_members(Region(given.exported.path, 0, given.exported.size))
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(again, "w") as sink, zipfile.ZipFile(given.exported.path) as source:
        for member in members:
            sink.writestr(wacz.entry(member.name), source.read(member.name))
    assert again.read_bytes() == given.exported.path.read_bytes()


def inflated(data: bytes) -> Iterator[bytes]:
    """A file, and all that is packed in it, as deep as it goes."""
    yield data
    if data.startswith(b"PK\3\4"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from inflated(packed.read(name))
    elif data.startswith(b"\x1f\x8b"):
        yield from inflated(gzip.decompress(data))


def planted(path: Path) -> set[str]:
    """Which of the buyer's fields stand in a bag, in whatever way."""
    found = set()
    for data in inflated(path.read_bytes()):
        lower = data.lower()
        for secret in SECRETS:
            forms = (secret, quote(secret), json.dumps(secret)[1:-1], secret.replace("'", "&#39;"))
            if any(
                form.lower().encode(encoding) in lower
                for form in forms
                for encoding in ("utf-8", "utf-16-le", "utf-16-be")
            ):
                found.add(secret)
    return found


def test_the_buyer_is_nowhere_in_the_bag(given: Given) -> None:
    assert planted(given.exported.path) == set()
    assert not list(given.bag.rglob("*.key"))
    purchase = json.loads((given.bag / "data/exhibits/003-purchase.json").read_text())
    assert set(purchase["buyer"].values()) == {"[sealed]"}
    assert purchase["note"] == "ships to [sealed], [sealed]"
    assert purchase["order"]["number"] == "B-100017"
    report = (given.bag / "data/report.html").read_text(encoding="utf-8")
    # The pages of two listings and a parcel; none of the checkout, none of the label.
    assert report.count('class="lead"') == 3
    assert "sealed apart" in report


def test_what_is_sealed_opens_and_is_the_same(given: Given, tmp_path: Path) -> None:
    key_file = given.exported.key
    assert key_file is not None
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    key = sealing.read_key(key_file)
    opened = {
        one.number: one for one in sealing.open_bag(given.exported.path, key, tmp_path / "opened")
    }
    case = json.loads((given.bag / "data/case.json").read_text())
    by_number = {one["number"]: one for one in case["exhibits"]}
    assert set(opened) == {3, 4, 6}
    for number in (4, 6):
        assert opened[number].sha256 == by_number[number]["sha256"]
    assert opened[4].path.name == "004.wacz"
    assert verify(opened[4].path).ok
    assert BUYER["name"].encode() in opened[6].path.read_bytes()
    whole = json.loads(opened[3].path.read_text())
    redacted = json.loads((given.bag / "data/exhibits/003-purchase.json").read_text())
    assert whole["buyer"] == BUYER
    for name, salt in whole["salts"].items():
        value = whole["buyer"][name]
        assert sealing.commit(bytes.fromhex(salt), value) == redacted["commitments"][name]

    with pytest.raises(TouchstoneError, match="there already"):
        sealing.open_bag(given.exported.path, key, tmp_path / "opened")
    with pytest.raises(TouchstoneError, match="another bag's key"):
        sealing.open_bag(given.exported.path, sealing.new_key(), tmp_path / "wrong")
    assert not list((tmp_path / "wrong").iterdir())
    with pytest.raises(TouchstoneError, match="cannot be read"):
        sealing.open_bag(key_file, key, tmp_path / "none")


def test_what_was_deleted_is_listed_without_its_file(given: Given) -> None:
    case = json.loads((given.bag / "data/case.json").read_text())
    gone = next(one for one in case["exhibits"] if one["number"] == 7)
    assert gone["path"] is None
    assert gone["deleted_at"]
    assert len(gone["sha256"]) == 64
    assert given.exported.deleted == 1
    report = (given.bag / "data/report.html").read_text(encoding="utf-8")
    assert "Deleted exhibits" in report
    assert gone["sha256"] in report
    assert "court order 7 O 12/26" in report


def test_the_ledger_in_the_bag_tells_of_the_bag(given: Given) -> None:
    lines = (given.bag / "data/ledger/entries.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(json.loads(line)["leaf"]) for line in lines]
    last = entries[-1]
    assert last["event"] == "exported"
    assert last["actor"] == "Ada Lovelace"
    assert last["details"]["bag"] == given.exported.name
    assert [one["number"] for one in last["details"]["exhibits"]] == [1, 2, 3, 4, 5, 6]
    assert {entry["event"] for entry in entries} >= {
        "captured", "sealed", "stamped", "case_opened", "exhibit_added", "parcel_received",
        "handed_over", "deleted",
    }  # fmt: skip


def test_in_the_clear_if_somebody_says_so(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL, and with an authority that is away: its stamps are awaited."""
    monkeypatch.setattr(paper, "print_html", lambda *_a, **_o: b"%PDF-1.7\n")
    settings = Settings(
        data_dir=tmp_path / "data", database_url=postgres_url, operator="tester",
        timestamp_authorities=("http://127.0.0.1:9/",),
    )  # fmt: skip
    database = Database(settings.database)
    database.migrate()
    blobs = open_blobs(settings.evidence_store)
    make_matter(database, blobs, settings)
    done = export(
        database, blobs, settings, REFERENCE, tmp_path / "clear.zip", by="Ada Lovelace",
        buyers=buyers(database), include_sensitive=True,
    )  # fmt: skip
    database.close()
    assert done.key is None
    assert done.sealed == 0
    assert done.awaiting == 1
    assert set(SECRETS) == planted(done.path)
    assert verify(done.path).ok
    with zipfile.ZipFile(done.path) as packed:
        report = packed.read(f"{done.name}/data/report.html").decode()
        how = packed.read(f"{done.name}/data/HOW-TO-VERIFY.md").decode()
    assert "in the clear, by the decision of" in report
    assert "awaited since" in report
    assert "had not come" in how


# What goes wrong


@pytest.fixture
def small(database: Database, blobs: Blobs, settings: Settings, tmp_path: Path) -> Case:
    """A case of one file, on each kind of database."""
    path = tmp_path / "letter.txt"
    path.write_text("a letter")
    with database.writing() as session:
        case = cases.open_case(session, reference="C-1", title="A case", actor="Ada")
    stored = cases.store_file(blobs, path)
    with database.writing() as session:
        cases.add_file(session, blobs, "C-1", stored, actor="Ada")
    return case


def events(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(LedgerEntry.event).order_by(LedgerEntry.seq)))


def test_an_export_that_cannot_be_leaves_nothing(
    database: Database, blobs: Blobs, settings: Settings, small: Case, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def refused(match: str, reference: str = "C-1", name: str = "c.zip", by: str = "Ada") -> None:
        before = sorted(out.iterdir())
        with pytest.raises(TouchstoneError, match=match):
            export(database, blobs, settings, reference, out / name, by=by)
        assert sorted(out.iterdir()) == before
        assert events(database) == ["case_opened", "exhibit_added"]

    refused("no case 'C-2'", reference="C-2")
    refused("your name", by="  ")
    refused("is not a folder", name="nowhere/c.zip")
    (out / "there.zip").write_bytes(b"mine")
    refused("there already", name="there.zip")
    (out / "link.zip").symlink_to(tmp_path / "elsewhere")
    refused("there already", name="link.zip")
    with database.reading() as session:
        row = session.scalars(select(Exhibit)).one()
    blob = settings.data_dir / "evidence" / str(row.blob)
    original = blob.read_bytes()
    for changed in (b"A letter", original[:-1], original + b"!"):
        blob.chmod(0o644)
        blob.write_bytes(changed)
        refused(r"exhibit 1 \(letter.txt\): the stored file .* is not the one that was sealed")
    blob.unlink()
    refused("not in the evidence store")


def test_a_failure_after_the_ledger_knew_is_told_to_it(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    small: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: object, **_options: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(paper, "print_html", fail)
    with pytest.raises(OSError, match="No space"):
        export(
            database, blobs, settings, "C-1", tmp_path / "c.zip", by="Ada", buyers=buyers(database)
        )
    assert events(database)[-2:] == ["exported", "corrected"]
    assert not list(tmp_path.glob("*.key"))
    assert not list(tmp_path.glob(".*part"))
    assert not (tmp_path / "c.zip").exists()


def test_an_entry_that_names_the_buyer_is_withheld(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    small: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(paper, "print_html", lambda *_a, **_o: b"%PDF-1.7\n")
    with database.writing() as session:
        ledger.record(
            session, event="parcel_received", subject=f"case:{small.id}", actor=BUYER["name"]
        )
    done = export(
        database, blobs, settings, "C-1", tmp_path / "c.zip", by=BUYER["name"].upper(),
        reason=f"to {BUYER['email']}", personas=[BUYER],
    )  # fmt: skip
    assert planted(done.path) == set()
    assert verify(done.path).ok
    with zipfile.ZipFile(done.path) as packed:
        case = json.loads(packed.read(f"{done.name}/data/case.json"))
    assert case["withheld_entries"] == [2]
    assert case["exported"]["by"] == "[sealed]"
