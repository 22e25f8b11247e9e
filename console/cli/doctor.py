"""`touchstone doctor`: is every part there, and if not, what to do."""

from __future__ import annotations

import hashlib
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import text

from evidence.signing.authorities import AuthorityFailed, ask
from evidence.signing.signer import key_folder, open_signer
from purchases import personas
from registry import alarms
from registry.blobs import open_blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.secrets import open_vault
from registry.settings import Settings

LEAST_FREE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part; `remedy` says what to do, where there is something."""

    part: str
    ok: bool
    detail: str
    remedy: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def examine(settings: Settings) -> list[Finding]:
    """Try every part for real: connect, write, launch."""
    return list(_run(settings))


def _run(settings: Settings) -> Iterator[Finding]:
    for part, check, remedy in _CHECKS:
        try:
            yield check(settings)
        except TouchstoneError as error:
            yield Finding(part, False, str(error), remedy)
        except Exception as error:  # a doctor must finish the round, whatever a part throws
            yield Finding(part, False, f"{type(error).__name__}: {error}", remedy)


def _python(_settings: Settings) -> Finding:
    ok = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding(
        "Python", ok, platform.python_version(), "" if ok else "Use Python 3.11, 3.12 or 3.13."
    )


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    if not folder.is_dir():
        return Finding("data directory", False, f"{folder} is not there", "touchstone init")
    free = shutil.disk_usage(folder).free
    enough = free >= LEAST_FREE_BYTES
    return Finding(
        "data directory",
        enough,
        f"{folder}, {free / 1e9:.1f} GB free",
        "" if enough else "Free some space, or set TOUCHSTONE_DATA_DIR to a larger disk.",
    )


def _database(settings: Settings) -> Finding:
    database = Database(settings.database)
    try:
        current, newest = database.revision(), database.newest_revision()
        if current != newest:
            detail = f"schema is {current or 'missing'}, this version wants {newest}"
            return Finding("database", False, detail, "touchstone init")
        with database.writing() as session:
            session.execute(text("CREATE TEMPORARY TABLE touchstone_doctor (x INTEGER)"))
            session.rollback()
        return Finding("database", True, f"{database.backend}, schema {current}, writable")
    finally:
        database.close()


def _broker(settings: Settings) -> Finding:
    from workers import broker

    return Finding("broker", True, broker.check(settings))


def _store(settings: Settings) -> Finding:
    open_blobs(settings.evidence_store).check()
    return Finding("evidence store", True, f"{settings.evidence_store}, writable")


def _browser(settings: Settings) -> Finding:
    from crawler.browsing.browser import launches

    return Finding("browser", True, launches(settings.browser))


def _signing_key(settings: Settings) -> Finding:
    # Looked for first: the doctor makes none.
    if settings.signer == "keys:" and key_folder(settings).current() is None:
        return Finding("signing key", False, "there is none", "touchstone init")
    signer = open_signer(settings)
    signer.sign(b"touchstone doctor")
    return Finding("signing key", True, f"{signer.key_id:.16}… ({settings.signer}) signs")


def _time_stamps(settings: Settings) -> Finding:
    if not settings.timestamp_authorities:
        detail = "no authority is configured; nothing but our own clock dates the evidence"
        return Finding("time stamps", True, detail)
    said, ok = [], True
    if settings.timestamp_roots is None:
        said.append("no roots: who made a stamp is not checked when it comes")
    probe = hashlib.sha256(b"touchstone doctor").hexdigest()
    for authority in settings.timestamp_authorities:
        try:
            ask(authority, probe, settings.timestamp_roots)
            said.append(f"{authority} stamps")
        except AuthorityFailed as failure:
            ok = False
            said.append(f"{authority}: {failure}")
    remedy = "" if ok else "Mend TOUCHSTONE_TIMESTAMP_AUTHORITIES or TOUCHSTONE_TIMESTAMP_ROOTS."
    return Finding("time stamps", ok, "; ".join(said), remedy)


def _private_hosts(settings: Settings) -> Finding:
    hosts = settings.allowed_private_hosts
    detail = ", ".join(hosts) if hosts else "none may be visited"
    return Finding("private hosts", True, detail)


def _picture_model(settings: Settings) -> Finding:
    from insight.embeddings import open_embedder

    embedder = open_embedder(settings)
    if embedder is None:
        return Finding("picture model", True, "none is set, and none is needed")
    detail = f"{settings.embedding_model}, {embedder.width} numbers, {embedder.version:.16}…"
    return Finding("picture model", True, detail)


def _buyers(settings: Settings) -> Finding:
    clear = settings.data_dir / "persona.yaml"
    if clear.exists():
        remedy = "touchstone persona add persona.yaml --buyer … --label …, then delete the file"
        return Finding("buyers", False, f"{clear} has a name and address in the clear", remedy)
    database = Database(settings.database)
    try:
        if database.revision() != database.newest_revision():  # the doctor makes none
            return Finding("buyers", False, "there is no database to look into", "touchstone init")
        with database.reading() as session:
            rows = [row for row in personas.everyone(session) if row.active]
        for row in rows:
            personas.unsealed(open_vault(settings), row)
    finally:
        database.close()
    if not rows:
        return Finding("buyers", True, "none yet: touchstone people add, touchstone persona add")
    return Finding("buyers", True, f"{len(rows)} personas can be opened")


def _alarms(settings: Settings) -> Finding:
    database = Database(settings.database)
    try:
        if database.revision() != database.newest_revision():
            return Finding("alarms", True, "none can be known before the database is there")
        with database.reading() as session:
            found = alarms.newest(session, closed=False, limit=1000)
            said = [f"{one.marketplace.name}: {one.seen}" for one in found]
            fresh = sum(one.acknowledged_at is None for one in found)
    finally:
        database.close()
    if not said:
        return Finding("alarms", True, "none is open")
    more = f"; and {len(said) - 5} more" if len(said) > 5 else ""
    detail = f"{len(said)} open: {'; '.join(said[:5])}{more}"
    return Finding("alarms", not fresh, detail, "touchstone alarms" if fresh else "")


#: Each part: its name, what tries it, and what to do where the error does not say it.
_CHECKS: tuple[tuple[str, Callable[[Settings], Finding], str], ...] = (
    ("Python", _python, "Use Python 3.11, 3.12 or 3.13."),
    ("data directory", _data_dir, "Mend its rights, or set TOUCHSTONE_DATA_DIR."),
    ("database", _database, "Start it or mend its address: TOUCHSTONE_DATABASE_URL."),
    ("broker", _broker, "Start it or mend its address: TOUCHSTONE_BROKER_URL."),
    (
        "evidence store",
        _store,
        "Mend its rights or its address: TOUCHSTONE_EVIDENCE_STORE_URL (for S3, the bucket, "
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL too).",
    ),
    ("browser", _browser, ""),  # what it raises says what to do
    ("signing key", _signing_key, ""),  # what it raises says what to do
    ("time stamps", _time_stamps, ""),
    ("private hosts", _private_hosts, "Mend TOUCHSTONE_ALLOWED_PRIVATE_HOSTS."),
    ("picture model", _picture_model, "Mend or unset TOUCHSTONE_EMBEDDING_MODEL."),
    ("buyers", _buyers, ""),
    ("alarms", _alarms, ""),
)
