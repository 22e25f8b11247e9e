"""Time stamps (RFC 3161): that an authority saw this digest at this time.

A stamp is the authority's whole response, as `openssl ts -verify -in` reads it. Each is held
against a digest that was worked out here, never against one that it brings along.

Source: RFC 3161, sections 2.4.2 and 2.3; RFC 5652 (CMS), section 5; RFC 5816 (ESSCertIDv2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from evidence.verifying.authorities import Authority, read_certificates, verify_token_signature
from evidence.verifying.checks import Damaged
from evidence.verifying.der import OCTET_STRING, SEQUENCE, SET, Element, NotDer, read_der

MAX_TOKEN_BYTES = 1 << 20

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
_HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
#: Still fine for naming a certificate (ESSCertID is SHA-1 by definition), not for signing.
_FOR_SIGNING = frozenset({"sha256", "sha384", "sha512"})


@dataclass(frozen=True)
class Token:
    """What a token says, read but not believed."""

    imprint: str
    gen_time: datetime
    serial: int
    policy: str
    content: bytes
    signer: Element
    certificates: tuple[bytes, ...]


@dataclass(frozen=True)
class Stamped:
    """A stamp that is well.

    Parameters
    ----------
    digest
        Which of the digests it is of.
    """

    digest: str
    gen_time: datetime
    authority: Authority
    certificates: tuple[bytes, ...]

    @property
    def detail(self) -> str:
        """In words."""
        return f"{self.gen_time:%Y-%m-%dT%H:%M:%S}Z; {self.authority.judgement}"


def read_token(part: str, data: bytes) -> Token:
    """Read a whole response.

    Raises
    ------
    Damaged
        If it is none that grants a stamp.
    """
    try:
        status, *rest = read_der(data).sequence(1)
        if status.sequence(1)[0].integer() not in (0, 1) or len(rest) != 1:
            raise Damaged(part, "the authority did not grant it")
        kind, content = rest[0].sequence(2)
        if kind.oid() != _SIGNED_DATA:
            raise NotDer("not signed data")
        return _signed_data(content.sequence(1, 0xA0)[0])
    except (NotDer, ValueError, OverflowError) as error:
        raise Damaged(part, f"it is no time stamp: {error}") from error


def _signed_data(signed: Element) -> Token:
    _version, _algorithms, inner, *rest = signed.sequence(4)
    kind, boxed = inner.sequence(2)
    if kind.oid() != _TST_INFO:
        raise NotDer("it is signed data of another kind")
    content = boxed.sequence(1, 0xA0)[0].demand(OCTET_STRING)
    certificates: tuple[bytes, ...] = ()
    if rest[0].tag == 0xA0:
        certificates = tuple(part.whole for part in rest.pop(0).parts())
    if rest and rest[0].tag == 0xA1:
        rest.pop(0)  # revocation lists: whoever judges the chain gets fresh ones
    if len(rest) != 1:
        raise NotDer("it has more than signers at its end")
    signers = rest[0].sequence(1, SET)
    if len(signers) != 1:
        raise NotDer(f"{len(signers)} signers where one belongs")
    version, policy, imprint, serial, gen_time, *_ = read_der(content).sequence(5)
    if version.integer() != 1:
        raise NotDer("its version is not 1")
    algorithm, hashed = imprint.sequence(2)
    if _hash_name(algorithm) != "sha256":
        raise NotDer("its digest is not SHA-256")
    return Token(
        hashed.demand(OCTET_STRING).hex(),
        gen_time.time(),
        serial.integer(),
        policy.oid(),
        content,
        signers[0],
        certificates,
    )


def _hash_name(algorithm: Element) -> str:
    oid = algorithm.sequence(1)[0].oid()
    if oid not in _HASHES:
        raise NotDer(f"{oid} is no hash that is known here")
    return _HASHES[oid]


def check_stamp(
    part: str, data: bytes, digests: Mapping[str, str], roots: tuple[bytes, ...]
) -> Stamped:
    """Check a stamp.

    Parameters
    ----------
    digests
        SHA-256 of what it may be of, each with its name.
    roots
        Certificates (DER) of authorities that the reader trusts.

    Raises
    ------
    Damaged
        If it is not a good stamp of one of these.
    Unchecked
        Without `cryptography`, if nothing else is wrong.
    """
    token = read_token(part, data)
    if token.imprint not in digests:
        raise Damaged(part, f"it is a stamp of something else: sha256:{token.imprint}")
    try:
        authority = _check_signer(part, token, roots)
    except (NotDer, ValueError) as error:
        raise Damaged(part, f"its signature cannot be read: {error}") from error
    return Stamped(digests[token.imprint], token.gen_time, authority, token.certificates)


def _check_signer(part: str, token: Token, roots: tuple[bytes, ...]) -> Authority:
    """Check the signer's attributes, the certificate that they name, and the signature."""
    _version, named, algorithm, attributes, method, signature, *_ = token.signer.sequence(6)
    hash_name = _hash_name(algorithm)
    if hash_name not in _FOR_SIGNING:
        raise Damaged(part, f"it was signed with {hash_name}, which can be forged")
    values = _attributes(attributes)
    if values.get(_CONTENT_TYPE, named).oid() != _TST_INFO:
        raise Damaged(part, "its signature is of another kind of content")
    digest = values.get(_MESSAGE_DIGEST)
    found = hashlib.new(hash_name, token.content).digest()
    if digest is None or digest.demand(OCTET_STRING) != found:
        raise Damaged(part, "what it says is not what was signed")
    certificate = _named_certificate(part, token, values)
    read = read_certificates(part, certificate, token.certificates)
    if not _names(named, read.issuer, read.serial, read.key_identifier):
        raise Damaged(part, "it names one certificate and was signed by another")
    # Signed is the SET, which stands in the token under another tag.
    signed = bytes([SET]) + attributes.whole[1:]
    verify_token_signature(part, read, method, signature.demand(OCTET_STRING), signed, hash_name)
    return read.judge(part, token.gen_time, roots)


