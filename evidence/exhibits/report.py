"""The documents of a bag for people: report, declarations, and how to verify it all.

Everything that a marketplace said is escaped by the templates; what it cannot show (controls,
marks of direction) is written out, see `evidence.exhibits.wording`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evidence.exhibits import wording
from evidence.exhibits.dossier import Dossier, Item, Redaction, numbers_of
from evidence.exhibits.figures import Album, Figure
from evidence.exhibits.proofs import Entry, Proofs, Stamped
from registry.blobs import Blobs

MAX_RECORD_BYTES = 8 << 20
MAX_SHOTS = 6
MAX_GAPS = 200

#: Told elsewhere in the report, or of no use on paper.
_NOT_CIRCUMSTANCES = frozenset(
    {
        "completeness", "exchanges", "final_url", "http_status", "incomplete", "shown", "status",
        "url",
    }
)  # fmt: skip
#: Of an entry in the ledger: what the report says anyway, and what only a verifier counts.
_NOT_HOW = frozenset({"case", "number", "exhibits", "entries", "withheld"})
_EVENTS = {
    "captured": "Captured",
    "sealed": "Sealed",
    "stamped": "Time-stamped",
    "viewed": "Viewed",
    "exported": "Exported",
    "handed_over": "Handed over",
    "parcel_received": "Parcel received",
    "opened": "Opened",
    "examined": "Examined",
    "verdict": "Verdict",
    "deleted": "Deleted",
    "hold_set": "Legal hold set",
    "hold_released": "Legal hold released",
    "retention_set": "Retention set",
    "case_opened": "Case opened",
    "exhibit_added": "Exhibit added",
    "corrected": "Corrected",
    "key_rotated": "Signing key changed",
    "frame_frozen": "Frame frozen",
    "sample_drawn": "Sample drawn",
    "moved": "Purchase went on",
    "mode_set": "Mode of buying set",
    "taken_over": "Browser taken over",
}


@dataclass(frozen=True, slots=True)
class Export:
    """Who made the bag, when, why and with what."""

    by: str
    at: datetime
    reason: str
    software: str
    include_sensitive: bool


@dataclass(slots=True)
class Shown:
    """An exhibit as the report shows it.

    Parameters
    ----------
    gaps
        Requests without their whole answer: address, and why.
    """

    item: Item
    name: str
    figures: list[Figure] = field(default_factory=list)
    circumstances: list[tuple[str, str]] = field(default_factory=list)
    gaps: list[tuple[str, str]] = field(default_factory=list)
    stamps: list[Stamped] = field(default_factory=list)
    signals: list[Mapping[str, Any]] = field(default_factory=list)
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handling:
    """A line of the chain of custody: who did what to which exhibit, when and how."""

    seq: int
    occurred_at: datetime
    recorded_at: datetime
    event: str
    actor: str
    exhibit: int | None
    how: str

    @property
    def late(self) -> bool:
        """Whether it was written down well after it happened."""
        return (self.recorded_at - self.occurred_at).total_seconds() >= 60


class Documents:
    """Renders all documents of one bag.

    Parameters
    ----------
    name
        The bag's folder.
    records
        The purchase records as they are in the clear, by the exhibit's number.
    """

    def __init__(
        self,
        name: str,
        dossier: Dossier,
        export: Export,
        proofs: Proofs,
        redaction: Redaction,
        records: Mapping[int, Mapping[str, Any]],
        blobs: Blobs,
    ) -> None:
        self._redaction = redaction
        self._proofs = proofs
        album = Album()
        exhibits = [self._shown(item, records, album, blobs) for item in dossier.items]
        by_file = {stamp.file: stamp for stamp in proofs.stamps if stamp.file}
        self._context: dict[str, Any] = {
            "bag": name,
            "case": dossier.case,
            "export": export,
            "exhibits": exhibits,
            "there": [e for e in exhibits if e.item.path is not None],
            "clear": [e for e in exhibits if e.item.path is not None and not e.item.sealed],
            "deleted": [e for e in exhibits if e.item.deleted_at is not None],
            "sealed": [e for e in exhibits if e.item.sealed_part or e.item.sealed],
            "captures": [e for e in exhibits if e.item.capture and e.item.path],
            "custody": _handlings(proofs.entries, dossier),
            "proofs": proofs,
            "stamped": list(by_file.values()),
            "ledger_stamps": [s for s in proofs.stamps if s.about == "checkpoint"],
        }
        self._environment = _environment(redaction)

    def render(self, template: str) -> str:
        """One of the documents, by its template's name."""
        return self._environment.get_template(template).render(self._context)

    def _shown(
        self,
        item: Item,
        records: Mapping[int, Mapping[str, Any]],
        album: Album,
        blobs: Blobs,
    ) -> Shown:
        made = Shown(item, self._redaction.text(item.row.name))
        made.record = records.get(item.number, {})
        if item.assessment is not None:
            made.signals = list(item.assessment.result.get("signals") or [])
        if item.capture is not None:
            subject = f"capture:{item.capture.id}"
            made.stamps = [stamp for stamp in self._proofs.stamps if stamp.subject == subject]
        if item.path is None or item.sealed or item.blob is None:
            return made
        if item.capture is not None:
            with blobs.open(item.blob) as stream, zipfile.ZipFile(stream) as package:
                self._look_into(package, made, album)
        elif item.media_type.startswith("image/"):
            with blobs.open(item.blob) as stream:
                made.figures = [album.figure(stream, made.name)]
        return made

    def _look_into(self, package: zipfile.ZipFile, made: Shown, album: Album) -> None:
        """Take pictures and circumstances out of a sealed bundle, whose hash was checked."""
        names = package.namelist()
        about = _record(package, "extra/capture.json")
        made.circumstances = wording.facts(self._redaction.all(about), _NOT_CIRCUMSTANCES)
        incomplete = about.get("incomplete")
        for gap in incomplete if isinstance(incomplete, list) else []:
            if isinstance(gap, dict):
                reasons = {str(gap[k]) for k in ("truncated", "error", "reason") if gap.get(k)}
                url = self._redaction.text(str(gap.get("url", "")))
                made.gaps.append((wording.cut(url, 300), ", ".join(sorted(reasons))))
        shots = [name for name in names if name.startswith("screenshots/")]
        for name in sorted(shots)[:MAX_SHOTS]:
            caption = name.removeprefix("screenshots/").rsplit(".", 1)[0]
            with package.open(name) as stream:
                made.figures.append(album.figure(stream, caption))  # type: ignore[arg-type]


