"""A bazaar in a process of its own, to measure on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bazaar.world import make

CATEGORIES = tuple(f"/c/{name}" for name in ("bags", "shoes", "watches", "audio", "power", "home"))


@contextmanager
def shop(folder: Path, listings: int) -> Iterator[str]:
    """Make a world, serve it on a free port of loopback; its address."""
    make(folder, 101, listings, "http://127.0.0.1:8765/")
    command = [sys.executable, "-m", "bazaar", "serve", str(folder), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().removeprefix("bazaar: ").strip()
    finally:
        server.terminate()
        server.wait(timeout=10)
