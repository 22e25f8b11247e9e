"""Time stamps from a real authority, and from one that does everything wrong."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rfc3161_client import decode_timestamp_response
from sqlalchemy import select, update
from typer.testing import CliRunner

from console.cli.app import app
from console.cli.doctor import examine
from evidence.capturing.capture import Capture
from evidence.capturing.recorder import Sealed
from evidence.custody import checkpoints, ledger
from evidence.custody.audit import audit
from evidence.custody.keeping import enter, keep
from evidence.signing import authorities, timestamps
from evidence.signing.authorities import AuthorityFailed, ask
from evidence.signing.signer import open_signer, public_keys
from evidence.verifying import Check
from registry import jobs, models
from registry.blobs import Blobs
from registry.database import Database
from registry.models.base import utcnow
from registry.settings import Settings
from tests.evidence.authority import Authority, authority
from tests.evidence.test_signing import pack
from tests.purchases.conftest import flagged
from workers.runner import WorkerProcess

DIGEST = hashlib.sha256(b"data").hexdigest()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("authority")) as running:
        yield running


@pytest.fixture
def tsa(running: Authority) -> Iterator[Authority]:
    running.mode = "well"
    yield running
    running.mode = "well"


@pytest.fixture
def settings(settings: Settings, tsa: Authority) -> Settings:
    changes = {"timestamp_authorities": (tsa.url,), "timestamp_roots": tsa.roots}
    return settings.model_copy(update=changes)


def seal(database: Database, settings: Settings, blobs: Blobs, folder: Path) -> UUID:
    """A capture as a job keeps it, without the browser; its id."""
    signer = open_signer(settings)
    path = pack(folder, signer)
    screenshot = folder / "shot.png"
    screenshot.write_bytes(b"png")
    sealed = Sealed(
        path=path,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        archive_sha256=hashlib.sha256(b"an archive").hexdigest(),
        key_id=signer.key_id,
        screenshot=screenshot,
        exchanges=3,
        incomplete=1,
    )
    assessment_id = flagged(database)
    with database.reading() as session:
        listing = session.get_one(models.Assessment, assessment_id).snapshot.listing
    row = keep(Capture("complete", 200, listing.url, sealed), listing, settings, blobs)
    with database.writing() as session:
        enter(session, row, settings, actor="tester")
    return row.id


def work(database: Database, settings: Settings, blobs: Blobs) -> None:
    """Work off what is due, one after the other."""
    with database.reading() as session:
        due = jobs.awaiting_handover(session, ("stamp",))
    for job_id, _ in due:
        with database.writing() as session:
            claim = jobs.claim(session, job_id, "tester", 60)
        assert claim is not None
        timestamps.stamp_job(jobs.Hold(database, claim, 60), settings, blobs)


def stamps(database: Database) -> list[models.Stamp]:
    with database.reading() as session:
        return list(session.scalars(select(models.Stamp).order_by(models.Stamp.id)))


def waiting(database: Database) -> list[models.Job]:
    with database.reading() as session:
        return list(session.scalars(select(models.Job).where(models.Job.state != "done")))


def events(database: Database) -> list[dict[str, Any]]:
    with database.reading() as session:
        wanted = select(models.LedgerEntry.leaf).order_by(models.LedgerEntry.seq)
        return [json.loads(leaf) for leaf in session.scalars(wanted)]


def let_time_pass(database: Database) -> None:
    """Make everything due, and every failure old."""
    with database.writing() as session:
        session.execute(update(models.Job).values(available_at=utcnow()))
        long_ago = utcnow() - timedelta(hours=1)
        session.execute(update(models.Stamp).values(tried_at=long_ago))


def openssl_verifies(token: bytes, data: Path, tsa: Authority, folder: Path) -> bool:
    (folder / "token.tsr").write_bytes(token)
    done = subprocess.run(
        ["openssl", "ts", "-verify", "-data", data, "-in", folder / "token.tsr",
         "-CAfile", tsa.roots],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode == 0 and "Verification: OK" in done.stdout


def test_a_capture_is_sealed_and_stamped(
    database: Database, settings: Settings, blobs: Blobs, tsa: Authority, tmp_path: Path
) -> None:
    capture_id = seal(database, settings, blobs, tmp_path / "made")
    assert [(s.about, s.state) for s in stamps(database)] == [
        ("package", "awaiting"),
        ("archive", "awaiting"),
    ]
    work(database, settings, blobs)
    package, archive = stamps(database)
    assert package.token is not None
    assert archive.token is not None
    assert openssl_verifies(package.token, tmp_path / "made" / "bundle.wacz", tsa, tmp_path)
    warc = tmp_path / "made" / "parts" / "archive" / "data.warc.gz"
    assert openssl_verifies(archive.token, warc, tsa, tmp_path)
    assert not openssl_verifies(archive.token, tmp_path / "made" / "bundle.wacz", tsa, tmp_path)
    response = decode_timestamp_response(package.token)
    assert package.stamped_at == response.tst_info.gen_time.replace(tzinfo=UTC)
    assert len(response.signed_data.certificates) == 1
    told = events(database)
    assert [e["event"] for e in told] == ["captured", "sealed", "stamped", "stamped"]
    assert {e["subject"] for e in told} == {f"capture:{capture_id}"}
    assert told[1]["details"]["sha256"] == package.digest
    assert {e["details"]["token_sha256"] for e in told[2:]} == {
        hashlib.sha256(token).hexdigest() for token in (package.token, archive.token)
    }
    with database.reading() as session:
        row = session.get_one(models.Capture, capture_id)
        assert (row.exchanges, row.incomplete) == (3, 1)
        assert row.key_id == open_signer(settings).key_id


WRONG = {
    "broken": "HTTP 500",
    "redirect": "HTTP 307",
    "garbage": "no stamp",
    "nonce": "nonce",
    "other": "something else",
    "refuse": "refused",
    "endless": "larger than",
    "trickle": "no whole answer",
}


@pytest.mark.parametrize("mode", WRONG)
def test_an_authority_that_does_wrong(
    tsa: Authority, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorities, "ANSWER_SECONDS", 0.5 if mode == "trickle" else 60.0)
    tsa.mode = mode
    with pytest.raises(AuthorityFailed, match=WRONG[mode]):
        ask(tsa.url, DIGEST, tsa.roots)


def test_a_stamp_that_leads_to_another_root(tsa: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger")
    stranger.make()
    with pytest.raises(AuthorityFailed, match="no stamp"):
        ask(tsa.url, DIGEST, stranger.roots)
    with pytest.raises(AuthorityFailed, match="TOUCHSTONE_TIMESTAMP_ROOTS"):
        ask(tsa.url, DIGEST, tmp_path / "nowhere.pem")
    assert ask(tsa.url, DIGEST, None).at.tzinfo is not None


def test_a_signature_is_checked_without_roots_too(
    tsa: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forge(url: str, query: bytes) -> bytes:
        genuine = post(url, query)
        return genuine[:-1] + bytes([genuine[-1] ^ 1])  # the signature ends it

    post = authorities._post
    monkeypatch.setattr(authorities, "_post", forge)
    with pytest.raises(AuthorityFailed, match="no stamp"):
        ask(tsa.url, DIGEST, None)


def test_an_authority_that_is_not_there() -> None:
    with pytest.raises(AuthorityFailed, match="refused") as failed:
        ask("http://127.0.0.1:1/", DIGEST, None)
    assert failed.value.away


def test_a_response_changed_anywhere_raises_nothing_else(
    tsa: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parser in another language reads it: whatever it gets, it raises what we expect."""
    good = ask(tsa.url, DIGEST, tsa.roots)
    for place in range(len(good.response)):
        damaged = bytearray(good.response)
        damaged[place] ^= 1 << (place % 8)
        monkeypatch.setattr(authorities, "_post", lambda *_, sent=bytes(damaged): sent)
        with pytest.raises(AuthorityFailed):  # of an older request, if nothing else
            ask(tsa.url, DIGEST, tsa.roots)


