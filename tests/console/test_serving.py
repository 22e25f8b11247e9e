"""`touchstone serve`: both origins in one process, and how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx


def command(data: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "console.cli", *arguments],
        env=os.environ | {"TOUCHSTONE_DATA_DIR": str(data), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_serve_listens_on_both_origins_and_ends_when_told(tmp_path: Path) -> None:
    init = command(tmp_path, "init")
    assert init.wait() == 0, init.communicate()
    serving = command(tmp_path, "serve", "--port", "0", "--no-work")
    try:
        assert serving.stdout is not None
        said = serving.stdout.readline() + serving.stdout.readline()
        console, replay = re.findall(r"http://127\.0\.0\.1:\d+", said)
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport, timeout=30) as http:
            assert http.get(f"{console}/healthz").status_code == 200
            # The replay origin knows no page of the console.
            assert http.get(f"{replay}/healthz").status_code == 404
    finally:
        serving.send_signal(signal.SIGINT)
        _, said = serving.communicate(timeout=60)
    assert serving.returncode == 0, said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    assert command(tmp_path, "init").wait() == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments in (("--port", port), ("--port", "0", "--replay-port", port)):
            refused = command(tmp_path, "serve", "--no-work", *arguments)
            _, said = refused.communicate(timeout=60)
            assert refused.returncode != 0
            assert len(said.strip().splitlines()) == 1, said
            assert f"port {port}" in said
