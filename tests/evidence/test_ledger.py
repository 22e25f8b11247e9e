"""The custody ledger: appended by many at once, signed, proved, and tampered with."""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from sqlalchemy import select

from evidence.custody import checkpoints, ledger, merkle
from evidence.custody.audit import audit
from evidence.signing.signer import key_folder, open_signer, public_keys
from evidence.verifying import Check
from registry import jobs
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Checkpoint, Job, LedgerEntry, Stamp
from registry.models.base import utcnow
from registry.settings import Settings
from tests.evidence.appending import CASE, append_many
from workers.runner import WorkerProcess

#: For what no database has a part in.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CAPTURE = "capture:00000000-0000-7000-8000-000000000002"


def append(database: Database, number: int = 1, **values: Any) -> None:
    with database.writing() as session:
        for _ in range(number):
            ledger.record(session, **{"event": "viewed", "subject": CASE, "actor": "Ada", **values})


def sign(database: Database, settings: Settings) -> Checkpoint | None:
    with database.writing() as session:
        return ledger.checkpoint(session, open_signer(settings))


def check(database: Database, settings: Settings, *against: tuple[str, str]) -> dict[str, Check]:
    with database.reading() as session:
        checks = audit(session, public_keys(settings), against=against)
    return {found.name: found for found in checks}


def failing(checks: dict[str, Check]) -> set[str]:
    return {name for name, found in checks.items() if not found.ok}


# Entries


def test_an_entry_is_written_as_documented(database: Database) -> None:
    there = datetime(2026, 3, 1, 12, 30, tzinfo=timezone(timedelta(hours=8)))
    with database.writing() as session:
        first = ledger.record(
            session,
            event="parcel_received",
            subject=CAPTURE,
            actor="  Ada \n Lovelace",
            details={"place": "北京", "z": 1, "a": [True, None]},
            occurred_at=there,
        )
        second = ledger.record(session, event="viewed", subject=CASE, actor="Bob")
    recorded = first.recorded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert first.leaf == (
        '{"actor":"Ada Lovelace","details":{"a":[true,null],"place":"北京","z":1},'
        '"event":"parcel_received","occurred_at":"2026-03-01T04:30:00.000000Z",'
        f'"recorded_at":"{recorded}","seq":0,"subject":"{CAPTURE}","v":1}}'
    )
    assert first.leaf_hash == hashlib.sha256(b"\0" + first.leaf.encode()).hexdigest()
    said = json.loads(second.leaf)
    assert (said["seq"], said["occurred_at"]) == (1, said["recorded_at"])
    with database.reading() as session:
        rows = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
    assert [(r.seq, r.actor, r.leaf) for r in rows] == [
        (0, "Ada Lovelace", first.leaf),
        (1, "Bob", second.leaf),
    ]


def test_what_a_page_says_does_no_harm(database: Database, settings: Settings) -> None:
    hostile = {"url": 'a\x00b\n\ud800"}\u2028', "n": 10**400, "deep": [[[[{}]]]]}
    append(database, details=hostile)
    sign(database, settings)
    assert failing(check(database, settings)) == set()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"event": "forgotten"}, ValueError),
        ({"subject": "case:1"}, ValueError),
        ({"subject": f"{CASE} or 1=1"}, ValueError),
        ({"details": {"x": float("nan")}}, ValueError),
        ({"details": {"x": object()}}, TypeError),
        ({"actor": " "}, TouchstoneError),
        ({"actor": "A\x00da"}, TouchstoneError),
        ({"occurred_at": datetime(2026, 1, 1)}, TouchstoneError),
    ],
)
def test_what_is_no_entry_is_refused(
    sqlite_url: str, wrong: dict[str, Any], error: type[Exception]
) -> None:
    database = Database(sqlite_url)
    database.migrate()
    with pytest.raises(error):
        append(database, **wrong)
    database.close()


def test_an_entry_lives_and_dies_with_its_transaction(database: Database) -> None:
    append(database)

    def fact_that_fails() -> None:
        with database.writing() as session:
            ledger.record(session, event="viewed", subject=CASE, actor="Ada")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fact_that_fails()
    append(database)
    with database.reading() as session:
        assert session.scalars(select(LedgerEntry.seq).order_by(LedgerEntry.seq)).all() == [0, 1]


def test_many_append_at_once(database: Database, database_url: str, settings: Settings) -> None:
    processes, turns = 4, 6
    spawn = multiprocessing.get_context("spawn")
    workers = [
        spawn.Process(target=append_many, args=(database_url, f"p{number}", turns))
        for number in range(processes)
    ]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        sign(database, settings)
        assert failing(check(database, settings)) == set(), "no false alarm in the midst of it"
        workers[0].join(0.2)
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    sign(database, settings)
    kept = [turn for turn in range(turns) if turn % 5 != 4]
    with database.reading() as session:
        entries = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
    assert [entry.seq for entry in entries] == list(range(len(entries)))
    written = sorted(
        (e.actor, json.loads(e.leaf)["details"]["turn"], json.loads(e.leaf)["details"]["part"])
        for e in entries
    )
    assert written == sorted(
        (f"p{number}-{thread}", turn, part)
        for number in range(processes)
        for thread in range(2)
        for turn in kept
        for part in range(1 + turn % 2)
    )
    assert failing(check(database, settings)) == set()


# Checkpoints