def test_a_dead_authority_loses_nothing_and_stamps_when_it_is_back(
    database: Database, settings: Settings, blobs: Blobs, tsa: Authority, tmp_path: Path
) -> None:
    dead = "http://127.0.0.1:1/"
    both = settings.model_copy(
        update={"timestamp_authorities": (dead, tsa.url), "worker_threads": 1}
    )
    tsa.mode, asked = "broken", tsa.asked
    capture_id = seal(database, both, blobs, tmp_path / "made")
    # With a worker: it ends, though nothing is stamped.
    WorkerProcess(both, database, blobs, {"stamp": timestamps.stamp_job}).run_until_idle(
        lambda _states: None
    )
    first = stamps(database)
    assert len(first) == 4
    assert {s.state for s in first} == {"awaiting"}
    assert "HTTP 500" in {s.authority: s.error or "" for s in first if s.error}[tsa.url]
    with database.reading() as session:
        assert blobs.open(session.get_one(models.Capture, capture_id).blob).read(2) == b"PK"
    # Each has a job for later, and an authority that has failed is not asked by the next job.
    assert [(j.state, j.kind) for j in waiting(database)] == [("queued", "stamp")] * 4
    assert min(j.available_at for j in waiting(database)) > utcnow()
    assert tsa.asked == asked + 1

    tsa.mode = "well"
    let_time_pass(database)
    work(database, both, blobs)
    states = {(s.authority, s.about): s.state for s in stamps(database)}
    assert states == {
        (dead, "package"): "awaiting",
        (dead, "archive"): "awaiting",
        (tsa.url, "package"): "stamped",
        (tsa.url, "archive"): "stamped",
    }
    # What is not configured any longer is not asked for any longer.
    let_time_pass(database)
    work(database, settings, blobs)
    assert waiting(database) == []
    assert [e["event"] for e in events(database)].count("stamped") == 2


