"""Keys and signers: who can read them, what rotation leaves, and whether openssl agrees."""

from __future__ import annotations

import base64
import hashlib
import json
import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from uuid_utils.compat import uuid7

from evidence.packing import wacz
from evidence.signing.signer import (
    KeyFolder,
    Signer,
    open_signer,
    pem_of,
    public_keys,
    verifies,
)
from registry.errors import TouchstoneError
from registry.settings import Settings

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)

EXTERNAL = """#!{python}
import sys
from pathlib import Path
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
key = serialization.load_pem_private_key(Path({key!r}).read_bytes(), None)
if sys.argv[1] == "public-key":
    sys.stdout.buffer.write(key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
else:
    data = sys.stdin.buffer.read()
    r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    print(r.to_bytes(48, "big").hex() + s.to_bytes(48, "big").hex())
"""


def settings_in(folder: Path, **changes: str) -> Settings:
    return Settings(data_dir=folder, operator="tester", **changes)  # type: ignore[arg-type]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pack(folder: Path, signer: Signer) -> Path:
    (folder / "parts" / "archive").mkdir(parents=True)
    (folder / "parts" / "archive" / "data.warc.gz").write_bytes(b"an archive")
    page = wacz.Page(uuid7(), "http://shop.example/", NOW, "Tote", "Tote")
    target = folder / "bundle.wacz"
    packed = wacz.pack(
        folder / "parts", target, pages=[page], software="t", created=NOW, title="t", signer=signer
    )
    assert packed.sha256 == hashlib.sha256(target.read_bytes()).hexdigest()
    assert packed.parts["archive/data.warc.gz"] == hashlib.sha256(b"an archive").hexdigest()
    return target


def test_a_key_comes_into_being_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    old = os.umask(0)
    try:
        signer = open_signer(settings)
    finally:
        os.umask(old)
    keys = tmp_path / "keys"
    assert mode(keys) == 0o700
    assert mode(keys / f"{signer.key_id}.pem") == 0o600
    assert hashlib.sha256(signer.public_key).hexdigest() == signer.key_id
    assert open_signer(settings).key_id == signer.key_id
    assert KeyFolder(keys).create() == signer.key_id
    assert public_keys(settings) == {signer.key_id: signer.public_key}


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, bits: int) -> None:
    settings = settings_in(tmp_path)
    path = tmp_path / "keys" / f"{open_signer(settings).key_id}.pem"
    path.chmod(bits)
    with pytest.raises(TouchstoneError, match=f"chmod 600 {path}"):
        open_signer(settings)
    path.chmod(0o600)
    open_signer(settings)
    path.parent.chmod(0o770)
    with pytest.raises(TouchstoneError, match="chmod 700"):
        open_signer(settings)