@on_sqlite
def test_a_checkpoint_can_be_checked_by_hand(database: Database, settings: Settings) -> None:
    assert sign(database, settings) is None, "an empty ledger is not signed"
    append(database, 5)
    made = sign(database, settings)
    assert made is not None
    assert sign(database, settings) is None, "nothing is new"

    with database.reading() as session:
        leaves = session.scalars(select(LedgerEntry.leaf).order_by(LedgerEntry.seq)).all()
    body, _, signature = made.note.rpartition("\n\n")
    hashed = [hashlib.sha256(b"\0" + leaf.encode()).digest() for leaf in leaves]
    a, b, c, d, e = hashed

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\1" + left + right).digest()

    root = node(node(node(a, b), node(c, d)), e)
    origin = f"touchstone-ledger-{a.hex()[:16]}"
    assert body == f"{origin}\n5\n{base64.b64encode(root).decode()}"
    assert (made.size, made.root) == (5, root.hex())
    dash, name, sealed = signature.removesuffix("\n").split(" ")
    assert (dash, name) == ("\N{EM DASH}", origin)
    raw = base64.b64decode(sealed)
    spki = public_keys(settings)[made.key_id]
    assert raw[:4] == hashlib.sha256(spki).digest()[:4]
    key = serialization.load_der_public_key(spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(raw[4:52], "big"), int.from_bytes(raw[52:], "big")
    key.verify(encode_dss_signature(r, s), f"{body}\n".encode(), ec.ECDSA(hashes.SHA256()))


@on_sqlite
def test_proofs_lead_to_the_checkpoints(database: Database, settings: Settings) -> None:
    made = []
    for number in (3, 4, 6):
        append(database, number)
        made.append(sign(database, settings))
    roots = {row.size: bytes.fromhex(row.root) for row in made if row is not None}
    assert sorted(roots) == [3, 7, 13]
    with database.reading() as session:
        for size, root in roots.items():
            for seq in range(size):
                entry = session.get_one(LedgerEntry, seq)
                proof = ledger.inclusion_proof(session, seq, size)
                leaf = bytes.fromhex(entry.leaf_hash)
                assert merkle.verify_inclusion(leaf, seq, size, proof, root)
        for old, new in ((3, 7), (7, 13), (3, 13)):
            proof = ledger.consistency_proof(session, old, new)
            assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.replace("\n2\n", "\n02\n"),
        lambda note: note.replace("\n2\n", "\n２\n"),
        lambda note: note.replace("\n2\n", "\n0\n"),
        lambda note: note.replace("\n2\n", "\n-2\n"),
        lambda note: note[:-1],
        lambda note: note + "\n",
        lambda note: note.replace("\n", "\r\n"),
        lambda note: note.replace("touchstone-ledger", "other-ledger"),
        lambda note: note.replace("\N{EM DASH} ", "- "),
        lambda note: "",
        lambda note: "\n" * 5,
    ],
)
def test_a_note_is_read_in_one_form_only(spoil: Callable[[str], str]) -> None:
    origin = f"touchstone-ledger-{'0' * 16}"
    note = ledger.Note(origin, 2, bytes(32), b"hint", bytes(96))
    assert ledger.parse_note(str(note)) == note
    with pytest.raises(ledger.BadNote):
        ledger.parse_note(spoil(str(note)))


def test_a_checkpoint_is_made_when_it_is_due(
    database: Database, settings: Settings, blobs: Blobs
) -> None:
    settings = settings.model_copy(update={"timestamp_authorities": ("http://127.0.0.1:1/",)})

    def asked() -> int:
        with database.writing() as session:
            checkpoints.ask_when_due(session, settings)
        with database.reading() as session:
            wanted = select(Job.id).where(Job.kind == "checkpoint", Job.state == "queued")
            return len(session.scalars(wanted).all())

    def work() -> None:
        with database.writing() as session:
            job_id = session.scalars(
                select(Job.id).where(Job.kind == "checkpoint", Job.state == "queued")
            ).one()
            claim = jobs.claim(session, job_id, "worker", 60)
        assert claim is not None
        checkpoints.checkpoint_job(jobs.Hold(database, claim, 60), settings, blobs)

    assert asked() == 0, "nothing to sign"
    append(database, 3)
    askers = [threading.Thread(target=asked) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert asked() == 1
    work()
    append(database)
    assert asked() == 0, "the last one is new"
    with database.reading() as session:
        made = session.scalars(select(Checkpoint)).one()
        stamp = session.scalars(select(Stamp)).one()
    assert made.size == 3
    assert stamp.checkpoint_id == made.id
    assert (stamp.about, stamp.state) == ("checkpoint", "awaiting")
    assert stamp.digest == hashlib.sha256(made.note.encode()).hexdigest()

    settings = settings.model_copy(update={"checkpoint_minutes": 1e-9})
    assert asked() == 1
    work()
    assert asked() == 0, "nothing is new, however old the last one is"
    assert failing(check(database, settings)) == set()


@on_sqlite
def test_a_worker_makes_checkpoints(database: Database, settings: Settings, blobs: Blobs) -> None:
    append(database, 3)
    worker = WorkerProcess(settings, database, blobs)
    worker.start()
    made = None
    patience = threading.Event()
    for _ in range(600):
        with database.reading() as session:
            made = session.scalar(select(Checkpoint))
        if made is not None:
            break
        patience.wait(0.05)
    worker.stop()
    assert made is not None
    assert made.size == 3


@on_sqlite
def test_keys_may_be_rotated(database: Database, settings: Settings) -> None:
    append(database)
    first = sign(database, settings)
    key_folder(settings).rotate()
    append(database)
    second = sign(database, settings)
    assert first is not None
    assert second is not None
    assert first.key_id != second.key_id
    assert failing(check(database, settings, ("kept", first.note))) == set()


@on_sqlite
def test_old_times_keep_their_form(database: Database) -> None:
    append(database, occurred_at=datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC))
    with database.reading() as session:
        entry = session.scalars(select(LedgerEntry)).one()
    assert json.loads(entry.leaf)["occurred_at"] == "2019-01-02T03:04:05.000000Z"
    assert utcnow() - entry.recorded_at < timedelta(hours=1)