def test_the_pause_grows_up_to_a_quarter_of_an_hour(
    database: Database, settings: Settings, blobs: Blobs, tsa: Authority, tmp_path: Path
) -> None:
    tsa.mode = "broken"
    with database.writing() as session:
        timestamps.request(session, digest=DIGEST, about="checkpoint", settings=settings)
        # Asked for again: it is the same stamp.
        timestamps.request(session, digest=DIGEST, about="checkpoint", settings=settings)
    pauses = []
    for _ in range(7):
        before = utcnow()
        work(database, settings, blobs)
        (job,) = waiting(database)
        pauses.append((job.available_at - before) / timedelta(seconds=1))
        let_time_pass(database)
    bases = [60, 120, 240, 480, 900, 900, 900]
    for pause, base in zip(pauses, bases, strict=True):
        assert 0.75 * base <= pause <= 1.25 * base + 60
    tsa.mode = "well"
    work(database, settings, blobs)
    assert stamps(database)[0].state == "stamped"
    # A checkpoint's stamp is not in the ledger, or there would be no end to checkpoints.
    assert events(database) == []


def test_two_who_ask_at_once_keep_one_stamp(
    database: Database, settings: Settings, blobs: Blobs, tmp_path: Path
) -> None:
    seal(database, settings, blobs, tmp_path / "made")
    asking = timestamps.ask_awaiting(database, settings)
    next(asking)  # one is stamped here, before its job and the other's come to it
    work(database, settings, blobs)
    kept = [s.token for s in stamps(database)]
    assert [s.state for s in asking] == ["stamped"]
    assert [s.token for s in stamps(database)] == kept
    assert [e["event"] for e in events(database)].count("stamped") == 2


