"""Time stamps of every kind: other keys, other hashes, wrong certificates, broken tokens."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from evidence.verifying.checks import Damaged
from evidence.verifying.der import NotDer, read_der
from evidence.verifying.stamps import Stamped, check_stamp, read_token
from tests.evidence import bundles
from tests.evidence.authority import Authority

DIGEST = bundles.sha256(b"what is stamped")
KINDS: dict[str, Any] = {
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


def certify(
    name: str,
    issuer: Holder | None = None,
    *,
    kind: str = "ec",
    ca: bool = False,
    path_length: int | None = None,
    usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    critical: bool = True,
    days: tuple[int, int] = (-1, 1),
) -> Holder:
    """A certificate as it pleases."""
    key = KINDS[kind]()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if usages and not ca:
        built = built.add_extension(x509.ExtendedKeyUsage(usages), critical=critical)
    return Holder(built.sign(issuer.key if issuer else key, SHA256()), key)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("tsa"))
    authority.make()
    return authority


@pytest.fixture(scope="module")
def token(tsa: Authority) -> bytes:
    return bundles.stamp(tsa, DIGEST)


@pytest.fixture
def resign(token: bytes, tmp_path: Path) -> Any:
    """What the token says, signed anew by whom one likes, as `openssl cms` does it."""
    said = read_token("t", token).content

    def make(holder: Holder, *others: Holder, options: tuple[str, ...] = (), md: str = "sha256",
             cades: tuple[str, ...] = ("-cades",)) -> bytes:  # fmt: skip
        (tmp_path / "tst").write_bytes(said)
        pem = holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "key.pem").write_bytes(pem)
        (tmp_path / "cert.pem").write_bytes(holder.certificate.public_bytes(Encoding.PEM))
        chain = b"".join(other.certificate.public_bytes(Encoding.PEM) for other in others)
        (tmp_path / "chain.pem").write_bytes(chain)
        more = ("-certfile", "chain.pem") if others else ()
        made = subprocess.run(
            ["openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap", *cades,
             "-econtent_type", "1.2.840.113549.1.9.16.1.4", "-in", "tst", "-outform", "DER",
             "-signer", "cert.pem", "-inkey", "key.pem", "-md", md, *more, *options],
            cwd=tmp_path, capture_output=True, check=True,
        ).stdout  # fmt: skip
        return sequence(bytes.fromhex("3003020100") + made)

    return make


def sequence(content: bytes) -> bytes:
    size = len(content)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    head = bytes([size]) if size < 128 else bytes([0x80 | len(length)]) + length
    return b"\x30" + head + content


def check(data: bytes, *roots: Holder, digest: str = DIGEST) -> Stamped:
    return check_stamp("t", data, {digest: "it"}, tuple(root.der for root in roots))


def test_a_real_stamp(token: bytes, tsa: Authority) -> None:
    made = check(token)
    assert (made.digest, made.authority.subject) == ("it", "CN=Test authority")
    assert abs(made.gen_time - datetime.now(UTC)) < timedelta(hours=1)
    with pytest.raises(Damaged, match="something else"):
        check(token, digest=bundles.sha256(b"other"))


@pytest.mark.parametrize(
    ("kind", "md", "options"),
    [
        ("ec", "sha256", ()),
        ("ec", "sha384", ()),
        ("rsa", "sha256", ()),
        ("rsa", "sha512", ()),
        ("rsa", "sha256", ("-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32")),
        ("ec", "sha256", ("-keyid",)),
    ],
)
def test_all_that_authorities_sign_with(
    resign: Any, kind: str, md: str, options: tuple[str, ...]
) -> None:
    root = certify("root", ca=True)
    signer = certify("stamper", root, kind=kind)
    data = resign(signer, md=md, options=options)
    assert check(data, root).authority.subject == "CN=stamper"
    assert "not judged" in check(data).authority.judgement
    last = bytearray(data)
    last[-1] ^= 1  # of the signature
    with pytest.raises(Damaged):
        check(bytes(last), root)


def test_what_a_stamp_must_not_be_signed_with(resign: Any) -> None:
    root = certify("root", ca=True)
    for signer, why in (
        (certify("s", root, usages=()), "time stamps only"),
        (certify("s", root, critical=False), "time stamps only"),
        (certify("s", root, usages=(ExtendedKeyUsageOID.CODE_SIGNING,)), "time stamps only"),
        (
            certify(
                "s", root,
                usages=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING),
            ),
            "time stamps only",
        ),
        (certify("s", root, days=(-3, -2)), "not valid at the time"),
        (certify("s", root, days=(2, 3)), "not valid at the time"),
    ):  # fmt: skip
        with pytest.raises(Damaged, match=why):
            check(resign(signer))
    good = certify("s", root)
    with pytest.raises(Damaged, match="can be forged"):
        check(resign(good, md="sha1"))
    with pytest.raises(Damaged, match="which certificate"):
        check(resign(good, cades=()))
    with pytest.raises(Damaged, match="not in it"):
        check(resign(good, options=("-nocerts",)))


def test_who_vouches(resign: Any) -> None:
    root = certify("root", ca=True)
    middle = certify("middle", root, ca=True, path_length=0)
    signer = certify("stamper", middle)
    assert "CN=root" in check(resign(signer, middle), root).authority.judgement
    assert "CN=middle" in check(resign(signer), middle).authority.judgement
    assert "CN=stamper" in check(resign(signer), signer).authority.judgement

    def refused(data: bytes, *roots: Holder) -> None:
        with pytest.raises(Damaged, match="none of the roots"):
            check(data, *roots)

    refused(resign(signer), root)  # the one between is missing
    refused(resign(signer, middle), certify("root", ca=True))  # of the same name
    lower = certify("lower", middle, ca=True)
    refused(resign(certify("s", lower), lower, middle), root)  # longer than it may be
    no_authority = certify("plain", root)
    refused(resign(certify("s", no_authority), no_authority), root)
    expired = certify("old", root, ca=True, days=(-9, -8))
    refused(resign(certify("s", expired), expired), root)


def test_a_changed_byte_does_not_pass_for_something_else(token: bytes) -> None:
    """Whatever is changed: it is refused, or it was not in what the authority signed."""
    whole = check(token)
    dice = random.Random(4)
    passed = 0
    for _ in range(1500):
        data = bytearray(token)
        data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
        try:
            made = check(bytes(data))
        except Damaged:
            continue
        passed += 1
        assert (made.gen_time, made.authority) == (whole.gen_time, whole.authority)
    assert passed < 60  # fields of the envelope, which nobody signed
    for size in range(0, len(token), 7):
        with pytest.raises(Damaged):
            check(token[:size])


@pytest.mark.parametrize(
    "text",
    ["", "30", "3080", "30800000", "3081020500", "308200020500", "30850000000002", "1f8101",
     "020100ff", "0500" * 2, "30020500" + "00", "3003020100" * 2, "3f00"],
)  # fmt: skip
def test_what_is_no_der(text: str) -> None:
    with pytest.raises(NotDer):
        read_der(bytes.fromhex(text)).sequence(1)


def test_numbers_names_and_times() -> None:
    assert read_der(bytes.fromhex("0202ff7f")).integer() == -129
    for text in ("0200", "02020001", "0202ffff"):
        with pytest.raises(NotDer):
            read_der(bytes.fromhex(text)).integer()
    assert read_der(bytes.fromhex("06062a864886f70d")).oid() == "1.2.840.113549"
    for text in ("0600", "060180", "06032a8001", "06022a86"):
        with pytest.raises(NotDer):
            read_der(bytes.fromhex(text)).oid()

    def time(text: bytes) -> datetime:
        return read_der(bytes([24, len(text)]) + text).time()

    assert time(b"20261101120000Z") == datetime(2026, 11, 1, 12, tzinfo=UTC)
    assert time(b"20261101120000.25Z").microsecond == 250_000
    for wrong in (b"20261101120000", b"202611011200Z", b"20261101120000.0Z", b"20261101120000.Z",
                  b"20261301120000Z", b"20261101120000+01", b"20261101120000ZZ"):  # fmt: skip
        with pytest.raises(NotDer):
            time(wrong)
