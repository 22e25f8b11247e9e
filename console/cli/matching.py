"""What the commands of `touchstone match` do, apart from how they say it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from rich.text import Text
from sqlalchemy import select
from sqlalchemy.orm import Session

import matchers
from console.cli.house import open_house
from insight.brands import brand_values, load_brand
from insight.prints import read_blob
from insight.references import key_of, open_index, parts_of
from matchers import pictures
from matchers.pictures.decode import MAX_BYTES
from matchers.values import Term
from registry.errors import TouchstoneError
from registry.models import Brand, Picture

MAX_TERMS_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Match:
    """A registered picture that was seen; `name` says whose it is."""

    name: str
    reference: bytes
    found: pictures.Found


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture, and what was seen in it, the surest first; or why it could not be read."""

    file: Path
    data: bytes
    matches: tuple[Match, ...]
    fault: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "file": self.file,
            "fault": self.fault,
            "matches": [
                {
                    "shows": match.name,
                    "key": match.found.key,
                    "kind": match.found.kind,
                    "view": match.found.view,
                    "confidence": match.found.confidence,
                    "inliers": match.found.inliers,
                    "distance": match.found.distance,
                    "listing_outline": match.found.listing_outline,
                    "reference_outline": match.found.reference_outline,
                }
                for match in self.matches
            ],
        }


def brand_of(session: Session, slug: str) -> matchers.Brand:
    """A registered brand by its slug.

    Raises
    ------
    TouchstoneError
        Naming the brands that there are.
    """
    brand_id = session.scalar(select(Brand.id).where(Brand.slug == slug))
    if brand_id is None:
        known = ", ".join(session.scalars(select(Brand.slug).order_by(Brand.slug))) or "none yet"
        raise TouchstoneError(f"brand {slug!r} is not registered; there are: {known}")
    return brand_values(load_brand(session, brand_id))


