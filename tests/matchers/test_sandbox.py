"""The child process: what it does to a picture's decoder that crashes, hangs or lies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from matchers.pictures import sandbox
from matchers.pictures.rendering import PictureError, render
from matchers.pictures.sandbox import render_apart
from tests.pictures import draw, encoded, png_bomb, scan_bomb

HEIC = encoded(draw(1, 100), "HEIC")
AVIF = encoded(draw(2, 100), "AVIF")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """No child that another test has left, and none that this one does."""
    sandbox._stop()
    yield
    sandbox._stop()


def child() -> int:
    assert sandbox._child is not None
    return sandbox._child.process.pid


def gone(process: int) -> bool:
    """Whether a process is away, or no more than a zombie of someone else's."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def test_it_renders_as_here_and_stays_warm() -> None:
    found = render_apart(AVIF, "AVIF", 50)
    first = child()
    here = render(AVIF, "AVIF", 50)
    assert np.array_equal(found.pixels, here.pixels)
    assert (found.width, found.height, found.frames) == (here.width, here.height, here.frames)
    assert render_apart(HEIC, "HEIF", 64).pixels.shape == (64, 64, 3)
    with pytest.raises(PictureError, match="broken picture"):
        render_apart(AVIF[:-100], "AVIF", 50)
    with pytest.raises(PictureError, match="more than"):
        render_apart(png_bomb(30_000, 30_000), "PNG", 50)
    assert child() == first


def test_it_is_limited() -> None:
    render_apart(AVIF, "AVIF", 50)
    limits = Path(f"/proc/{child()}/limits").read_text()
    rows = {row[:26].strip(): row[26:].split()[0] for row in limits.splitlines()[1:]}
    assert rows["Max address space"] == str(sandbox.MEMORY)
    assert rows["Max file size"] == "0"
    assert rows["Max core file size"] == "0"
    assert 0 < int(rows["Max cpu time"]) < 600
    assert Path(f"/proc/{child()}/environ").read_bytes() == b""


def test_too_little_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    render_apart(AVIF, "AVIF", 50)
    size = int(Path(f"/proc/{child()}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    sandbox._stop()
    monkeypatch.setattr(sandbox, "MEMORY", size + 30_000_000)
    large = encoded(draw(1, 100).resize((4000, 4000)), "PNG")
    with pytest.raises(PictureError, match=r"memory|crashed"):
        render_apart(large, "PNG", 50)
    assert render_apart(encoded(draw(1, 100), "PNG"), "PNG", 50).width == 100


def test_too_much_computing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CPU_SECONDS", 0)
    bomb = scan_bomb(3000, 1500)
    with pytest.raises(PictureError, match="crashed"):
        render_apart(bomb, "JPEG", 50)


def test_a_killed_child_is_replaced() -> None:
    render_apart(AVIF, "AVIF", 50)
    first = child()
    os.kill(first, signal.SIGKILL)
    assert gone(first)
    assert render_apart(AVIF, "AVIF", 50).width == 100
    assert child() != first


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time; time.sleep(600)", "not decoded within"),
        ("import os; os.abort()", "crashed"),
        ("import sys; sys.exit(3)", "crashed"),
        ("import os; os.write(0, b'x' * 5)", "crashed"),
        ("import os, time; os.write(0, bytes(24)); time.sleep(600)", "crashed"),
        ("import os, time; os.write(0, b'\\xff' * 24); time.sleep(600)", "not decoded within"),
        (
            "import os, struct, time; os.write(0, struct.pack('<BIIIII', 0, 9, 9, 9, 9, 1));"
            "time.sleep(600)",
            "not decoded within",
        ),
    ],
    ids=["hangs", "aborts", "exits", "cut off", "nothing", "nonsense", "no pixels"],
)
def test_a_child_that_misbehaves_is_ended(
    program: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "child.py"
    path.write_text(program)
    monkeypatch.setattr(sandbox, "PROGRAM", str(path))
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.0)
    monkeypatch.setattr(sandbox, "START_SECONDS", 3.0)
    with pytest.raises(PictureError, match=said):
        render_apart(AVIF * 200, "AVIF", 50)
    assert sandbox._child is None


def test_threads_take_turns() -> None:
    files = [encoded(draw(seed, 60 + seed), "AVIF") for seed in range(12)]
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda data: render_apart(data, "AVIF", 200), files * 3))
    assert [one.width for one in found] == [60 + seed for seed in range(12)] * 3


SCRIPT = """
import os, sys
from matchers.pictures import sandbox
data = sys.stdin.buffer.read()
found = sandbox.render_apart(data, "AVIF", 50)
ours = sandbox._child.process.pid
print(ours, flush=True)
"""
FORK = """
inner = os.fork()
if inner == 0:
    again = sandbox.render_apart(data, "AVIF", 50)
    theirs = sandbox._child.process.pid
    print(theirs, flush=True)
    os._exit(0 if (again.pixels == found.pixels).all() and theirs != ours else 1)
assert os.waitpid(inner, 0)[1] == 0
assert sandbox.render_apart(data, "AVIF", 50).width == 100
assert sandbox._child.process.pid == ours
"""
KILLED = "os.kill(os.getpid(), 9)"


@pytest.mark.parametrize(
    ("script", "code", "children"),
    [(SCRIPT, 0, 1), (SCRIPT + FORK, 0, 2), (SCRIPT + KILLED, -9, 1)],
    ids=["exit", "fork", "killed"],
)
def test_no_child_outlives_its_process(script: str, code: int, children: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script], input=AVIF, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr.decode()
    assert done.stderr == b""
    pids = [int(line) for line in done.stdout.split()]
    assert len(pids) == children
    assert all(gone(pid) for pid in pids)