def _attributes(attributes: Element) -> dict[str, Element]:
    """The signed attributes: each once, with one value."""
    values: dict[str, Element] = {}
    for attribute in attributes.sequence(2, 0xA0):
        kind, found = attribute.sequence(2)
        inner = found.sequence(1, SET)
        if kind.oid() in values or len(inner) != 1:
            raise NotDer("a signed attribute stands in it twice")
        values[kind.oid()] = inner[0]
    if _CONTENT_TYPE not in values:
        raise NotDer("it does not sign what kind of content it is")
    return values


def _named_certificate(part: str, token: Token, values: Mapping[str, Element]) -> bytes:
    """The certificate that the signed attributes name by its hash."""
    if _SIGNING_CERTIFICATE_V2 in values:
        first = values[_SIGNING_CERTIFICATE_V2].sequence(1)[0].sequence(1)[0]
        fields = first.sequence(1)
        name = "sha256"
        if fields[0].tag == SEQUENCE:
            name = _hash_name(fields.pop(0))
    elif _SIGNING_CERTIFICATE in values:
        first = values[_SIGNING_CERTIFICATE].sequence(1)[0].sequence(1)[0]
        fields, name = first.sequence(1), "sha1"
    else:
        raise Damaged(part, "it does not sign which certificate it was made with")
    wanted = fields[0].demand(OCTET_STRING)
    for certificate in token.certificates:
        if hashlib.new(name, certificate).digest() == wanted:
            return certificate
    raise Damaged(part, "the certificate that it was made with is not in it")


def _names(named: Element, issuer: bytes, serial: int, identifier: bytes) -> bool:
    """Whether a signer identifier is of this certificate."""
    if named.tag == 0x80:
        return named.content == identifier
    parts = named.sequence(2)
    return parts[0].whole == issuer and parts[1].integer() == serial
