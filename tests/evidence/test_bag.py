"""What writes bags and seals files, alone: whole or not at all, and back again."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from evidence.exhibits import sealing
from evidence.exhibits.bag import BagWriter
from evidence.packing import wacz
from evidence.verifying import container
from evidence.verifying.work import Region
from registry.errors import TouchstoneError
from tests.evidence.bundles import new_signer


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    """The bag may not grow beyond a limit of the system's, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, before[1]))
    try:
        with BagWriter(tmp_path / "b.zip", "b") as bag, pytest.raises(OSError, match="too large"):
            bag.add("big", (bytes(1 << 20) for _ in range(8)), 8 << 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []


def test_a_bag_beyond_the_limits_of_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ZIP64 begins at 2 GiB; here it begins at 64 kB, for the writer and for the verifier."""
    limit = 1 << 16
    for where in (zipfile, wacz, container):
        monkeypatch.setattr(where, "ZIP64_LIMIT", limit)
    sizes = [10, limit - 1, limit, limit + 1, 3 * limit, int(limit / 1.02), 5]
    with BagWriter(tmp_path / "b.zip", "b") as bag:
        for number, size in enumerate(sizes):
            bag.add(f"exhibits/{number}", (bytes([number]) * size,), size)
        bag.finish({"External-Identifier": "b"}, new_signer())
    data = (tmp_path / "b.zip").read_bytes()
    assert b"PK\6\6" in data
    members = container.read_members(Region(tmp_path / "b.zip", 0, len(data)))
    assert [member.region.size for member in members][: len(sizes)] == sizes
    subprocess.run(["unzip", "-tq", tmp_path / "b.zip"], check=True, capture_output=True)


def test_tag_files_keep_to_one_line(tmp_path: Path) -> None:
    with BagWriter(tmp_path / "b.zip", "b") as bag:
        bag.add_bytes("x", b"x")
        bag.finish(
            {"External-Description": "a\nPayload-Oxum: 0.0\r\n\x85\u2028b \ud800"}, new_signer()
        )
    with zipfile.ZipFile(tmp_path / "b.zip") as packed:
        info = packed.read("b/bag-info.txt").decode()
    assert info == "External-Description: a Payload-Oxum: 0.0 b\nPayload-Oxum: 1.1\n"


@pytest.mark.parametrize("size", [0, 1, sealing.CHUNK_BYTES - 1, sealing.CHUNK_BYTES,
                                  sealing.CHUNK_BYTES + 1, 2 * sealing.CHUNK_BYTES])  # fmt: skip
def test_sealing_gives_back_what_it_took(size: int) -> None:
    data, key = os.urandom(size), sealing.new_key()
    sealed = b"".join(sealing.seal((data[:7], data[7:]), key))
    assert len(sealed) == sealing.sealed_size(size)
    assert b"".join(sealing.open_sealed(io.BytesIO(sealed), key)) == data
    assert b"".join(sealing.seal((data,), key)) != sealed


def _flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


CHUNK = sealing.CHUNK_BYTES + sealing.TAG_BYTES
HEAD = len(sealing.MAGIC) + sealing.SALT_BYTES


@pytest.mark.parametrize(
    "change",
    [
        _flip(0), _flip(9), _flip(HEAD), _flip(-1 % (HEAD + 3 * CHUNK)),
        lambda data: data[:-1],
        lambda data: data[: HEAD + CHUNK],
        lambda data: data[:HEAD],
        lambda data: data + b"\0",
        lambda data: data[:HEAD] + data[HEAD + CHUNK :],
        lambda data: data[:HEAD] + data[HEAD : HEAD + CHUNK] * 3,
        lambda data: b"",
    ],
)  # fmt: skip
def test_a_sealed_file_that_was_changed_does_not_open(change: Callable[[bytes], bytes]) -> None:
    key = sealing.new_key()
    sealed = b"".join(sealing.seal((os.urandom(3 * sealing.CHUNK_BYTES),), key))
    with pytest.raises(TouchstoneError):
        b"".join(sealing.open_sealed(io.BytesIO(change(sealed)), key))
