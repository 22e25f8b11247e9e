"""What a listing's own pictures show: each decoded, and looked for among those registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matchers
from insight.prints import fingerprint, read_blob
from insight.references import Opened, key_of, parts_of
from matchers import pictures
from matchers.values import PictureMatch
from registry.blobs import Blobs
from registry.database import Database
from registry.models import Picture

#: Of one listing; the surest are kept.
MAX_MATCHES = 12


@dataclass(frozen=True, slots=True)
class Stored:
    """A listing's picture as the database has it."""

    sha256: str
    blob: str
    current: bool


@dataclass(frozen=True, slots=True)
class Showing:
    """What was seen.

    Parameters
    ----------
    matches
        Registered pictures of the brand, the surest first.
    renewed
        Fingerprints worked out anew, by SHA-256: those stored were another version's.
    faults
        Pictures that could not be read, by SHA-256, and why.
    """

    matches: tuple[PictureMatch, ...]
    renewed: dict[str, dict[str, object]]
    faults: dict[str, str]


def look(opened: Opened, brand: matchers.Brand, shown: Sequence[Stored], blobs: Blobs) -> Showing:
    """Decode a listing's pictures and look for a brand's registered ones in them.

    A picture that is gone from the store or cannot be decoded is left out with its fault.
    """
    products: dict[str, list[str]] = {}
    for product in brand.products:
        for picture in product.pictures:
            products.setdefault(picture.sha256, []).append(product.id)
    keys = frozenset(
        [key_of("reference", sha256) for sha256 in products]
        + [key_of("logo", picture.sha256) for picture in brand.logos]
    )
    matches: list[PictureMatch] = []
    renewed: dict[str, dict[str, object]] = {}
    faults: dict[str, str] = {}
    for stored in {stored.sha256: stored for stored in shown}.values():
        try:
            data = read_blob(blobs, stored.blob)
            if not stored.current:
                renewed[stored.sha256] = fingerprint(data)
            found = opened.search(pictures.decode(data), keys) if keys else []
        except FileNotFoundError:
            faults[stored.sha256] = "the store has it no more"
            continue
        except (matchers.PictureError, OSError) as error:
            faults[stored.sha256] = str(error) or type(error).__name__
            continue
        for one in found:
            kind, sha256 = parts_of(one.key)
            for product_id in products[sha256] if kind == "reference" else [""]:
                matches.append(
                    PictureMatch(
                        product_id=product_id,
                        listing_sha256=stored.sha256,
                        reference_sha256=sha256,
                        distance=one.distance,
                        view=one.view,
                        kind=kind,
                        inliers=one.inliers,
                        confidence=one.confidence,
                        listing_outline=one.listing_outline,
                        reference_outline=one.reference_outline,
                    )
                )
    matches.sort(key=lambda m: (-m.confidence, -m.inliers, m.distance, m.reference_sha256))
    return Showing(tuple(matches[:MAX_MATCHES]), renewed, faults)


def keep_renewed(database: Database, renewed: dict[str, dict[str, object]]) -> None:
    """Store fingerprints that were worked out anew, so that it is done once."""
    if not renewed:
        return
    with database.writing() as session:
        for sha256, values in sorted(renewed.items()):
            row = session.get(Picture, sha256)
            if row is not None and row.matcher != pictures.VERSION:
                row.fingerprint, row.matcher, row.traits = values, pictures.VERSION, None
