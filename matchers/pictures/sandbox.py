"""Decoding in a child process, for decoders that may hang, crash or be taken over.

One child is kept warm for each process that asks. It runs `matchers/pictures/rendering.py`
with limits on address space and CPU time, writes no file, and is killed when it has not
answered in time; the next picture gets a new one. It ends when this process does, however
that ends, for its socket is closed then. Threads take turns; a forked process starts its own.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
import time

import numpy as np

from matchers.pictures import rendering
from matchers.pictures.rendering import ANSWER, REQUEST, PictureError, Rendered

#: What the child runs.
PROGRAM = rendering.__file__
#: Of the child's address space, the interpreter and its libraries included.
MEMORY = 1_500_000_000
#: Of CPU time for a picture, summed over the decoder's threads.
CPU_SECONDS = 20
#: From request to answer.
WALL_SECONDS = 10.0
#: A child starts in less than a second, but not on a machine that is busy.
START_SECONDS = 60.0


class _Child:
    """The process and the socket to it."""

    def __init__(self) -> None:
        self.line, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                # Isolated: neither the environment nor the working directory says what is
                # imported there.
                [sys.executable, "-I", PROGRAM, str(MEMORY), str(CPU_SECONDS)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                # Nor does it learn where the database is.
                env={},
                cwd="/",
            )

    def ask(self, data: bytes, kind: str, longest: int, seconds: float) -> Rendered:
        """Have one picture decoded.

        Raises
        ------
        PictureError
            What the child found wrong.
        OSError
            If it is gone, does not answer in time, or does not keep to the protocol.
        """
        ends = time.monotonic() + seconds
        name = kind.encode()
        self.line.settimeout(seconds)
        self.line.sendall(REQUEST.pack(longest, len(name), len(data)) + name + data)
        failed, high, wide, height, width, frames = ANSWER.unpack(self._read(ANSWER.size, ends))
        if failed:
            raise PictureError(self._read(min(high, 1000), ends).decode("utf-8", "replace"))
        # The child may have been taken over: what it says is as hostile as the file.
        if not (0 < high <= longest and 0 < wide <= longest and frames > 0):
            raise ConnectionError("the decoder answers nonsense")
        rendering.check_size(width, height)
        pixels = np.frombuffer(self._read(high * wide * 3, ends), np.uint8)
        return Rendered(pixels.reshape(high, wide, 3), width, height, frames)

    def _read(self, size: int, ends: float) -> bytes:
        parts = []
        while size:
            left = ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.line.settimeout(left)
            part = self.line.recv(min(size, 1 << 20))
            if not part:
                raise ConnectionResetError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def end(self) -> int:
        """Make sure that the process is gone, and reap it."""
        self.line.close()
        self.process.kill()
        code: int = self.process.wait()
        return code


_lock = threading.Lock()
_child: _Child | None = None


def render_apart(data: bytes, kind: str, longest: int) -> Rendered:
    """`rendering.render` in the child.

    Raises
    ------
    PictureError
        As there; and if the decoder crashed, or took too much memory or time.
    """
    with _lock:
        if _child is not None:
            try:
                return _answer(_child, data, kind, longest, WALL_SECONDS)
            except _Crashed:
                pass  # it may have been killed a moment ago, and not by this picture
        return _answer(_Child(), data, kind, longest, WALL_SECONDS + START_SECONDS)


class _Crashed(PictureError):
    """The child is gone."""


def _answer(child: _Child, data: bytes, kind: str, longest: int, seconds: float) -> Rendered:
    """Ask a child, and keep it for the next picture if it is still good for that."""
    global _child
    _child = None
    try:
        found = child.ask(data, kind, longest, seconds)
    except PictureError:
        _child = child
        raise
    except TimeoutError as error:
        child.end()
        raise PictureError(f"not decoded within {WALL_SECONDS:g} s") from error
    except OSError as error:
        code = child.end()
        raise _Crashed(f"its decoder crashed (exit code {code})") from error
    except BaseException:
        # The answer to this picture must not become that to the next.
        child.end()
        raise
    _child = child
    return found


def _stop() -> None:
    global _child
    with _lock:
        if _child is not None:
            _child.end()
            _child = None


def _forget() -> None:
    """In a forked process: the child and perhaps the lock are the parent's."""
    global _child, _lock
    _lock = threading.Lock()
    if _child is not None:
        with contextlib.suppress(OSError):
            _child.line.close()
        _child.process.returncode = 0  # not ours to wait for
        _child = None


atexit.register(_stop)
os.register_at_fork(after_in_child=_forget)
