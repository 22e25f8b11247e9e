"""Writing exchanges as WARC 1.1 (ISO 28500:2017), with SHA-256 digests, and indexing them."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from evidence.exchanges import Exchange

#: The browser hands bodies over decoded, so these would describe bytes that are not there.
#: They are kept under the name that replay tools know.
_DESCRIBES_TRANSFER = frozenset({"content-encoding", "transfer-encoding", "content-length"})

INDEX_LINES_A_BLOCK = 1024


def warc_date(moment: datetime) -> str:
    """A time as WARC 1.1 writes it: UTC, microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write_warc(path: Path, info: Mapping[str, str], exchanges: Iterable[Exchange]) -> None:
    """Write a gzipped WARC, one gzip member a record.

    Parameters
    ----------
    info
        Fields of the warcinfo record: software, operator, why.
    """
    with path.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True, warc_version="1.1")
        warcinfo = writer.create_warcinfo_record(path.name, dict(info))
        _digest_block(warcinfo)
        writer.write_record(warcinfo)
        for exchange in exchanges:
            _write_exchange(writer, exchange)


def _write_exchange(writer: Any, exchange: Exchange) -> None:
    date = warc_date(exchange.started_at)
    response_id = None
    if exchange.response is not None:
        response = _response_record(writer, exchange, date)
        writer.write_record(response)
        response_id = response.rec_headers.get_header("WARC-Record-ID")
    fields = {"WARC-Date": date}
    if response_id is not None:
        fields["WARC-Concurrent-To"] = response_id
    parts = urlsplit(exchange.url)
    target = parts.path or "/"
    if parts.query:
        target += "?" + parts.query
    headers = exchange.headers_sent()
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parts.netloc))
    request = writer.create_warc_record(
        exchange.url,
        "request",
        payload=BytesIO(exchange.request_body),
        length=len(exchange.request_body),
        warc_headers_dict=fields | {"WARC-Payload-Digest": _sha256(BytesIO(exchange.request_body))},
        http_headers=StatusAndHeaders(
            f"{exchange.method} {target} HTTP/1.1", headers, is_http_request=True
        ),
    )
    _digest_block(request)
    writer.write_record(request)
    if exchange.error is not None:
        # A request that got no answer, or not all of it, is a fact too.
        failure = f"fetch-error: {exchange.error}\r\n".encode()
        record = writer.create_warc_record(
            exchange.url,
            "metadata",
            payload=BytesIO(failure),
            length=len(failure),
            warc_content_type="application/warc-fields",
            warc_headers_dict={
                "WARC-Date": date,
                "WARC-Concurrent-To": request.rec_headers.get_header("WARC-Record-ID"),
                "WARC-Payload-Digest": _sha256(BytesIO(failure)),
            },
        )
        _digest_block(record)
        writer.write_record(record)


def _response_record(writer: Any, exchange: Exchange, date: str) -> Any:
    assert exchange.response is not None
    length = exchange.body.stat().st_size if exchange.body else 0
    headers = [
        (f"X-Archive-Orig-{name}" if name.lower() in _DESCRIBES_TRANSFER else name, value)
        for name, value in exchange.headers_received()
    ]
    headers.append(("Content-Length", str(length)))
    status = exchange.status
    phrase = exchange.response.get("statusText") or _phrase(status)
    fields = {"WARC-Date": date}
    address = exchange.response.get("remoteIPAddress")
    if address:
        fields["WARC-IP-Address"] = address.strip("[]")
    protocol = exchange.response.get("protocol")
    if protocol:
        fields["WARC-Protocol"] = protocol
    if exchange.truncated is not None:
        fields["WARC-Truncated"] = exchange.truncated
    stream: BinaryIO = exchange.body.open("rb") if exchange.body else BytesIO()
    fields["WARC-Payload-Digest"] = _sha256(stream)
    record = writer.create_warc_record(
        exchange.url,
        "response",
        payload=stream,
        length=length,
        warc_headers_dict=fields,
        http_headers=StatusAndHeaders(f"{status} {phrase}".strip(), headers, protocol="HTTP/1.1"),
    )
    _digest_block(record)
    return record


def _digest_block(record: Any) -> None:
    """Set the block digest ourselves: warcio would take SHA-1."""
    digest = hashlib.sha256()
    if record.http_headers is not None:
        if not record.http_headers.headers_buff:
            record.http_headers.compute_headers_buffer()
        digest.update(record.http_headers.headers_buff)
    stream = record.raw_stream
    stream.seek(0)
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    stream.seek(0)
    record.rec_headers.replace_header("WARC-Block-Digest", f"sha256:{digest.hexdigest()}")


def _sha256(stream: BinaryIO) -> str:
    stream.seek(0)
    digest = hashlib.sha256()
    while chunk := stream.read(1 << 20):
        digest.update(chunk)
    stream.seek(0)
    return f"sha256:{digest.hexdigest()}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def cdxj_lines(stream: Any, filename: str) -> Iterator[str]:
    """Index lines of the responses in a WARC, unsorted: SURT, 14-digit time, JSON.

    Source: CDXJ as in the WACZ specification, section 5.2.2.
    """
    iterator = ArchiveIterator(stream)
    for record in iterator:
        if record.rec_type != "response":
            continue
        url = record.rec_headers.get_header("WARC-Target-URI")
        date = record.rec_headers.get_header("WARC-Date")
        entry = {
            "url": url,
            "mime": (record.http_headers.get_header("Content-Type") or "").split(";")[0],
            "status": record.http_headers.get_statuscode(),
            "digest": record.rec_headers.get_header("WARC-Payload-Digest"),
        }
        # The place is known once the record was read to its end.
        entry |= {
            "offset": iterator.get_record_offset(),
            "length": iterator.get_record_length(),
            "filename": filename,
        }
        stamp = "".join(c for c in date if c.isdigit())[:14]
        yield f"{surt(url)} {stamp} {json.dumps(entry, ensure_ascii=False)}"


def write_index(warc: Path, folder: Path) -> None:
    """Write a compressed CDXJ index: ``index.cdx.gz`` in blocks, ``index.idx`` over them."""
    with warc.open("rb") as stream:
        lines = sorted(cdxj_lines(stream, warc.name))
    over = ['!meta 0 {"format": "cdxj-gzip-1.0", "filename": "index.cdx.gz"}']
    with (folder / "index.cdx.gz").open("wb") as index:
        for at in range(0, len(lines), INDEX_LINES_A_BLOCK):
            block = lines[at : at + INDEX_LINES_A_BLOCK]
            packed = gzip.compress("".join(f"{line}\n" for line in block).encode(), mtime=0)
            place = {
                "offset": index.tell(),
                "length": len(packed),
                "digest": f"sha256:{hashlib.sha256(packed).hexdigest()}",
                "filename": "index.cdx.gz",
            }
            key = " ".join(block[0].split(" ", 2)[:2])
            over.append(f"{key} {json.dumps(place)}")
            index.write(packed)
    text = "".join(f"{line}\n" for line in over)
    (folder / "index.idx").write_text(text, encoding="utf-8")


def surt(url: str) -> str:
    """The Sort-friendly URI Reordering Transform of an HTTP URL, as CDX indexes use it.

    >>> surt("http://www.Example.com:8080/Path?b=1")
    'com,example,www:8080)/path?b=1'
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    labels = host.split(".")
    numeric = labels[-1].isdigit() or ":" in host
    key = host if numeric else ",".join(reversed(labels))
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if parts.port is not None and parts.port != default:
        key += f":{parts.port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{key}){parts.path or '/'}{query}".lower().replace(" ", "%20")
