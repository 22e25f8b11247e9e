"""Asking a time stamp authority (RFC 3161) over HTTP, and checking what it answers.

What comes back is taken for hostile: whole in bounded time and size, or not at all.
"""

from __future__ import annotations

import hashlib
import http.client
import socket
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from evidence.verifying.checks import Damaged
from evidence.verifying.stamps import check_stamp
from registry.errors import TouchstoneError

#: How long an authority may say nothing, and how long it may take in all.
SILENCE_SECONDS = 10.0
ANSWER_SECONDS = 20.0
#: A response with a chain of certificates has some 6 kB.
MAX_RESPONSE_BYTES = 256 << 10

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_GRANTED = 0


class AuthorityFailed(Exception):
    """There is no stamp from this authority now.

    Parameters
    ----------
    away
        Whether it would fail for every other digest too: it does not answer.
    """

    def __init__(self, reason: str, *, away: bool = False) -> None:
        super().__init__(reason)
        self.away = away


@dataclass(frozen=True, slots=True)
class Token:
    """A time stamp.

    Parameters
    ----------
    response
        The authority's whole response (TimeStampResp, DER): what ``openssl ts -verify -in``
        reads.
    at
        The time that it vouches for, in whole seconds.
    """

    response: bytes
    at: datetime


def ask(authority: str, digest: str, roots: Path | None) -> Token:
    """Have a digest stamped, and check the stamp.

    Parameters
    ----------
    authority
        Its URL.
    digest
        SHA-256 as hexadecimal digits.
    roots
        PEM file of the certificates that the stamp must lead to. Without it, its signature
        is checked with the certificate in it, for which nobody vouches.

    Raises
    ------
    AuthorityFailed
        If it cannot be reached, refuses, or answers with anything but a stamp of this
        digest for this request.
    """
    wanted = bytes.fromhex(digest)
    # The library hashes what it is given, and a bundle may not fit into memory: it is given
    # a byte, and the digest of that, of the same length, is replaced by ours.
    template = TimestampRequestBuilder().data(b"\0").hash_algorithm(HashAlgorithm.SHA256).build()
    query = template.as_bytes().replace(hashlib.sha256(b"\0").digest(), wanted)
    assert template.nonce is not None
    raw = _post(authority, query)
    try:
        response = decode_timestamp_response(raw)
        _check(response, wanted, template.nonce)
        if roots is not None:
            verifier = VerifierBuilder(nonce=template.nonce, roots=load_roots(roots)).build()
            verifier.verify(response, wanted)
        # Kept is only what our own verifier will accept for ever after.
        check_stamp("stamp", raw, {digest: "asked for"}, ())
        return Token(raw, response.tst_info.gen_time.astimezone(UTC))
    except (ValueError, VerificationError, TouchstoneError, Damaged) as error:
        raise AuthorityFailed(f"its answer is no stamp: {error}") from error


def _check(response: TimeStampResponse, digest: bytes, nonce: int) -> None:
    if response.status != _GRANTED:
        reason = "; ".join(response.status_string)[:200] or f"status {response.status}"
        raise AuthorityFailed(f"it refused: {reason}")
    info = response.tst_info
    imprint = info.message_imprint
    if imprint.hash_algorithm != _SHA256 or imprint.message != digest:
        raise AuthorityFailed("it stamped something else")
    if info.nonce != nonce:
        raise AuthorityFailed("its stamp answers another request: the nonce differs")
    if not response.signed_data.certificates:
        raise AuthorityFailed("its stamp carries no certificate")


def load_roots(path: Path) -> list[x509.Certificate]:
    """Read the certificates that stamps must lead to.

    Raises
    ------
    TouchstoneError
        If the file is not there or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TouchstoneError(
            f"no certificates in {path} ({error}): mend TOUCHSTONE_TIMESTAMP_ROOTS"
        ) from error


def _post(url: str, query: bytes) -> bytes:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    assert parts.hostname is not None
    connection = kind(parts.hostname, parts.port, timeout=SILENCE_SECONDS)
    late = threading.Event()
    try:
        connection.connect()
        # Limits of single reads bound nothing where a byte comes now and then.
        alarm = threading.Timer(ANSWER_SECONDS, _cut, (connection.sock, late))
        alarm.daemon = True
        alarm.start()
        try:
            connection.request(
                "POST",
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                query,
                {
                    "Content-Type": "application/timestamp-query",
                    "Accept": "application/timestamp-reply",
                },
            )
            response = connection.getresponse()
            body = response.read(MAX_RESPONSE_BYTES + 1)
        finally:
            alarm.cancel()
    except (OSError, http.client.HTTPException) as error:
        if not late.is_set():
            reason = f"{type(error).__name__}: {error}"
            raise AuthorityFailed(f"it cannot be asked: {reason}"[:300], away=True) from error
    finally:
        connection.close()
    if late.is_set():
        raise AuthorityFailed(f"no whole answer in {ANSWER_SECONDS:.0f} seconds", away=True)
    # A redirect is not followed: where it leads, nobody has configured.
    if response.status != http.client.OK:
        raise AuthorityFailed(f"it answered HTTP {response.status}", away=True)
    if len(body) > MAX_RESPONSE_BYTES:
        raise AuthorityFailed(f"its answer is larger than {MAX_RESPONSE_BYTES} bytes")
    return body


def _cut(connection: socket.socket, late: threading.Event) -> None:
    late.set()
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # it was over by itself
