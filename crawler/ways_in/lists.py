"""Lists of addresses in CSV, as spreadsheets and people write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from uuid import UUID

from crawler.crawling.store import storing
from crawler.network.gate import Forbidden, Gate
from crawler.ways_in.leads import MAX_URL, Added, Told, add
from crawler.ways_in.places import Places
from registry.database import Database
from registry.errors import TouchstoneError

MAX_BYTES = 200_000_000
#: A quoted cell may go on for so many lines; after that its quote is taken not to be closed.
MAX_LINES_IN_A_ROW = 20
MAX_ROW = 20_000
_BATCH = 1000
_DELIMITERS = ";,\t|"
_URL_COLUMNS = ("url", "link", "address", "adresse", "href", "listing", "链接", "网址", "ссылка")
_NOTE_COLUMNS = ("note", "notes", "comment", "remark", "bemerkung", "notiz", "备注", "заметка")
_LOGIN = re.compile(r"//(?:[^/\s@]*@)+|//[^/\s@]*:[^\s@]*@")
_BARE = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/|$)")


@dataclass(frozen=True, slots=True)
class Row:
    """An address of a list, from 1 the line on which it begins, and what is noted beside it."""

    line: int
    url: str
    note: str | None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, and why."""

    line: int
    text: str
    why: str


def read_list(path: Path, gate: Gate) -> Iterator[Row | BadRow]:
    """The rows of a list, good and bad, in order.

    A first row that names the columns (``url``, ``note``) says where to look; without one the
    first cell that holds an address is the address, and the one after it the note.

    Raises
    ------
    TouchstoneError
        If the file cannot be read, or is no text.
    """
    lines = _text(path).split("\n")
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise TouchstoneError(f"{path}: it is empty: a list has an address in each row")
    delimiter = max(_DELIMITERS, key=first.count)
    columns: tuple[int, int | None] | None = None
    begun = False
    for number, row in _rows(lines, delimiter):
        if isinstance(row, BadRow):
            yield row
            continue
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if not begun:
            begun = True
            columns = _columns(cells)
            if columns is not None:
                continue
        at, note_at = columns if columns is not None else _guess(cells)
        url = cells[at] if at < len(cells) else ""
        note = cells[note_at] if note_at is not None and note_at < len(cells) else ""
        yield _judged(number, url, note, delimiter.join(cells), gate)


def keep(
    database: Database,
    rows: Iterable[Row | BadRow],
    brand_id: UUID,
    *,
    plan_id: UUID | None,
    name: str,
    who: str,
) -> Iterator[tuple[Added, list[BadRow]]]:
    """Keep a list's addresses as leads, a thousand rows in a transaction.

    Yields
    ------
    tuple
        What became of so many rows, and the bad ones among them.
    """
    with database.reading() as session:
        places = Places.watched(session)
    left = iter(rows)
    while batch := list(islice(left, _BATCH)):
        told = [
            Told(
                row.url,
                "list",
                who=who,
                plan_id=plan_id,
                source=f"{name}, line {row.line}",
                note=row.note,
            )
            for row in batch
            if isinstance(row, Row)
        ]
        added = storing(database, partial(add, brand_id=brand_id, told=told, places=places))
        yield added, [row for row in batch if isinstance(row, BadRow)]


def _judged(line: int, url: str, note: str, text: str, gate: Gate) -> Row | BadRow:
    short = _shown(text)
    if not url:
        return BadRow(line, short, "there is no address in it")
    if len(url) > MAX_URL:
        return BadRow(line, short, f"the address is longer than {MAX_URL} characters")
    if _BARE.match(url):
        url = f"https://{url}"
    try:
        gate.check_form(url)
    except Forbidden as forbidden:
        return BadRow(line, short, forbidden.reason)
    return Row(line, url, note.replace("\x00", "") or None)


def _shown(text: str) -> str:
    """What is said of a bad row: its beginning, without a login that stands in an address."""
    return _LOGIN.sub("//…@", text[:MAX_ROW])[:120]


def _text(path: Path) -> str:
    """A file's text, whatever it was saved as."""
    try:
        if path.exists() and not path.is_file():
            raise TouchstoneError(f"{path}: cannot read this list: it is no regular file")
        if path.stat().st_size > MAX_BYTES:
            raise TouchstoneError(f"{path}: larger than {MAX_BYTES} bytes: cut it in parts")
        data = path.read_bytes()
    except OSError as error:
        raise TouchstoneError(f"{path}: cannot read this list: {error.strerror}") from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings = ["utf-16"]
    elif data[:4].count(0) >= 2 or b"\x00\x00\x00" in data[:1000]:
        raise TouchstoneError(f"{path}: no text: save the spreadsheet as CSV")
    elif data[:4] == b"PK\x03\x04":
        raise TouchstoneError(f"{path}: a spreadsheet or an archive: save it as CSV")
    else:
        # What is not UTF-8 is from a spreadsheet: in China GB 18030, else Windows-1252.
        encodings = ["utf-8-sig", "gb18030"] if _looks_chinese(data) else ["utf-8-sig"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        text = data.decode("cp1252", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _looks_chinese(data: bytes) -> bool:
    """Whether high bytes mostly come in the pairs of common Chinese characters."""
    high = sum(byte > 0x7F for byte in data[:200_000])
    pairs = re.findall(rb"[\xb0-\xf7][\xa1-\xfe]", data[:200_000])
    return high > 0 and 2 * len(pairs) > 0.8 * high


def _rows(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str] | BadRow]]:
    """Rows with the line on which each begins.

    By hand, since a quote that is never closed would have `csv` swallow the rest of the file.
    """
    quoted = re.compile(rf'(?:^|{re.escape(delimiter)}) *"')
    at = 0
    while at < len(lines):
        text, end = lines[at], at + 1
        if quoted.search(text):
            while text.count('"') % 2 and end < min(len(lines), at + MAX_LINES_IN_A_ROW):
                text, end = f"{text}\n{lines[end]}", end + 1
        why = None
        cells: list[list[str]] = []
        if len(text) > MAX_ROW:
            why = f"longer than {MAX_ROW} characters"
        elif text.count('"') % 2 and end > at + 1:
            why = "a quotation mark is not closed"
        else:
            try:
                cells = list(csv.reader([text], delimiter=delimiter))
            except csv.Error as error:
                why = str(error)
        if why is not None:
            yield at + 1, BadRow(at + 1, _shown(lines[at]), why)
            at += 1
            continue
        yield from ((at + 1, row) for row in cells)
        at = end


def _columns(cells: list[str]) -> tuple[int, int | None] | None:
    """Where address and note stand, by a first row that names them; None if it is none."""
    names = [cell.casefold() for cell in cells]
    at = next((names.index(name) for name in _URL_COLUMNS if name in names), None)
    if at is None:
        return None
    return at, next((names.index(name) for name in _NOTE_COLUMNS if name in names), None)


def _guess(cells: list[str]) -> tuple[int, int | None]:
    for at, cell in enumerate(cells):
        if "://" in cell or _BARE.match(cell):
            return at, at + 1 if at + 1 < len(cells) else None
    return 0, None
