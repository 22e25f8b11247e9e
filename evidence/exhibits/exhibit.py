"""The exhibit bag of a case: all of it, with what proves it, in one file for a court.

The layout stands in docs/exhibits.md; `evidence.verifying` checks each byte of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from crawler.browsing.browser import find_chromium
from evidence.capturing.circumstances import SOFTWARE
from evidence.custody import checkpoints, ledger
from evidence.exhibits import paper, proofs, sealing
from evidence.exhibits.bag import BagWriter
from evidence.exhibits.dossier import Dossier, Item, Redaction, collect, slug
from evidence.exhibits.proofs import moment, to_json
from evidence.exhibits.records import record_of
from evidence.exhibits.report import Documents, Export
from evidence.signing import timestamps
from evidence.signing.signer import open_signer, public_keys
from evidence.verifying import single_file
from registry.blobs import Blobs, read_chunks
from registry.database import Database
from registry.errors import TouchstoneError
from registry.models import Checkpoint
from registry.models.base import utcnow
from registry.settings import Settings

#: Called with what is being done, the bytes done of it, and the bytes that there are.
Progress = Callable[[str, int, int], None]

MAX_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Exported:
    """A bag that was written.

    Parameters
    ----------
    key
        Where the key of its sealed exhibits is; None if nothing is sealed.
    """

    path: Path
    name: str
    sha256: str
    size: int
    exhibits: int
    sealed: int
    deleted: int
    awaiting: int
    key: Path | None


def export(
    database: Database,
    blobs: Blobs,
    settings: Settings,
    reference: str,
    target: Path,
    *,
    by: str,
    reason: str = "",
    buyers: Mapping[UUID, Mapping[str, str]] | None = None,
    personas: Iterable[Mapping[str, str]] = (),
    include_sensitive: bool = False,
    progress: Progress = lambda doing, done, total: None,
) -> Exported:
    """Write a case's bag.

    Every file is hashed on its way into the bag and compared with what was written down when
    it was sealed. Once all are in, the export is entered in the ledger, so that the ledger in
    the bag tells of the bag; if anything fails after that, this is entered too.

    Parameters
    ----------
    target
        The ZIP file: it appears whole or not at all.
    by, reason
        Who exports, and why; in ledger and report.
    buyers
        The fields of the persona of each purchase, by its id.
    personas
        The fields of every persona there is: other entries may name them. Unless
        `include_sensitive`, no text in the bag shows any of these or those.
    include_sensitive
        Leave sensitive exhibits in the clear, and say so.

    Raises
    ------
    TouchstoneError
        If there is no such case, a file is missing or not the one that was sealed, the target
        is there already, or there is no browser to print the report with.
    OSError
        If the disk is full.
    """
    return _Export(
        database, blobs, settings, target,
        by=by, reason=reason, buyers=buyers or {}, personas=personas,
        include_sensitive=include_sensitive, progress=progress,
    ).run(reference)  # fmt: skip


class _Export:
    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        settings: Settings,
        target: Path,
        *,
        by: str,
        reason: str,
        buyers: Mapping[UUID, Mapping[str, str]],
        personas: Iterable[Mapping[str, str]],
        include_sensitive: bool,
        progress: Progress,
    ) -> None:
        self.database, self.blobs, self.settings = database, blobs, settings
        self.target = target.absolute()
        self.buyers = buyers
        self.progress = progress
        self.redaction = Redaction(() if include_sensitive else (*buyers.values(), *personas))
        name, why = " ".join(by.split()), " ".join(reason.split())
        if not name or len(name) > 200:
            raise TouchstoneError("an export is somebody's: give your name, up to 200 characters")
        if len(why) > MAX_REASON:
            raise TouchstoneError(f"the reason is longer than {MAX_REASON} characters")
        self.about = Export(
            by=self.redaction.text(name),
            at=utcnow(),
            reason=self.redaction.text(why),
            software=SOFTWARE,
            include_sensitive=include_sensitive,
        )
        self.key: bytes | None = None
        self.done = self.total = 0

    def run(self, reference: str) -> Exported:
        # What could be missing is asked for before anything is written.
        self.signer = open_signer(self.settings)
        chromium = find_chromium(self.settings.browser)
        with self.database.reading() as session:
            dossier = collect(
                session, reference, self.redaction,
                include_sensitive=self.about.include_sensitive,
            )  # fmt: skip
        name = f"{_folder(reference)}-{self.about.at:%Y%m%dT%H%M%SZ}"
        key_file = self.target.with_name(f"{name}.key")
        self.total = sum(item.size or 0 for item in dossier.items if item.path)
        with contextlib.ExitStack() as undo:
            bag = undo.enter_context(BagWriter(self.target, name))
            records = self._exhibits(bag, dossier)
            checkpoint = self._enter(dossier, name, undo)
            self.progress("asking for time stamps", self.total, self.total)
            for _ in timestamps.ask_awaiting(
                self.database, self.settings, checkpoint_id=checkpoint.id
            ):
                pass
            with self.database.reading() as session:
                there = proofs.write(
                    bag, session, dossier, checkpoint, self.redaction, public_keys(self.settings)
                )
            self.progress("printing the report", self.total, self.total)
            self._documents(bag, dossier, name, there, records, chromium)
            if self.key is not None:
                sealing.write_key(key_file, self.key)
                undo.callback(key_file.unlink, missing_ok=True)
            sha256 = bag.finish(self._info(dossier), self.signer)
            undo.pop_all()
        return Exported(
            path=self.target,
            name=name,
            sha256=sha256,
            size=self.target.stat().st_size,
            exhibits=sum(1 for item in dossier.items if item.path),
            sealed=sum(1 for item in dossier.items if item.sealed or item.sealed_part),
            deleted=sum(1 for item in dossier.items if item.deleted_at),
            awaiting=sum(1 for stamp in there.stamps if stamp.file is None),
            key=None if self.key is None else key_file,
        )

    # The exhibits

    def _exhibits(self, bag: BagWriter, dossier: Dossier) -> dict[int, dict[str, Any]]:
        """Write each exhibit's file; the purchase records as they are in the clear."""
        records = {}
        for item in dossier.items:
            if item.purchase is not None:
                records[item.number] = self._record(bag, item, dossier)
            elif item.path is not None:
                self._file(bag, item)
        return records

    def _file(self, bag: BagWriter, item: Item) -> None:
        assert item.path is not None
        assert item.blob is not None
        assert item.size is not None
        try:
            with self.blobs.open(item.blob) as stream:
                chunks = self._checked(read_chunks(stream), item)
                if item.sealed:
                    sealed = sealing.seal(chunks, self._sealing_key())
                    bag.add(item.path, sealed, sealing.sealed_size(item.size))
                else:
                    bag.add(item.path, chunks, item.size)
        except FileNotFoundError as error:
            raise TouchstoneError(
                f"{_named(item)}: its file {item.blob} is not in the evidence store: "
                "nothing was exported"
            ) from error

    def _checked(self, chunks: Iterator[bytes], item: Item) -> Iterator[bytes]:
        """The bytes of a stored file, as long as they are those that were sealed."""
        digest, size = hashlib.sha256(), 0
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            if size > (item.size or 0):
                break
            yield chunk
            self.done += len(chunk)
            self.progress(f"exhibit {item.number}", self.done, self.total)
        if size != item.size or digest.hexdigest() != item.sha256:
            raise TouchstoneError(
                f"{_named(item)}: the stored file {item.blob} is not the one that was sealed "
                f"(SHA-256 {item.sha256}, {item.size} bytes): nothing was exported"
            )

    def _record(self, bag: BagWriter, item: Item, dossier: Dossier) -> dict[str, Any]:
        assert item.path is not None
        assert item.purchase is not None
        made = record_of(
            item, dossier, self.buyers.get(item.purchase.id, {}), self.redaction,
            include_sensitive=self.about.include_sensitive,
        )  # fmt: skip
        data = to_json(made.clear)
        item.sha256, item.size = bag.add_bytes(item.path, data), len(data)
        if made.sealed is not None:
            whole = to_json(made.sealed)
            path = f"sealed/{item.number:03d}.bin"
            sealed = sealing.seal((whole,), self._sealing_key())
            bag.add(path, sealed, sealing.sealed_size(len(whole)))
            item.sealed_part = {
                "path": f"data/{path}",
                "sha256": hashlib.sha256(whole).hexdigest(),
                "size": len(whole),
                "media_type": "application/json",
            }
        return made.clear

    def _sealing_key(self) -> bytes:
        if self.key is None:
            self.key = sealing.new_key()
        return self.key

    # The ledger

    def _enter(self, dossier: Dossier, name: str, undo: contextlib.ExitStack) -> Checkpoint:
        """Enter the export, and sign the ledger with it; nothing else is locked meanwhile."""
        details: dict[str, Any] = {
            "bag": name,
            "reason": self.about.reason,
            "sensitive": self._sensitive(),
            "exhibits": [
                {"number": item.number, "sha256": item.sha256}
                for item in dossier.items
                if item.path is not None
            ],
        }
        subject = f"case:{dossier.case.id}"
        with self.database.writing() as session:
            ledger.take_turn(session)  # nothing comes between what is counted and the entry
            details |= proofs.shown_so_far(session, dossier, self.redaction)
            entry = ledger.record(
                session, event="exported", subject=subject, actor=self.about.by, details=details
            )
        undo.push(lambda kind, *_: self._take_back(subject, entry.seq) if kind else None)
        with self.database.reading() as session:
            drawn = ledger.draw(session, self.signer)
        if drawn is not None:
            with self.database.writing() as session:
                checkpoints.enter(session, drawn, self.settings)
        with self.database.reading() as session:
            # Whoever was quicker signed our entry too.
            newest = session.scalars(
                select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)
            ).one()
        assert newest.size > entry.seq
        return newest

    def _sensitive(self) -> str:
        if self.about.include_sensitive:
            return "in the clear"
        return "none" if self.key is None else "sealed apart"

    def _take_back(self, subject: str, seq: int) -> None:
        """The ledger said that there is a bag, and there is none."""
        with contextlib.suppress(Exception), self.database.writing() as session:
            ledger.record(
                session,
                event="corrected",
                subject=subject,
                actor=self.about.by,
                details={"corrects": seq, "reason": "the export failed: there is no such bag"},
            )

    # The documents

    def _documents(
        self,
        bag: BagWriter,
        dossier: Dossier,
        name: str,
        there: proofs.Proofs,
        records: Mapping[int, Mapping[str, Any]],
        chromium: Path,
    ) -> None:
        bag.add_bytes("case.json", to_json(self.redaction.all(self._case(dossier, there))))
        documents = Documents(name, dossier, self.about, there, self.redaction, records, self.blobs)
        html = documents.render("report.html")
        bag.add_bytes("report.html", html.encode())
        pdf = paper.print_html(html, executable=chromium, footer=f"Exhibit report, {name}")
        bag.add_bytes("report.pdf", pdf)
        for document in ("declaration-fre-902.html", "declaration-zh.html", "HOW-TO-VERIFY.md"):
            bag.add_bytes(document, documents.render(document).encode())
        bag.add_bytes("verify.py", single_file().encode())

    def _case(self, dossier: Dossier, there: proofs.Proofs) -> dict[str, Any]:
        case = dossier.case
        return {
            "v": 1,
            "case": {
                "reference": case.reference,
                "title": case.title,
                "brand": case.brand.name if case.brand else None,
                "opened_by": case.opened_by,
                "created_at": moment(case.created_at),
                "hold": case.hold,
                "retain_until": case.retain_until.isoformat() if case.retain_until else None,
            },
            "exported": {
                "by": self.about.by,
                "at": moment(self.about.at),
                "reason": self.about.reason,
                "software": self.about.software,
                "include_sensitive": self.about.include_sensitive,
            },
            "exhibits": [_described(item) for item in dossier.items],
            "withheld_entries": there.withheld,
        }

    def _info(self, dossier: Dossier) -> dict[str, str]:
        return {
            "Bag-Software-Agent": self.about.software,
            "Bagging-Date": f"{self.about.at:%Y-%m-%d}",
            "External-Identifier": dossier.case.reference,
            "External-Description": self.redaction.text(dossier.case.title),
            "Contact-Name": self.about.by,
        }


def _described(item: Item) -> dict[str, Any]:
    """An exhibit as ``case.json`` lists it; hash and size are those of the opened file."""
    made: dict[str, Any] = {
        "number": item.number,
        "id": str(item.row.id),
        "kind": item.row.kind,
        "name": item.row.name,
        "subject": item.subject,
        "path": None if item.path is None else f"data/{item.path}",
        "media_type": item.media_type,
        "sha256": item.sha256,
        "size": item.size,
        "sealed": item.sealed,
    }
    if item.sealed_part is not None:
        made["sealed_part"] = item.sealed_part
    if item.deleted_at is not None:
        made["deleted_at"] = moment(item.deleted_at)
    if item.capture is not None:
        made |= {
            "captured_at": moment(item.capture.captured_at),
            "url": item.capture.url,
            "status": item.capture.status,
            "archive_sha256": item.capture.archive_sha256,
            "exchanges": item.capture.exchanges,
            "incomplete": item.capture.incomplete,
            "key_id": item.capture.key_id,
        }
    return made


def _named(item: Item) -> str:
    return f"exhibit {item.number} ({item.row.name})"


def _folder(reference: str) -> str:
    safe = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", reference)
    return reference if safe else slug(reference, "case")
