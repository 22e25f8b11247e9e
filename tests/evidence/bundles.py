"""Small sealed bundles: a WACZ, and the bag of a case, without a browser or a database."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificates
from rfc3161_client import decode_timestamp_response
from uuid_utils.compat import uuid7

from evidence.capturing.exchanges import Exchange
from evidence.custody import ledger, merkle
from evidence.exhibits.bag import BagWriter, sign_manifest
from evidence.packing import wacz, warc
from evidence.signing.signer import KeySigner, pem_of
from tests.evidence.authority import Authority

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
URL = "http://shop.example/item/7"
NAME = "VEL-17-20261101T120000Z"


def new_signer() -> KeySigner:
    """A key that nobody knows."""
    return KeySigner(ec.generate_private_key(ec.SECP384R1()))


@dataclass(frozen=True)
class Made:
    """A sealed WACZ."""

    path: Path
    sha256: str
    archive_sha256: str
    signer: KeySigner


def make_wacz(
    folder: Path,
    *,
    price: str = "39,00",
    signer: KeySigner | None = None,
    bodies: Iterable[bytes] | None = None,
) -> Made:
    """A small bundle, made by the code that makes the large ones."""
    parts = folder / "package"
    for name in ("archive", "indexes", "extra"):
        (parts / name).mkdir(parents=True)
    made = []
    page = f"<h1>Velaro</h1> € {price}".encode()
    for number, content in enumerate([page] if bodies is None else bodies):
        body = folder / f"body-{number}"
        body.write_bytes(content)
        url = URL if number == 0 else f"{URL}/{number}"
        exchange = Exchange(url, "GET", NOW, {"Accept": "*/*"}, b"", "Document", body=body)
        exchange.response = {
            "status": 200,
            "statusText": "OK",
            "headers": {"Content-Type": "text/html; charset=utf-8"},
        }
        made.append(exchange)
    archive = parts / "archive" / "data.warc.gz"
    warc.write_warc(archive, {"software": "test"}, made)
    warc.write_index(archive, parts / "indexes")
    (parts / "extra" / "capture.json").write_text("{}")
    target = folder / "bundle.wacz"
    signer = signer or new_signer()
    packed = wacz.pack(
        parts, target, pages=[wacz.Page(uuid7(), URL, NOW, "Velaro", "Velaro")],
        software="test", created=NOW, title="Velaro", signer=signer,
    )  # fmt: skip
    return Made(target, packed.sha256, packed.parts["archive/data.warc.gz"], signer)


def stamp(authority: Authority, digest: str) -> bytes:
    """A stamp of a digest."""
    query = subprocess.run(
        ["openssl", "ts", "-query", "-digest", digest, "-sha256", "-cert"],
        check=True,
        capture_output=True,
    ).stdout
    return authority.reply(query)


# Members, as a forger has them in hand

Members = dict[str, bytes]


def members_of(path: Path) -> Members:
    """All members of a ZIP file."""
    with zipfile.ZipFile(path) as source:
        return {name: source.read(name) for name in source.namelist()}


def write_zip(target: Path, members: Mapping[str, bytes]) -> Path:
    """A container as ours are: the forger knows how."""
    with zipfile.ZipFile(target, "w") as sink:
        for name, data in members.items():
            sink.writestr(wacz.entry(name), data)
    return target


def remake(path: Path, target: Path, change: Callable[[Members], object]) -> Path:
    """A forger's bundle: members changed, the container written anew and canonical."""
    members = members_of(path)
    change(members)
    return write_zip(target, members)


def reseal(members: Members, signer: KeySigner | None = None) -> None:
    """Bring manifest and digest file up to the members, as a careful forger would.

    Parameters
    ----------
    signer
        The forger's own key; without one, the old signature stays.
    """
    package = json.loads(members["datapackage.json"])
    package["resources"] = [
        {**resource, "hash": f"sha256:{sha256(data)}", "bytes": len(data)}
        for resource in package["resources"]
        if (data := members.get(resource["path"])) is not None
    ]
    members["datapackage.json"] = json.dumps(package).encode()
    digest = json.loads(members["datapackage-digest.json"])
    digest["hash"] = f"sha256:{sha256(members['datapackage.json'])}"
    members["datapackage-digest.json"] = json.dumps(digest).encode()
    if signer is not None:
        members["datapackage-digest.json"] = wacz._signed(
            members["datapackage.json"], signer, software="test", created=package["created"]
        )


