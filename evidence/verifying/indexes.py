"""The index of a WACZ and its list of pages: they must be what the archive gives.

Source: WACZ 1.1.1, sections 5.2.2 (CDXJ) and 5.2.3 (pages.jsonl).
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from evidence.verifying.checks import Damaged, json_object, sha256_hex
from evidence.verifying.warcs import Record
from evidence.verifying.work import Region, Work

MAX_INDEX_BYTES = 64 << 20
INDEX = "indexes/index.cdx.gz"
OVER = "indexes/index.idx"
PAGES = "pages/pages.jsonl"
_META = '!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}'


def read_index(index: Region, over: Region, work: Work) -> list[str]:
    """The lines of the index, block by block as the .idx cuts it.

    Raises
    ------
    Damaged
        If the two do not fit each other.
    """
    packed = index.read(INDEX, MAX_INDEX_BYTES)
    text = _lines_of(OVER, over.read(OVER, MAX_INDEX_BYTES))
    if text[:1] != [_META]:
        raise Damaged(OVER, "it does not begin as ours do")
    lines: list[str] = []
    end = unpacked = 0
    for place in text[1:]:
        key, _, rest = place.partition(" {")
        where = json_object(OVER, b"{" + rest.encode())
        length = where.get("length")
        block = packed[end : end + length] if isinstance(length, int) and length > 0 else b""
        expected = {
            "offset": end,
            "length": len(block),
            "digest": f"sha256:{sha256_hex(block)}",
            "filename": INDEX.rsplit("/", 1)[-1],
        }
        if where != expected or not block:
            raise Damaged(OVER, "it does not lead to the blocks of the index")
        machine = zlib.decompressobj(31)
        try:
            out = machine.decompress(block, MAX_INDEX_BYTES - unpacked + 1)
        except zlib.error as error:
            raise Damaged(INDEX, f"cannot be unpacked: {error}") from error
        unpacked += len(out)
        work.unpacked(INDEX, len(out))
        if unpacked > MAX_INDEX_BYTES:
            raise Damaged(INDEX, f"larger than {MAX_INDEX_BYTES} bytes")
        if not machine.eof or machine.unused_data:
            raise Damaged(INDEX, "a block is not one gzip member")
        found = _lines_of(INDEX, out)
        if not found or not found[0].startswith(f"{key} "):
            raise Damaged(OVER, "it names another first line")
        lines += found
        end += len(block)
    if end != len(packed):
        raise Damaged(INDEX, "it holds more than the .idx leads to")
    return lines


def cuts_from(lines: Sequence[str], size: int, number: int) -> list[int]:
    """Places at which an archive may be cut into about equal stretches, as the index tells.

    Nobody has vouched for the index yet: whoever cuts must see that the records meet there.
    """
    offsets = set()
    for line in lines:
        try:
            offset = json.loads(line.split(" ", 2)[2])["offset"]
        except (IndexError, KeyError, TypeError, ValueError, RecursionError):
            return []
        if isinstance(offset, int) and 0 < offset < size:
            offsets.add(offset)
    cuts: set[int] = set()
    for share in range(1, number):
        wanted = size * share // number
        if offsets:
            cuts.add(min(offsets, key=lambda offset: abs(offset - wanted)))
    return sorted(cuts)


def check_index(lines: Sequence[str], archive: str, found: Sequence[Record]) -> str:
    """Compare the index with what the archive gives; what is in it.

    Raises
    ------
    Damaged
        If a line is missing, added or changed.
    """
    expected = sorted(_line(record, archive) for record in found)
    if list(lines) != sorted(lines) or sorted(map(_without_request, lines)) != expected:
        raise Damaged(INDEX, "it is not the index of this archive")
    return f"{len(expected)} responses"


def check_pages(raw: bytes, found: Sequence[Record]) -> str:
    """See that each page that is listed was captured; how many there are.

    Raises
    ------
    Damaged
    """
    captured = {record.url.split("#")[0] for record in found}
    head, *lines = _lines_of(PAGES, raw) or [""]
    if json_object(PAGES, head.encode()).get("format") != "json-pages-1.0":
        raise Damaged(PAGES, "it does not begin as a list of pages does")
    for line in lines:
        url = str(json_object(PAGES, line.encode()).get("url")).split("#")[0]
        if url not in captured and not url.startswith(("about:", "chrome-error:")):
            raise Damaged(PAGES, f"{url} is not in the archive")
    if not lines:
        raise Damaged(PAGES, "it lists no page")
    return f"{len(lines)} pages"


def _without_request(line: str) -> str:
    """A line without what it adds of a request that was no GET.

    Method and body only help replay to find the answer; the request itself is a record of
    the archive, and that is what is vouched for.
    """
    key, _, rest = line.partition(" ")
    stamp, _, text = rest.partition(" ")
    entry = json_object(INDEX, text.encode())
    method, query = entry.pop("method", None), entry.pop("requestBody", None)
    if method is None and query is None:
        return line
    url = entry.get("url")
    if not (isinstance(method, str) and isinstance(query, str) and isinstance(url, str)):
        raise Damaged(INDEX, "it speaks of a request in another form than ours")
    if key != surt(posted_address(url, method, query)):
        raise Damaged(INDEX, f"{url} stands in it under another key")
    return f"{surt(url)} {stamp} {json.dumps(entry, ensure_ascii=False)}"


def _line(record: Record, archive: str) -> str:
    """The index line of a response or a revisit."""
    status, mime = _status_and_type(record.http)
    entry: dict[str, Any] = {
        "url": record.url,
        "mime": "warc/revisit" if record.type == "revisit" else mime,
        "status": status,
        "digest": record.head.get("warc-payload-digest"),
        "offset": record.offset,
        "length": record.length,
        "filename": archive.rsplit("/", 1)[-1],
    }
    stamp = "".join(c for c in record.head.get("warc-date", "") if c.isdigit())[:14]
    return f"{surt(record.url)} {stamp} {json.dumps(entry, ensure_ascii=False)}"


def _status_and_type(http: bytes) -> tuple[str, str]:
    first, *rest = http.split(b"\r\n")
    status = _header_lines_of(first).partition(" ")[2].strip().split(" ", 1)[0]
    for line in rest:
        name, colon, value = line.partition(b":")
        if colon and name.strip().lower() == b"content-type":
            return status, _header_lines_of(value).strip().split(";")[0]
    return status, ""


def _header_lines_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def posted_address(url: str, method: str, query: str) -> str:
    """The address under which an answer to a request that is no GET is kept.

    Source: `evidence.packing.posting`, which makes the query of the request's body.
    """
    return f"{url}{'&' if '?' in url else '?'}__wb_method={method}&{query}"


def surt(url: str) -> str:
    """The Sort-friendly URI Reordering Transform of an HTTP URL, as CDX indexes use it.

    >>> surt("http://www.Example.com:8080/Path?b=1&a=2")
    'com,example:8080)/path?a=2&b=1'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Damaged(INDEX, f"{url!r} is no address") from error
    host = (parts.hostname or "").lower()
    key = host
    if ":" not in host and not host.split(".")[-1].isdigit():
        key = ",".join(reversed(re.sub(r"^www\d*\.", "", host).split(".")))
    if port is not None and port != {"http": 80, "https": 443}.get(parts.scheme):
        key += f":{port}"
    query = f"?{'&'.join(sorted(parts.query.split('&')))}" if parts.query else ""
    return f"{key}){parts.path or '/'}{query}".lower().replace(" ", "%20")


def _lines_of(part: str, raw: bytes) -> list[str]:
    """Lines that each end in one line feed."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Damaged(part, "it is not UTF-8") from error
    if text and not text.endswith("\n"):
        raise Damaged(part, "its last line has no end")
    return text.split("\n")[:-1]