def _record(package: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """A small JSON object of a bundle; empty where there is none that can be read."""
    try:
        info = package.getinfo(name)
        if info.file_size > MAX_RECORD_BYTES:
            return {}
        value = json.loads(package.read(info))
    except (KeyError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _handlings(entries: Sequence[Entry], dossier: Dossier) -> list[Handling]:
    numbers = numbers_of(dossier.items)
    return [
        Handling(
            seq=entry.seq,
            occurred_at=wording.parsed(entry.said["occurred_at"]),
            recorded_at=wording.parsed(entry.said["recorded_at"]),
            event=_EVENTS.get(entry.said["event"], wording.words(entry.said["event"])),
            actor=entry.said["actor"],
            exhibit=numbers.get(entry.said["subject"]),
            how=wording.sentence(entry.said["details"], _NOT_HOW),
        )
        for entry in entries
    ]


def _environment(redaction: Redaction) -> Environment:
    def harmless(value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Markup):
            value = redaction.text(value)
        return wording.shown(value)

    environment = Environment(
        loader=PackageLoader("evidence.exhibits"),
        # Markdown has no escape: what stands in it is made of hashes, numbers and file names.
        autoescape=lambda name: name is not None and not name.endswith(".md"),
        undefined=StrictUndefined,
        finalize=harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        when=wording.when,
        parsed=wording.parsed,
        size=wording.size,
        short_size=wording.short_size,
        lasting=wording.lasting,
        words=wording.words,
        cut=wording.cut,
    )
    return environment