def marked(text: str, spans: Iterable[matchers.Span], field: str) -> Text:
    """A text with the matched words in colour, and in brackets for who sees no colours.

    Control characters do not reach the terminal.
    """
    shown = Text("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text))
    pieces, done = Text(), 0
    for span in sorted(
        (span for span in spans if span.field == field), key=lambda s: (s.start, -s.end)
    ):
        start, end = max(span.start, done), min(span.end, len(text))
        if start >= end:
            continue
        style = "black on red" if span.kind == "lexicon" else "black on yellow"
        pieces.append_text(shown[done:start])
        pieces.append(f"[{shown.plain[start:end]}]", style)
        done = end
    return pieces.append_text(shown[done:])


def look_against(files: Sequence[Path], references: Sequence[Path]) -> list[Looked]:
    """Look for pictures of files in pictures of files; nothing else is needed.

    Raises
    ------
    TouchstoneError
        If one of those to look for cannot be read.
    """
    datas: dict[str, tuple[str, bytes]] = {}
    items = []
    for number, path in enumerate(references):
        try:
            data = _read(path)
            traits = pictures.traits(pictures.decode(data))
        except matchers.PictureError as error:
            raise TouchstoneError(f"{path}: {error}") from error
        key = f"{number}"
        datas[key] = (str(path), data)
        # Nobody said which it is: a logo is looked for in more places than a whole picture.
        items.append(pictures.Reference(key, "reference", traits))
    index = pictures.ReferenceIndex.build(items)
    return [
        _looked(
            path,
            lambda decoded: [Match(*datas[one.key], one) for one in index.search(decoded)],
        )
        for path in files
    ]


def look_for_brand(files: Sequence[Path], slug: str) -> list[Looked]:
    """Look for a brand's registered pictures in pictures of files."""
    with open_house() as house:
        opened = open_index(house.database, house.blobs, house.settings)
        with house.database.reading() as session:
            brand = brand_of(session, slug)
            names = {
                key_of("reference", picture.sha256): product.name
                for product in brand.products
                for picture in product.pictures
            } | {key_of("logo", logo.sha256): f"{brand.name} (logo)" for logo in brand.logos}
            wanted = {parts_of(key)[1] for key in names}
            rows = session.execute(
                select(Picture.sha256, Picture.blob).where(Picture.sha256.in_(wanted))
            )
            stored = {sha256: key for sha256, key in rows}  # noqa: C416 - rows are no pairs

        def look(decoded: pictures.Decoded) -> list[Match]:
            return [
                Match(names[one.key], read_blob(house.blobs, stored[parts_of(one.key)[1]]), one)
                for one in opened.search(decoded, frozenset(names))
            ]

        return [_looked(path, look) for path in files]


def _looked(path: Path, look: Any) -> Looked:
    data = _read(path)
    try:
        return Looked(path, data, tuple(look(pictures.decode(data))))
    except matchers.PictureError as error:
        return Looked(path, data, (), str(error))


def _read(path: Path) -> bytes:
    if path.exists() and not path.is_file():
        # A device or a pipe may never end.
        raise TouchstoneError(f"{path}: it is no regular file")
    if path.stat().st_size > MAX_BYTES:
        raise TouchstoneError(f"{path}: larger than {MAX_BYTES} bytes")
    return path.read_bytes()


def draw_surest(looked: Sequence[Looked], target: Path) -> None:
    """Draw the surest match of all: both pictures, the matched area outlined in each."""
    best: tuple[Looked, Match] | None = None
    for one in looked:
        for match in one.matches[:1]:
            if best is None or match.found.confidence > best[1].found.confidence:
                best = one, match
    if target.suffix.casefold() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise TouchstoneError(f"--outline: {target}: a name that ends in .png, .jpg or .webp")
    if best is not None:
        one, match = best
        drawn = pictures.draw(one.data, match.reference, match.found)
        with Image.open(BytesIO(drawn)) as picture:
            # In the format that its name says.
            picture.save(target)


def find_words(terms_file: Path, every: bool) -> None:
    """Find the terms of a file in the lines of standard input, and print JSON lines.

    Raises
    ------
    TouchstoneError
        Naming the line that cannot be read.
    """
    from matchers.words import TermFinder

    finder = TermFinder(read_terms(terms_file))
    for number, raw in enumerate(sys.stdin.buffer, 1):
        try:
            text = raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise TouchstoneError(
                f"standard input, line {number}: not UTF-8 at byte {error.start}"
            ) from error
        hits = finder.find(text)
        if hits or every:
            row = {
                "line": number,
                "text": text,
                "hits": [
                    {
                        "term": hit.term.text,
                        "start": hit.start,
                        "end": hit.end,
                        "matched": hit.matched,
                        "disguise": list(hit.disguise),
                        "compatible": hit.compatible,
                        "weak": hit.weak,
                    }
                    for hit in hits
                ],
            }
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_terms(path: Path) -> list[Term]:
    """Terms of a file, one a line: text, tab, Nice classes, tab, words that name its goods.

    Raises
    ------
    TouchstoneError
        Naming the line that is no term, or if there is none at all.
    """
    from matchers.words import check_term

    if path.exists() and not path.is_file():
        raise TouchstoneError(f"{path}: it is no regular file")
    if path.stat().st_size > MAX_TERMS_BYTES:
        raise TouchstoneError(f"{path}: larger than {MAX_TERMS_BYTES} bytes")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise TouchstoneError(f"{path}: not UTF-8 at byte {error.start}") from error
    found: dict[str, Term] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        text, classes, goods, *_ = [part.strip() for part in line.split("\t")] + ["", ""]
        try:
            nice = frozenset(int(part) for part in classes.split(",") if part.strip())
        except ValueError:
            nice = frozenset({0})
        if not all(1 <= number_ <= 45 for number_ in nice):
            raise TouchstoneError(
                f"{path}: line {number}: {classes[:60]!r} are not Nice classes (1 to 45): 18,25"
            )
        if not text:
            raise TouchstoneError(f"{path}: line {number}: there is no term before the tab")
        try:
            check_term(text)
        except ValueError as error:
            raise TouchstoneError(f"{path}: line {number}: {error}") from error
        words = tuple(word.strip() for word in goods.split(",") if word.strip())
        found.setdefault(text, Term(text, "mark", nice, words))
    if not found:
        raise TouchstoneError(f"{path}: there is no term in it")
    return list(found.values())


def report_line(report: dict[str, Any]) -> str:
    """What a trial's report says, in a line: its plain figures."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.3f}" if isinstance(value, float) else f"{name} {value}"
        for name, value in report.items()
        if isinstance(value, int | float | str)
    )[:160]
