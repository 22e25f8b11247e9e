"""The blob store, in a folder and in S3 (moto's server): written once, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import registry.blobs as blobs_module
from registry.blobs import Blobs, LocalBlobs, RemoteBlobs, open_blobs
from registry.errors import TouchstoneError


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running S3 server; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.put(f"{url}/evidence", headers=_signed())
            break
        except httpx.HTTPError:
            assert time.monotonic() < deadline, "moto's server does not start"
            time.sleep(0.1)
    yield url
    server.kill()
    server.wait()


def _signed() -> dict[str, str]:
    return {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request"}


@pytest.fixture
def s3_store(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteBlobs:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3,
    }.items():
        monkeypatch.setenv(name, value)
    store = open_blobs(f"s3://evidence/{tmp_path.name}")
    assert isinstance(store, RemoteBlobs)
    return store


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "folder":
        return open_blobs(f"file://{tmp_path / 'blobs'}")
    store: Blobs = request.getfixturevalue("s3_store")
    return store


def read(store: Blobs, key: str) -> bytes:
    with store.open(key) as stream:
        return stream.read()


def test_a_blob_lies_under_its_own_hash(store: Blobs, tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"proof").hexdigest()
    key = store.put_bytes(b"proof", ".wacz")
    assert key == f"{sha256[:2]}/{sha256}.wacz"
    assert read(store, key) == b"proof"
    path = tmp_path / "file"
    path.write_bytes(b"proof")
    assert store.put_file(path, ".wacz") == key
    assert read(store, key) == b"proof"
    store.check()


def test_large_files_arrive_whole(store: Blobs, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(os.urandom(1 << 20) * 60)  # in several parts, on S3
    key = store.put_file(path, ".wacz")
    assert hashlib.sha256(read(store, key)).hexdigest() in key


def test_what_is_there_is_never_written_again(store: Blobs, tmp_path: Path) -> None:
    key = store.put_bytes(b"first", ".bin")
    # Somebody has damaged it; putting the right bytes must not hide that.
    damage(store, key)
    store.put_bytes(b"first", ".bin")
    path = tmp_path / "again"
    path.write_bytes(b"first")
    store.put_file(path, ".bin")
    assert read(store, key) == b"other"


def damage(store: Blobs, key: str) -> None:
    if isinstance(store, LocalBlobs):
        place = store.root / key
        place.chmod(0o644)
        place.write_bytes(b"other")
    else:
        store.filesystem.pipe_file(f"{store.root}/{key}", b"other")  # type: ignore[attr-defined]


def test_what_is_not_there_is_said(store: Blobs) -> None:
    with pytest.raises(FileNotFoundError):
        read(store, f"00/{'0' * 64}.wacz")


def test_no_key_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    store = open_blobs(f"file://{tmp_path / 'blobs'}")
    store.put_bytes(b"x", ".bin")
    for key in ("../secret", "/etc/passwd", "a/../../secret"):
        with pytest.raises(FileNotFoundError):
            read(store, key)


def test_many_at_once_put_one_blob(tmp_path: Path) -> None:
    store = open_blobs(f"file://{tmp_path / 'blobs'}")
    data = os.urandom(1 << 20)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: store.put_bytes(data, ".bin"), range(16)))
    assert len(keys) == 1
    files = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].stat().st_mode & 0o222 == 0


def test_s3_is_asked_once_and_refuses_itself(
    s3_store: RemoteBlobs, tmp_path: Path, sent: list[tuple[str, str | None]]
) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(1 << 20) * 110)  # in several parts
    for _ in range(2):
        sent.clear()
        s3_store.put_bytes(b"proof", ".bin")
        assert sent == [("PUT", "*")], "one request that says If-None-Match, no looking first"
        sent.clear()
        s3_store.put_file(large, ".bin")
        assert [match for method, match in sent if method == "POST"][-1:] == ["*"]
        assert {method for method, _ in sent} <= {"POST", "PUT", "DELETE"}


@pytest.fixture
def sent(s3_store: RemoteBlobs) -> Iterator[list[tuple[str, str | None]]]:
    """Method and If-None-Match of each request that goes to S3."""
    requests: list[tuple[str, str | None]] = []

    def note(request: Any, **_: Any) -> None:
        match = request.headers.get("If-None-Match")
        requests.append((request.method, match.decode() if isinstance(match, bytes) else match))

    s3_store.check()  # connects
    events = s3_store.filesystem.s3.meta.events
    events.register("before-send.s3", note)
    yield requests
    events.unregister("before-send.s3", note)


def test_many_at_once_put_one_object(store: Blobs) -> None:
    data = os.urandom(1 << 16)
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: store.put_bytes(data, ".bin"), range(16)))
    assert len(keys) == 1
    assert read(store, keys.pop()) == data


def test_a_file_that_changes_on_its_way_is_not_kept(
    store: Blobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "growing"
    path.write_bytes(b"a")
    hashed = blobs_module.sha256_of

    def hash_then_change(file: Path) -> str:
        sha256 = hashed(file)
        with path.open("ab") as stream:
            stream.write(b"b")
        return sha256

    monkeypatch.setattr(blobs_module, "sha256_of", hash_then_change)
    with pytest.raises(OSError, match="changed while"):
        store.put_file(path, ".bin")
    with pytest.raises(FileNotFoundError):
        read(store, blobs_module.blob_key(hashlib.sha256(b"a").hexdigest(), ".bin"))


def test_what_is_deleted_is_gone_and_can_be_put_again(store: Blobs) -> None:
    key = store.put_bytes(b"proof", ".wacz")
    other = store.put_bytes(b"other", ".wacz")
    for _ in range(2):
        store.delete(key)
        with pytest.raises(FileNotFoundError):
            read(store, key)
    assert read(store, other) == b"other"
    assert store.put_bytes(b"proof", ".wacz") == key
    assert read(store, key) == b"proof"


def test_nothing_outside_the_folder_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    store = open_blobs(f"file://{tmp_path / 'blobs'}")
    with pytest.raises(FileNotFoundError):
        store.delete("../secret")
    assert (tmp_path / "secret").exists()


@given(st.binary(max_size=2000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_come_back_as_they_were(tmp_path: Path, data: bytes) -> None:
    store = open_blobs(f"file://{tmp_path / 'blobs'}")
    assert read(store, store.put_bytes(data, ".bin")) == data


@pytest.mark.parametrize("url", ["ftp://x/y", "s3://", "file://host/x", "x"])
def test_other_stores_are_refused(url: str) -> None:
    with pytest.raises(TouchstoneError, match="evidence store"):
        open_blobs(url)
