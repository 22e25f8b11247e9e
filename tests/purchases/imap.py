"""A mail server as a thread: IMAP4rev1 over TLS, as much of it as a reader needs."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "p1@mail.example", 'a pass"word'


@dataclass
class Server:
    """Where it is, whom to trust, and what it was asked."""

    port: int
    trusted: ssl.SSLContext
    asked: list[str] = field(default_factory=list)


@contextmanager
def serve(folder: Path, letters: Sequence[bytes]) -> Iterator[Server]:
    """Serve letters in INBOX."""
    pem = folder / "imap.pem"
    _certificate(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    about = Server(0, ssl.create_default_context(cafile=pem))

    class Handler(socketserver.StreamRequestHandler):
        def setup(self) -> None:
            self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def say(self, line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self) -> None:
            self.say("* OK [CAPABILITY IMAP4rev1] ready")
            while line := self.rfile.readline().decode().strip():
                tag, _, words = line.partition(" ")
                about.asked.append(words)
                if not self.answer(tag, words):
                    return

        def answer(self, tag: str, words: str) -> bool:
            name = words.upper()
            if name.startswith("CAPABILITY"):
                self.say("* CAPABILITY IMAP4rev1")
            elif name.startswith("LOGIN") and words != f'LOGIN {USER} "a pass\\"word"':
                self.say(f"{tag} NO [AUTHENTICATIONFAILED] wrong")
                return True
            elif name.startswith("EXAMINE"):
                if "INBOX" not in words:
                    self.say(f"{tag} NO no such folder")
                    return True
                self.say(f"* {len(letters)} EXISTS")
            elif name.startswith("UID SEARCH"):
                self.say(f"* SEARCH {' '.join(str(n + 1) for n in range(len(letters)))}")
            elif found := re.fullmatch(r"UID FETCH (\d+) \(RFC822.SIZE\)", name):
                size = len(letters[int(found[1]) - 1])
                self.say(f"* {found[1]} FETCH (UID {found[1]} RFC822.SIZE {size})")
            elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY.PEEK\[\]<0.\d+>\)", name):
                data = letters[int(found[1]) - 1]
                self.say(f"* {found[1]} FETCH (UID {found[1]} BODY[]<0> {{{len(data)}}}")
                self.wfile.write(data + b")\r\n")
            elif name.startswith("LOGOUT"):
                self.say("* BYE bye")
                self.say(f"{tag} OK done")
                return False
            elif not name.startswith("LOGIN"):
                self.say(f"{tag} BAD what")
                return True
            self.say(f"{tag} OK done")
            return True

    with _Threading(("127.0.0.1", 0), Handler) as server:
        about.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield about
        finally:
            server.shutdown()
            thread.join()


class _Threading(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that trusts nobody hangs up: that is no news."""


def _certificate(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