def rebag(members: Members, signer: KeySigner | None = None) -> None:
    """Bring a bag's manifests up to its files.

    Parameters
    ----------
    signer
        Who signs them; without one, the old signature stays.
    """
    top = next(iter(members)).partition("/")[0]
    data = {n[len(top) + 1 :]: d for n, d in members.items() if n.startswith(f"{top}/data/")}
    info = members[f"{top}/bag-info.txt"].decode().splitlines()
    octets = sum(map(len, data.values()))
    info = [
        f"Payload-Oxum: {octets}.{len(data)}" if line.startswith("Payload-Oxum") else line
        for line in info
    ]
    members[f"{top}/bag-info.txt"] = "".join(f"{line}\n" for line in info).encode()
    members[f"{top}/manifest-sha256.txt"] = _manifest(data)
    tags = {
        name: members[f"{top}/{name}"]
        for name in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt")
        if f"{top}/{name}" in members
    }
    manifest = members[f"{top}/tagmanifest-sha256.txt"] = _manifest(tags)
    if signer is not None:
        members[f"{top}/signature.json"] = sign_manifest(manifest, signer)


def _manifest(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items())).encode()


def sha256(data: bytes) -> str:
    """As 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


# The bag of a case


@dataclass
class Case:
    """A ledger and what goes into the bag with it, before it is written.

    Parameters
    ----------
    leaves
        The whole ledger; the case's entries are those with one of its subjects.
    """

    signer: KeySigner
    authority: Authority | None
    leaves: list[str] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)
    exhibits: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    stamps: list[dict[str, Any]] = field(default_factory=list)
    certificates: dict[str, bytes] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)

    def enter(self, event: str, subject: str, **details: Any) -> None:
        """Append to the ledger."""
        at = NOW.strftime(ledger.TIME_FORMAT)
        self.leaves.append(
            ledger.canonical(
                {
                    "v": 1, "seq": len(self.leaves), "event": event, "subject": subject,
                    "actor": "tester", "occurred_at": at, "recorded_at": at, "details": details,
                }
            )
        )  # fmt: skip

    def tree(self) -> merkle.Tree:
        """The ledger's tree."""
        return merkle.Tree(merkle.leaf_hash(leaf.encode()) for leaf in self.leaves)

    def checkpoint(self) -> str:
        """Sign the ledger as it is."""
        tree = self.tree()
        origin = ledger.origin_of(merkle.leaf_hash(self.leaves[0].encode()).hex())
        body = ledger._body(origin, tree.size, tree.root()).encode()
        hint = hashlib.sha256(self.signer.public_key).digest()[:4]
        note = ledger.Note(origin, tree.size, tree.root(), hint, self.signer.sign(body))
        self.notes[tree.size] = str(note)
        return str(note)

    def ask(self, about: str, subject: str, digest: str) -> None:
        """Have something stamped, or wait for ever."""
        file = None
        if self.authority is not None:
            file = f"{1 + sum(1 for one in self.stamps if one['file'])}.tsr"
            token = stamp(self.authority, digest)
            self.files[f"stamps/{file}"] = token
            for der in decode_timestamp_response(token).signed_data.certificates:
                self.certificates[sha256(der)] = der
        self.stamps.append(
            {
                "about": about, "subject": subject, "digest": digest, "authority": "http://tsa/",
                "state": "stamped" if file else "awaiting", "requested_at": None,
                "stamped_at": None, "error": None, "file": file,
            }
        )  # fmt: skip

    def add(self, kind: str, name: str, data: bytes, **more: Any) -> None:
        """Add an exhibit: to the ledger, to the case, to the bag."""
        number = len(self.exhibits) + 1
        item = str(uuid7())
        subject = f"{'exhibit' if kind == 'file' else kind}:{item}"
        self.subjects.add(subject)
        described = {
            "number": number, "id": item, "kind": kind, "name": name, "subject": subject,
            "path": f"data/exhibits/{number:03d}-{name}", "media_type": "x/y",
            "sha256": sha256(data), "size": len(data), "sealed": False, **more,
        }  # fmt: skip
        self.files[f"exhibits/{number:03d}-{name}"] = data
        self.exhibits.append(described)
        if kind == "capture":
            known = {key: described[key] for key in ("sha256", "archive_sha256", "size")}
            self.enter("sealed", subject, **known)
        self.enter(
            "exhibit_added", subject, number=number,
            **({} if kind == "purchase" else {"sha256": sha256(data)}),
        )  # fmt: skip

    def write(self, target: Path) -> Path:
        """Write the bag as an export does."""
        newest, *earlier = sorted(self.notes, reverse=True)
        tree = self.tree()
        shown = [
            (seq, leaf)
            for seq, leaf in enumerate(self.leaves[:newest])
            if json.loads(leaf)["subject"] in self.subjects
        ]
        proofs = {
            "checkpoint": "checkpoint.txt",
            "size": newest,
            "root": tree.root(newest).hex(),
            "inclusion": {
                str(seq): [step.hex() for step in tree.inclusion_proof(seq, newest)]
                for seq, _ in shown
            },
            "earlier": [
                {
                    "file": f"checkpoint-{size}.txt",
                    "size": size,
                    "root": tree.root(size).hex(),
                    "consistency": [s.hex() for s in tree.consistency_proof(size, newest)],
                }
                for size in sorted(earlier)
            ],
        }
        lines = (json.dumps({"seq": seq, "leaf": leaf}, ensure_ascii=False) for seq, leaf in shown)
        case = {
            "v": 1,
            "case": {"reference": "VEL-17", "title": "Velaro"},
            "exported": {"by": "tester", "at": NOW.strftime(ledger.TIME_FORMAT)},
            "exhibits": self.exhibits,
            "withheld_entries": [],
        }
        files = {
            "case.json": json.dumps(case).encode(),
            **self.files,
            "stamps/index.json": json.dumps(self.stamps).encode(),
            **{f"certificates/{name}.pem": _pem(der) for name, der in self.certificates.items()},
            f"keys/{self.signer.key_id}.pem": pem_of(self.signer.public_key),
            "ledger/entries.jsonl": "".join(f"{line}\n" for line in lines).encode(),
            "ledger/proofs.json": json.dumps(proofs).encode(),
            "ledger/checkpoint.txt": self.notes[newest].encode(),
            **{f"ledger/checkpoint-{size}.txt": self.notes[size].encode() for size in earlier},
            "report.html": b"<p>report</p>",
        }
        with BagWriter(target, NAME) as bag:
            for name, data in files.items():
                bag.add_bytes(name, data)
            bag.finish({"Bag-Software-Agent": "test"}, self.signer)
        return target


