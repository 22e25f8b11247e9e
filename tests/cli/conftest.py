"""The command as people call it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Said:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, as JSON."""
        return json.loads(self.out)

    def one_clear_line(self) -> str:
        """Its error, after making sure that it is one line and no traceback."""
        assert self.code != 0, self
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("touchstone: ")
        return lines[0]


Touchstone = Callable[..., Said]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def touchstone(data_dir: Path) -> Touchstone:
    """Run the command on an installation of its own, with the embedded default."""

    def run(*arguments: object, prefix: tuple[str, ...] = (), **env: str) -> Said:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TOUCHSTONE_")}
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "console.cli", *map(str, arguments)],
            env={
                **clean,
                "TOUCHSTONE_DATA_DIR": str(data_dir),
                "TOUCHSTONE_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
                **env,
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run
