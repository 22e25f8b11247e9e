"""What the pages of a run said, field by field: the figures that its health is judged by."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crawler.marketplaces.pages import clean
from registry.blobs import Blobs

if TYPE_CHECKING:
    from crawler.crawling.store import Seen

#: Pages that are kept, and how many of them because nothing could be read in them.
MAX_SAMPLES, MAX_UNREAD_SAMPLES = 3, 2
MAX_SAMPLE_BYTES = 1 << 20
MAX_TEXT = 500
MAX_REASON = 200
MAX_REASONS, REASONS_TOLD = 50, 5
_WITHOUT = "without "
#: Below so many pages a field that is missing says nothing.
LEAST_PAGES = 5


@dataclass(slots=True)
class Sample:
    """A page that does not say what it should; `blob` is its key once it is kept."""

    kind: str
    url: str
    why: str
    body: bytes
    blob: str | None = None

    @property
    def lacks(self) -> bool:
        """Whether it was read, but for some fields."""
        return self.why.startswith(_WITHOUT)


class Coverage:
    """Counts of one shard: pages read and unread by kind, and fields filled in those read.

    Kinds are ``list`` (pages that lead to listings), ``listing`` and ``seller``. It goes on
    from `before`, what `to_json` gave, where a shard is taken up again. Pages are counted in
    one thread while another writes down how far the shard is.
    """

    def __init__(self, before: Mapping[str, Any] | None = None) -> None:
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, Any]] = {}
        self._samples: list[Sample] = []
        self._lacking: dict[str, tuple[int, Sample]] = {}
        self._reasons: Counter[str] = Counter()
        if before:
            self.add(before)
            self._samples = [
                Sample(one["kind"], one["url"], one["why"], b"", one["blob"])
                for one in before.get("samples", ())
            ]

    def saw(
        self, kind: str, values: Mapping[str, bool], url: str = "", body: bytes | None = None
    ) -> None:
        """Count a page that was read.

        Parameters
        ----------
        values
            Each field that such a page may have, and whether it was filled. A field that is
            not named here is not counted for this page.
        url, body
            The page itself, which is kept as a sample if most pages lack what it lacks.
        """
        with self._lock:
            counts = self._of(kind)
            counts["read"] += 1
            for name, filled in values.items():
                field = counts["fields"].setdefault(name, [0, 0])
                field[0] += bool(filled)
                field[1] += 1
        missing = [name for name, filled in values.items() if not filled]
        if body is not None and len(missing) > self._lacking.get(kind, (0, None))[0]:
            why = f"{_WITHOUT}{', '.join(missing)}"
            self._lacking[kind] = (len(missing), _sample(kind, url, why, body))

    def unread(self, kind: str, url: str, why: str, body: bytes, *, wall: bool = False) -> None:
        """Count a page in which nothing could be read; the first few are kept.

        Parameters
        ----------
        wall
            Whether it is known as a captcha, a login or a block, and not a layout that is new.
        """
        with self._lock:
            self._of(kind)["walls" if wall else "unread"] += 1
            if len(self._samples) < MAX_UNREAD_SAMPLES:
                self._samples.append(_sample(kind, url, why, body))

    def failed(self, reason: str) -> None:
        """Count a page that came to nothing, by its reason; kept are the commonest."""
        said = (clean(reason) or "?")[:MAX_REASON]
        with self._lock:
            if said in self._reasons or len(self._reasons) < MAX_REASONS:
                self._reasons[said] += 1

    def add(self, other: Mapping[str, Any]) -> None:
        """Count in what `to_json` gave of another shard; its samples stay where they are."""
        self._reasons.update(other.get("reasons", {}))
        for kind, theirs in other.get("kinds", {}).items():
            ours = self._of(kind)
            for name in ("read", "unread", "walls"):
                ours[name] += theirs[name]
            for name, (filled, of) in theirs["fields"].items():
                field = ours["fields"].setdefault(name, [0, 0])
                field[0] += filled
                field[1] += of

    @property
    def has_samples(self) -> bool:
        """Whether there are samples that `keep` has not put away yet."""
        return any(sample.blob is None for sample in self._samples) or bool(self._lacked())

    def keep(self, blobs: Blobs, *, ended: bool = False) -> None:
        """Put samples into the blob store: at once as they come, since a crawl may be killed.

        Parameters
        ----------
        ended
            Whether no page is to come, and the ones that lack most are known.
        """
        with self._lock:
            self._samples += self._lacked(ended=ended)
        for sample in self._samples:
            if sample.blob is None:
                sample.blob = blobs.put_bytes(sample.body, ".page")

    def _lacked(self, *, ended: bool = False) -> list[Sample]:
        """Pages that lack what most pages of their kind lack; one of a kind until the end."""
        found: list[Sample] = []
        for kind, (_, sample) in self._lacking.items():
            kept = [one.why for one in self._samples if one.kind == kind and one.lacks]
            if sample.why in kept if ended else kept:
                continue
            fields = self._of(kind)["fields"].values()
            mostly = any(of >= LEAST_PAGES and filled * 2 < of for filled, of in fields)
            if mostly and len(self._samples) + len(found) < MAX_SAMPLES:
                found.append(sample)
        return found

    def to_json(self) -> dict[str, Any]:
        """The counts by kind, the commonest reasons of errors, and the samples that are kept."""
        with self._lock:
            return {
                "kinds": {
                    kind: {
                        **{name: counts[name] for name in ("read", "unread", "walls")},
                        "fields": {name: list(pair) for name, pair in counts["fields"].items()},
                    }
                    for kind, counts in self._kinds.items()
                },
                "reasons": dict(self._reasons.most_common(REASONS_TOLD)),
                "samples": [
                    {"kind": one.kind, "url": one.url, "why": one.why, "blob": one.blob}
                    for one in self._samples
                    if one.blob is not None
                ],
            }

    def _of(self, kind: str) -> dict[str, Any]:
        return self._kinds.setdefault(kind, {"read": 0, "unread": 0, "walls": 0, "fields": {}})


def _sample(kind: str, url: str, why: str, body: bytes) -> Sample:
    return Sample(
        kind,
        (clean(url) or "")[:MAX_TEXT],
        (clean(why) or "")[:MAX_TEXT],
        bytes(body[:MAX_SAMPLE_BYTES]),
    )


def listing_fields(seen: Seen) -> dict[str, bool]:
    """Which fields of a listing were filled."""
    return {
        "title": bool(seen.title),
        "price": seen.price is not None,
        "currency": seen.price is not None and bool(seen.price.currency),
        "pictures": bool(seen.pictures),
        "picture files": any(picture.sha256 for picture in seen.pictures),
        "seller": seen.seller is not None,
        "description": bool(seen.description),
        "availability": bool(seen.availability),
        "condition": bool(seen.condition),
        "brand": bool(seen.brand),
        "shipping": bool(seen.ships_from),
        "attributes": bool(seen.attributes),
    }