def _pem(der: bytes) -> bytes:
    import ssl

    return ssl.DER_cert_to_PEM_cert(der).encode()


def make_case(
    signer: KeySigner | None = None, authority: Authority | None = None, *, reference: str = "a"
) -> Case:
    """A case with a capture, a photograph and a purchase, in a ledger of more than it."""
    case = Case(signer or new_signer(), authority)
    subject = f"case:{uuid7()}"
    case.subjects.add(subject)
    case.enter("captured", f"capture:{uuid7()}", of="another case")
    case.enter("case_opened", subject, reference=reference)
    with tempfile.TemporaryDirectory() as folder:
        made = make_wacz(Path(folder), signer=case.signer)
        data = made.path.read_bytes()
    capture = {"archive_sha256": made.archive_sha256, "key_id": case.signer.key_id}
    case.add("capture", "listing.wacz", data, **capture)
    case.ask("package", case.exhibits[0]["subject"], made.sha256)
    note = case.checkpoint()
    case.ask("checkpoint", f"checkpoint:{len(case.leaves)}", sha256(note.encode()))
    case.add("file", "parcel.jpg", b"\xff\xd8 a parcel")
    case.add("purchase", "purchase.json", b'{"order": "4711"}')
    case.enter("viewed", f"capture:{uuid7()}", of="another case")
    case.enter("parcel_received", case.exhibits[1]["subject"], place="Bonn")
    entries = sum(1 for leaf in case.leaves if json.loads(leaf)["subject"] in case.subjects)
    case.enter(
        "exported", subject, bag=NAME, entries=entries, withheld=[],
        exhibits=[{"number": e["number"], "sha256": e["sha256"]} for e in case.exhibits],
    )  # fmt: skip
    case.enter("viewed", f"capture:{uuid7()}", of="another case")
    case.checkpoint()
    return case


def unpack(bag: Path, folder: Path) -> Path:
    """Unpack a bag; its folder."""
    with zipfile.ZipFile(bag) as container:
        container.extractall(folder)
    return folder / NAME


def roots_of(authority: Authority) -> bytes:
    """The certificate that an authority's stamps lead to."""
    data = authority.roots.read_bytes()
    return load_pem_x509_certificates(data)[0].public_bytes(Encoding.PEM)
