"""A time stamp authority on loopback: `openssl ts` behind a small server, well or ill."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: No `certs` in it: with that, openssl makes tokens that rfc3161-client refuses.
CONFIG = """
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
[stamper]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[ts]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.55555.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
DAYS = ("-days", "3650")


@dataclass
class Authority:
    """A running authority.

    Parameters
    ----------
    mode
        What it does to the next request: well, broken, garbage, nonce, other, redirect,
        endless, trickle or refuse.
    """

    folder: Path
    url: str = ""
    mode: str = "well"
    asked: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def roots(self) -> Path:
        """The certificate that its stamps lead to."""
        return self.folder / "ca.pem"

    def make(self) -> None:
        """Make the root and the stamping certificate."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tsa.cnf").write_text(CONFIG, encoding="ascii")
        (self.folder / "serial").write_text("01\n", encoding="ascii")
        self._openssl(
            "req", "-x509", *CURVE, "-keyout", "ca.key", "-out", "ca.pem", *DAYS,
            "-subj", "/CN=Test root", "-config", "tsa.cnf", "-extensions", "root",
        )  # fmt: skip
        self._openssl(
            "req", *CURVE, "-keyout", "tsa.key", "-out", "tsa.csr",
            "-subj", "/CN=Test authority", "-config", "tsa.cnf",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "tsa.pem", *DAYS, "-extfile", "tsa.cnf",
            "-extensions", "stamper",
        )  # fmt: skip

    def reply(self, query: bytes) -> bytes:
        """What `openssl ts` answers."""
        with self._lock:
            (self.folder / "query.tsq").write_bytes(query)
            self._openssl(
                "ts", "-reply", "-config", "tsa.cnf", "-section", "ts",
                "-queryfile", "query.tsq", "-out", "reply.tsr",
            )  # fmt: skip
            return (self.folder / "reply.tsr").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


def _handler(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            pass

        def answer(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            authority.asked += 1
            mode = authority.mode
            if mode == "well":
                self.answer(200, authority.reply(query))
            elif mode == "nonce":  # the nonce stands before the three bytes of certReq
                self.answer(200, authority.reply(query[:-4] + bytes([query[-4] ^ 1]) + query[-3:]))
            elif mode == "other":
                place = query.index(b"\x04\x20") + 2
                other = bytes(32)
                self.answer(200, authority.reply(query[:place] + other + query[place + 32 :]))
            elif mode == "refuse":  # an algorithm that it does not take
                sha256, sha512 = (bytes.fromhex(f"60864801650304020{n}") for n in (1, 3))
                self.answer(200, authority.reply(query.replace(sha256, sha512)))
            elif mode == "broken":
                self.answer(500, b"no")
            elif mode == "redirect":
                self.answer(307, b"", ("Location", authority.url + "elsewhere"))
            elif mode == "garbage":
                self.answer(200, b"<html>maintenance</html>")
            elif mode == "endless":
                self.send_response(200)
                self.end_headers()
                self.pour(bytes(1 << 16), 0)
            elif mode == "trickle":
                self.pour(b"H", 0.05)

        def pour(self, chunk: bytes, pause: float) -> None:
            try:
                while not authority.over.wait(pause):
                    self.wfile.write(chunk)
            except OSError:
                pass  # it went away

    return Handler


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """Run an authority of its own root on a free port of loopback."""
    running = Authority(folder)
    running.make()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(running))
    running.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