def test_the_command_line_shows_the_delay_and_asks_again(
    settings: Settings,
    database: Database,
    blobs: Blobs,
    tsa: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("data_dir", "database_url", "timestamp_roots"):
        monkeypatch.setenv(f"TOUCHSTONE_{name.upper()}", str(getattr(settings, name)))
    monkeypatch.setenv("TOUCHSTONE_TIMESTAMP_AUTHORITIES", tsa.url)

    def run(*arguments: str) -> tuple[int, Any]:
        said = CliRunner().invoke(app, [*arguments, "--json"])
        return said.exit_code, json.loads(said.stdout)

    tsa.mode = "broken"
    capture_id = seal(database, settings, blobs, tmp_path / "made")
    code, rows = run("evidence", "stamp")
    assert (code, [r["state"] for r in rows]) == (1, ["awaiting", "awaiting"])
    with database.writing() as session:
        hour_ago = utcnow() - timedelta(hours=1)
        session.execute(update(models.Capture).values(captured_at=hour_ago))
    _, (row,) = run("evidence", "list")
    assert [s["delay_seconds"] for s in row["stamps"]] == [None, None]
    assert "HTTP 500" in row["stamps"][0]["error"]
    tsa.mode = "well"
    assert run("evidence", "stamp")[0] == 0
    assert run("evidence", "stamp") == (0, [])
    _, (row,) = run("evidence", "list")
    assert row["id"] == str(capture_id)
    for stamp in row["stamps"]:
        assert (stamp["state"], stamp["authority"]) == ("stamped", tsa.url)
        assert stamp["delay_seconds"] >= 3599
        assert datetime.fromisoformat(stamp["stamped_at"]) > hour_ago
    assert CliRunner().invoke(app, ["evidence", "list"]).exit_code == 0


def test_the_doctor_tries_the_key_and_each_authority(tsa: Authority, tmp_path: Path) -> None:
    well = Settings(data_dir=tmp_path, timestamp_authorities=(tsa.url,), timestamp_roots=tsa.roots)
    found = {finding.part: finding for finding in examine(well)}
    assert (found["signing key"].ok, found["signing key"].remedy) == (False, "touchstone init")
    assert (found["time stamps"].ok, found["time stamps"].detail) == (True, f"{tsa.url} stamps")
    key_id = open_signer(well).key_id
    (tmp_path / "keys" / f"{key_id}.pem").chmod(0o644)
    ill = well.model_copy(update={"timestamp_authorities": (tsa.url, "http://127.0.0.1:1/")})
    found = {finding.part: finding for finding in examine(ill)}
    assert not found["signing key"].ok
    assert "chmod 600" in found["signing key"].detail
    assert not found["time stamps"].ok
    assert "http://127.0.0.1:1/: it cannot be asked" in found["time stamps"].detail
    assert "TOUCHSTONE_TIMESTAMP_AUTHORITIES" in found["time stamps"].remedy


def test_the_audit_of_the_ledger_checks_the_stamps_of_checkpoints(
    database: Database, settings: Settings, blobs: Blobs, tmp_path: Path
) -> None:
    seal(database, settings, blobs, tmp_path / "made")

    def said() -> Check:
        with database.reading() as session:
            found = audit(session, public_keys(settings))
        assert [check.name for check in found if not check.ok] in ([], ["stamps"])
        return next(check for check in found if check.name == "stamps")

    with database.writing() as session:
        drawn = ledger.draw(session, open_signer(settings))
        assert drawn is not None
        checkpoints.enter(session, drawn, settings)
    assert said().ok
    assert "1 are awaited" in said().detail
    work(database, settings, blobs)
    assert said().ok
    assert said().detail.startswith("1 stamps")
    # A good stamp, but of something else.
    other = next(stamp.token for stamp in stamps(database) if stamp.checkpoint_id is None)
    with database.writing() as session:
        session.execute(
            update(models.Stamp).where(models.Stamp.checkpoint_id.is_not(None)).values(token=other)
        )
    assert not said().ok
    assert "stamp of something else" in said().detail