def test_a_key_that_is_lost_damaged_or_another_is_not_replaced_in_silence(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    path = tmp_path / "keys" / f"{open_signer(settings).key_id}.pem"
    kept = path.read_bytes()
    other = open_signer(settings_in(tmp_path / "other")).key_id
    for wrong in (
        b"",
        b"nonsense",
        kept[:100],
        (tmp_path / f"other/keys/{other}.pem").read_bytes(),
    ):
        path.write_bytes(wrong)
        with pytest.raises(TouchstoneError, match="touchstone key rotate"):
            open_signer(settings)
    path.unlink()
    with pytest.raises(TouchstoneError, match="touchstone key rotate"):
        open_signer(settings)


def test_rotation_keeps_what_verifies_and_removes_what_signs(tmp_path: Path) -> None:
    settings, folder = settings_in(tmp_path), KeyFolder(tmp_path / "keys")
    first = open_signer(settings)
    signature = first.sign(b"before")
    (folder.path / ".part-killed").write_bytes(b"left by a process that was killed")
    assert folder.rotate() == open_signer(settings).key_id != first.key_id
    assert set(public_keys(settings)) == {first.key_id, open_signer(settings).key_id}
    assert verifies(public_keys(settings)[first.key_id], signature, b"before")
    assert not verifies(open_signer(settings).public_key, signature, b"before")
    private = [p.name for p in folder.path.glob("*.pem") if not p.name.endswith(".pub.pem")]
    assert private == [f"{open_signer(settings).key_id}.pem"]
    assert not list(folder.path.glob(".part-*"))


def test_a_key_made_by_a_process_that_was_killed_is_taken_up(tmp_path: Path) -> None:
    folder = KeyFolder(tmp_path / "keys")
    key_id = folder.create()
    (folder.path / "current").unlink()
    assert folder.create() == key_id
    assert list(folder.public_keys()) == [key_id]


def create(path: Path) -> str:
    return KeyFolder(path).create()


def test_many_at_once_make_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        made = pool.map(create, [tmp_path / "keys"] * 40, chunksize=1)
    assert len(set(made)) == 1
    assert len(list((tmp_path / "keys").glob("*.pem"))) == 2
    assert KeyFolder(tmp_path / "keys").open().key_id == made[0]


def test_a_bundle_is_signed_as_the_specification_says(tmp_path: Path) -> None:
    """Checked without our code: from the JSON, with `cryptography`, and with `openssl`."""
    bundle = pack(tmp_path, open_signer(settings_in(tmp_path / "data")))
    with zipfile.ZipFile(bundle) as container:
        package = container.read("datapackage.json")
        digest = json.loads(container.read("datapackage-digest.json"))
    found = f"sha256:{hashlib.sha256(package).hexdigest()}"
    assert set(digest) == {"path", "hash", "signedData"}
    assert (digest["path"], digest["hash"]) == ("datapackage.json", found)
    signed = digest["signedData"]
    assert set(signed) == {"hash", "created", "software", "version", "signature", "publicKey"}
    assert signed["hash"] == found
    assert signed["version"] == "0.1.0"
    assert datetime.fromisoformat(signed["created"]) == NOW
    raw = base64.b64decode(signed["signature"], validate=True)
    assert len(raw) == 96
    der = encode_dss_signature(int.from_bytes(raw[:48]), int.from_bytes(raw[48:]))
    key = serialization.load_der_public_key(base64.b64decode(signed["publicKey"], validate=True))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp384r1"
    key.verify(der, found.encode(), ec.ECDSA(hashes.SHA256()))
    (tmp_path / "signature").write_bytes(der)
    (tmp_path / "text").write_bytes(found.encode())
    (tmp_path / "key.pem").write_bytes(
        key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "text"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "Verified OK"


def external(folder: Path) -> Path:
    """An external signer with a key of its own."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP384R1())
    (folder / "secret").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    command = folder / "signer"
    command.write_text(EXTERNAL.format(python=sys.executable, key=str(folder / "secret")))
    command.chmod(0o755)
    return command


def test_an_external_signer(tmp_path: Path) -> None:
    command = external(tmp_path / "card")
    settings = settings_in(tmp_path / "data", signer=f"exec:{command}")
    signer = open_signer(settings)
    assert verifies(signer.public_key, signer.sign(b"data"), b"data")
    assert public_keys(settings) == {signer.key_id: signer.public_key}
    assert not [p for p in (tmp_path / "data/keys").glob("*.pem") if ".pub" not in p.name]
    pack(tmp_path, signer)
    # Its key changes behind the command: what signed before is still known.
    external(tmp_path / "card")
    successor = open_signer(settings)
    assert set(public_keys(settings)) == {signer.key_id, successor.key_id}
    with pytest.raises(TouchstoneError, match="not a signature"):
        signer.sign(b"by the new key, under the old one's name")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 3", "ended with 3"),
        ("echo no pem", "no PEM"),
        ("echo locked >&2; exit 1", "locked"),
        ("[ $1 = public-key ] && cat KEY || echo zz", "no hex"),
        ("[ $1 = public-key ] && cat KEY || echo 00ff", "not a signature"),
        ("[ $1 = public-key ] && cat KEY || exit 9", "ended with 9"),
        ("cat P256", "P-384"),
    ],
)
def test_an_external_signer_that_does_not_work(tmp_path: Path, script: str, says: str) -> None:
    key, other = tmp_path / "key.pem", tmp_path / "p256.pem"
    key.write_bytes(pem_of(open_signer(settings_in(tmp_path / "other")).public_key))
    other.write_bytes(
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    command = tmp_path / "signer"
    script = script.replace("KEY", str(key)).replace("P256", str(other))
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    with pytest.raises(TouchstoneError, match=says):
        open_signer(settings_in(tmp_path / "data", signer=f"exec:{command}")).sign(b"data")


def test_nothing_is_packed_that_cannot_be_signed(tmp_path: Path) -> None:
    command = external(tmp_path / "card")
    signer = open_signer(settings_in(tmp_path / "data", signer=f"exec:{command}"))
    shutil.rmtree(tmp_path / "card")
    with pytest.raises(TouchstoneError, match="TOUCHSTONE_SIGNER"):
        pack(tmp_path, signer)
    assert not list(tmp_path.glob("bundle*"))
