"""Writing exchanges as WARC 1.1 (ISO 28500:2017), with SHA-256 digests, and indexing them."""

from __future__ import annotations

import gzip
import hashlib
import json
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.network.gateway import Lookup
from evidence.capturing.exchanges import Exchange, endpoint
from evidence.packing.posting import MAX_BODY, body_as_query
from evidence.verifying.indexes import posted_address, surt

#: The browser hands bodies over decoded, so these would describe bytes that are not there.
#: They are kept under the name that replay tools know.
_DESCRIBES_TRANSFER = frozenset({"content-encoding", "transfer-encoding", "content-length"})

INDEX_LINES_A_BLOCK = 1024
REVISIT = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
#: As much of a payload is tried for whether packing it is worth the time.
_SAMPLE_BYTES = 1 << 16


def warc_date(moment: datetime) -> str:
    """A time as WARC 1.1 writes it: UTC, microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def write_warc(
    path: Path,
    info: Mapping[str, str],
    exchanges: Iterable[Exchange],
    *,
    certificates: Mapping[str, Sequence[bytes]] | None = None,
    lookups: Iterable[Lookup] = (),
) -> None:
    """Write a gzipped WARC, one gzip member a record.

    Parameters
    ----------
    info
        Fields of the warcinfo record: software, operator, why.
    certificates
        For each ``host:port`` the certificates that it showed, in DER. The records of its
        responses name the record with them in WARC-Concurrent-To.
    lookups
        What the resolver answered.
    """
    with path.open("wb") as stream:
        archive = _Archive(stream)
        archive.warcinfo(path.name, info)
        for lookup in lookups:
            archive.lookup(lookup)
        for name, chain in (certificates or {}).items():
            if chain:
                archive.certificates(name, chain)
        for exchange in exchanges:
            archive.exchange(exchange)


class _Archive:
    """A WARC that is being written.

    Attributes
    ----------
    payloads
        For each payload digest, the response that has it: date and URL.
    chains
        For each ``host:port`` the id of the record with its certificates.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._writer = WARCWriter(stream, gzip=False, warc_version="1.1")
        self.payloads: dict[str, tuple[str, str]] = {}
        self.chains: dict[str, str] = {}

    def warcinfo(self, filename: str, info: Mapping[str, str]) -> None:
        """What made this archive, and why."""
        record = self._writer.create_warcinfo_record(filename, dict(info))
        record.rec_headers.add_header("WARC-Block-Digest", _digests(record.raw_stream)[0])
        self._write(record)

    def lookup(self, lookup: Lookup) -> None:
        """A DNS answer, as crawlers write them (RFC 4027, RFC 4501).

        The resolver of the system tells no time to live, so there is none.
        """
        lines = [lookup.at.astimezone(UTC).strftime("%Y%m%d%H%M%S")]
        for ip in lookup.addresses:
            kind = "AAAA" if ":" in ip else "A"
            lines.append(f"{lookup.host.rstrip('.')}.\tIN\t{kind}\t{ip}")
        self._resource(
            f"dns:{lookup.host}",
            "".join(f"{line}\r\n" for line in lines).encode(),
            "text/dns",
            lookup.at,
        )

    def certificates(self, name: str, chain: Sequence[bytes]) -> None:
        """The certificates that a server showed, its own first (RFC 8555, section 9.1)."""
        pem = "".join(ssl.DER_cert_to_PEM_cert(one) for one in chain).encode()
        url = f"urn:touchstone:certificate-chain:{name}"
        kind = "application/pem-certificate-chain"
        self.chains[name] = self._resource(url, pem, kind, datetime.now(UTC))

    def _resource(self, url: str, data: bytes, kind: str, at: datetime) -> str:
        return self._simple("resource", url, data, kind, {"WARC-Date": warc_date(at)})

    def _simple(self, type_: str, url: str, data: bytes, kind: str, fields: dict[str, str]) -> str:
        """A record whose block is its payload; its id."""
        digest = _digests(BytesIO(data))[0]
        record = self._writer.create_warc_record(
            url,
            type_,
            payload=BytesIO(data),
            length=len(data),
            warc_content_type=kind,
            warc_headers_dict=fields | {"WARC-Payload-Digest": digest, "WARC-Block-Digest": digest},
        )
        return self._write(record)

    def exchange(self, exchange: Exchange) -> None:
        """Response, request, and what went wrong: each a record of its own."""
        fields = {"WARC-Date": warc_date(exchange.started_at)}
        if exchange.answered:
            response_id = self._response(exchange)
            fields["WARC-Concurrent-To"] = response_id
        if exchange.request_truncated is not None:
            fields["WARC-Truncated"] = exchange.request_truncated
        parts = urlsplit(exchange.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = exchange.headers_sent()
        if not any(name.lower() == "host" for name, _ in headers):
            headers.insert(0, ("Host", parts.netloc.rpartition("@")[2]))
        request_id = self._http(
            "request",
            exchange.url,
            exchange.posted,
            StatusAndHeaders(f"{exchange.method} {target} HTTP/1.1", headers, is_http_request=True),
            list(fields.items()),
        )
        # A request that got no answer, or not all of it, or from elsewhere, is a fact too.
        facts = {"fetch-error": exchange.error, "via": exchange.via}
        said = "".join(f"{name}: {fact}\r\n" for name, fact in facts.items() if fact)
        if said:
            self._simple(
                "metadata",
                exchange.url,
                said.encode(),
                "application/warc-fields",
                {"WARC-Date": fields["WARC-Date"], "WARC-Concurrent-To": request_id},
            )

    def _response(self, exchange: Exchange) -> str:
        told = exchange.response or {}
        length = exchange.body.stat().st_size if exchange.body else 0
        headers = [
            (f"X-Archive-Orig-{name}" if name.lower() in _DESCRIBES_TRANSFER else name, value)
            for name, value in exchange.headers_received()
        ]
        headers.append(("Content-Length", str(length)))
        phrase = told.get("statusText") or _phrase(exchange.status)
        fields = [("WARC-Date", warc_date(exchange.started_at)), *self._connection(exchange, told)]
        if exchange.truncated is not None:
            fields.append(("WARC-Truncated", exchange.truncated))
        status = StatusAndHeaders(
            f"{exchange.status} {phrase}".strip(), headers, protocol="HTTP/1.1"
        )
        payload = exchange.body if exchange.body else b""
        can_repeat = exchange.truncated is None and length > 0
        return self._http("response", exchange.url, payload, status, fields, can_repeat=can_repeat)

    def _connection(self, exchange: Exchange, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """With whom the browser spoke, and how."""
        if told.get("remoteIPAddress"):
            yield "WARC-IP-Address", str(told["remoteIPAddress"]).strip("[]")
        if told.get("protocol"):
            yield "WARC-Protocol", str(told["protocol"])
        security = told.get("securityDetails")
        if security:
            # Source: iipc/warc-specifications, proposal WARC-Protocol and WARC-Cipher-Suite.
            yield "WARC-Protocol", str(security.get("protocol", "")).lower().replace(" ", "/")
            suite = cipher_suite(security)
            if suite is not None:
                yield "WARC-Cipher-Suite", suite
            host, port = endpoint(exchange.url)
            if f"{host}:{port}" in self.chains:
                yield "WARC-Concurrent-To", self.chains[f"{host}:{port}"]

    def _http(
        self,
        type_: str,
        url: str,
        payload: bytes | Path,
        head: StatusAndHeaders,
        fields: list[tuple[str, str]],
        *,
        can_repeat: bool = False,
    ) -> str:
        head.compute_headers_buffer()
        file = payload.open("rb") if isinstance(payload, Path) else BytesIO(payload)
        with file:
            block, digest = _digests(file, head.headers_buff)
            first = self.payloads.get(digest) if can_repeat else None
            if first is not None:
                type_ = "revisit"
                fields = [
                    *fields,
                    ("WARC-Profile", REVISIT),
                    ("WARC-Refers-To-Date", first[0]),
                    ("WARC-Refers-To-Target-URI", first[1]),
                ]
                block = _digests(BytesIO(), head.headers_buff)[0]
            elif can_repeat:
                self.payloads[digest] = dict(fields)["WARC-Date"], url
            fields = [*fields, ("WARC-Payload-Digest", digest), ("WARC-Block-Digest", block)]
            record = self._writer.create_warc_record(
                url,
                type_,
                payload=BytesIO() if first is not None else file,
                length=0 if first is not None else file.seek(0, SEEK_END),
                warc_headers_dict=_Repeatable(fields),
                http_headers=head,
            )
            file.seek(0)
            return self._write(record)

    def _write(self, record: Any) -> str:
        """Write a record as a gzip member; its id."""
        member = _Member(self._stream, _level(record.raw_stream))
        self._writer.out = member
        self._writer.write_record(record)
        member.close()
        return str(record.rec_headers.get_header("WARC-Record-ID"))


class _Repeatable(dict[str, str]):
    """Fields of which some come more than once, for a library that takes a dictionary."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__(fields)
        self._fields = fields

    def items(self) -> Any:
        return self._fields


class _Member:
    """A gzip member that is written to a stream."""

    def __init__(self, stream: BinaryIO, level: int) -> None:
        self._stream = stream
        self._packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS | 16)

    def write(self, data: bytes) -> None:
        self._stream.write(self._packer.compress(data))

    def flush(self) -> None:
        """The library means the end of the record, which `close` writes."""

    def close(self) -> None:
        self._stream.write(self._packer.flush())


def _level(payload: BinaryIO) -> int:
    """How much to pack a payload: pictures and films are packed already."""
    sample = payload.read(_SAMPLE_BYTES)
    payload.seek(0)
    if len(sample) < 1024:
        return 6
    return 6 if len(zlib.compress(sample, 1)) < 0.9 * len(sample) else 0


def _digests(payload: BinaryIO, head: bytes = b"") -> tuple[str, str]:
    """SHA-256 of a block and of the payload in it."""
    payload.seek(0)
    whole, part = hashlib.sha256(head), hashlib.sha256()
    while chunk := payload.read(1 << 20):
        whole.update(chunk)
        part.update(chunk)
    payload.seek(0)
    return f"sha256:{whole.hexdigest()}", f"sha256:{part.hexdigest()}"


def cipher_suite(security: Mapping[str, Any]) -> str | None:
    """The name that IANA gave to a cipher suite, from what the browser tells of it.

    >>> cipher_suite({"protocol": "TLS 1.3", "cipher": "AES_256_GCM"})
    'TLS_AES_256_GCM_SHA384'
    >>> cipher_suite({"protocol": "TLS 1.2", "keyExchange": "ECDHE_RSA", "cipher": "AES_128_GCM"})
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
    """
    cipher, exchange = security.get("cipher"), security.get("keyExchange")
    if not cipher:
        return None
    mac = {"HMAC-SHA1": "SHA", "HMAC-SHA256": "SHA256", "HMAC-SHA384": "SHA384"}.get(
        str(security.get("mac")), "SHA384" if "256_GCM" in cipher else "SHA256"
    )
    if security.get("protocol") == "TLS 1.3":
        return f"TLS_{cipher}_{mac}"
    return f"TLS_{exchange}_WITH_{cipher}_{mac}" if exchange else None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def cdxj_lines(stream: Any, filename: str) -> Iterator[str]:
    """Index lines of the responses and revisits in a WARC, unsorted: SURT, 14-digit time, JSON.

    An answer to anything but a GET has ``method`` and ``requestBody`` as well, and both go
    into its key (`evidence.packing.posting`): its request is the record right behind it.

    The JSON has, in this order: ``url``, ``mime`` (Content-Type up to the first semicolon; for
    a revisit always ``warc/revisit``, whatever its head says), ``status`` (text), ``digest``
    (WARC-Payload-Digest), ``offset``, ``length``, ``filename``. Other records (requests,
    metadata, resources such as DNS answers and certificates) are not listed.

    Source: CDXJ as in the WACZ specification, section 5.2.2; ``warc/revisit`` as pywb,
    cdxj-indexer and wabac write and read it.
    """
    iterator = ArchiveIterator(stream)
    answer: dict[str, Any] = {}
    stamp = answered = ""
    for record in iterator:
        if answer:
            yield _index_line(answer, stamp, _request_of(record, answered))
            answer = {}
        if record.rec_type not in ("response", "revisit"):
            continue
        answered = record.rec_headers.get_header("WARC-Record-ID")
        url = record.rec_headers.get_header("WARC-Target-URI")
        date = record.rec_headers.get_header("WARC-Date")
        mime = (record.http_headers.get_header("Content-Type") or "").split(";")[0]
        answer = {
            "url": url,
            "mime": "warc/revisit" if record.rec_type == "revisit" else mime,
            "status": record.http_headers.get_statuscode(),
            "digest": record.rec_headers.get_header("WARC-Payload-Digest"),
        }
        # The place is known once the record was read to its end.
        answer |= {
            "offset": iterator.get_record_offset(),
            "length": iterator.get_record_length(),
            "filename": filename,
        }
        stamp = "".join(c for c in date if c.isdigit())[:14]
    if answer:
        yield _index_line(answer, stamp, {})


def _index_line(answer: Mapping[str, Any], stamp: str, request: Mapping[str, str]) -> str:
    url: str = answer["url"]
    if request:
        url = posted_address(url, request["method"], request["requestBody"])
    return f"{surt(url)} {stamp} {json.dumps({**answer, **request}, ensure_ascii=False)}"


def _request_of(record: Any, answered: str) -> dict[str, str]:
    """Method and body of the request to which an answer came, if it was no GET."""
    if record.rec_type != "request":
        return {}
    if record.rec_headers.get_header("WARC-Concurrent-To") != answered:
        return {}
    method = record.http_headers.protocol
    if method == "GET":
        return {}
    kind = record.http_headers.get_header("Content-Type") or ""
    body = record.raw_stream.read(MAX_BODY + 1) if method != "HEAD" else b""
    return {"method": method, "requestBody": body_as_query(kind, body)}


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
