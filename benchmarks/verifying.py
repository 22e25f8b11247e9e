"""Verifying a bundle, beside `wacz validate` and beside the `sha256sum` command."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from uuid_utils.compat import uuid7
from wacz.main import main as py_wacz

from benchmarks.measure import Result, in_turn
from evidence.capturing.exchanges import Exchange
from evidence.packing import wacz, warc
from evidence.signing.signer import KeyFolder
from evidence.verifying import verify

EXCHANGES, BODY_BYTES = 300, 100_000
DAMAGES = 200
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def run() -> Iterator[Result]:
    """Time, then what damage each finds."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = _bundle(Path(folder) / "pictures")
        size = pictures.stat().st_size
        mine, theirs, ratio = in_turn(lambda: verify(pictures), lambda: _validate(pictures))
        yield Result(
            f"verifying a bundle of {size / 1e6:.0f} MB, {EXCHANGES} pictures",
            f"{size / 1e6 / mine:.0f} MB/s",
            f"py-wacz validate: {size / 1e6 / theirs:.0f} MB/s",
            ratio,
        )
        yield _beside_sha256sum("the same", pictures)
        texts = _bundle(Path(folder) / "texts", exchanges=2_000, body=40_000, text=True)
        yield _beside_sha256sum("verifying a bundle of text only, packed", texts)
        film = _bundle(Path(folder) / "film", exchanges=1, body=150_000_000)
        yield _beside_sha256sum("verifying a bundle with one body of 150 MB", film)
        small = _bundle(Path(folder) / "small", exchanges=4, body=400)
        yield _damages(small)


def _beside_sha256sum(what: str, bundle: Path) -> Result:
    size = bundle.stat().st_size

    def sha256sum() -> None:
        subprocess.run(["sha256sum", bundle], check=True, capture_output=True)

    mine, theirs, ratio = in_turn(lambda: verify(bundle), sha256sum)
    return Result(
        f"{what} ({size / 1e6:.0f} MB)",
        f"{size / 1e6 / mine:.0f} MB/s",
        f"sha256sum: {size / 1e6 / theirs:.0f} MB/s",
        ratio,
    )


def _damages(bundle: Path) -> Result:
    """One byte changed, anywhere."""
    original, dice = bundle.read_bytes(), Random(1)
    mine = theirs = 0
    for _ in range(DAMAGES):
        damaged = bytearray(original)
        damaged[dice.randrange(len(damaged))] ^= dice.randrange(1, 256)
        bundle.write_bytes(damaged)
        mine += not verify(bundle).ok
        theirs += not _validate(bundle)
    bundle.write_bytes(original)
    return Result(
        f"one byte changed at random, {DAMAGES} times: how often it is found",
        f"{mine} of {DAMAGES}",
        f"py-wacz validate: {theirs} of {DAMAGES}",
        f"{mine / DAMAGES:.3f} against {theirs / DAMAGES:.3f}",
    )


def _validate(bundle: Path) -> bool:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return bool(py_wacz(["validate", "-f", str(bundle)]) == 0)
        except (Exception, SystemExit):
            return False  # it fell over: that is found too


def _bundle(
    folder: Path, exchanges: int = EXCHANGES, body: int = BODY_BYTES, *, text: bool = False
) -> Path:
    dice, parts = Random(7), folder / "package"
    for name in ("archive", "indexes", "extra"):
        (parts / name).mkdir(parents=True)
    made = []
    for number in range(exchanges):
        path = folder / f"body-{number}"
        path.write_bytes(_text(dice, body) if text else dice.randbytes(body))
        url = f"https://shop.example/{number}"
        exchange = Exchange(url, "GET", NOW, {"Accept": "*/*"}, b"", "Image", body=path)
        exchange.response = {
            "status": 200,
            "statusText": "OK",
            "headers": {"Content-Type": "text/html" if text else "image/jpeg"},
        }
        made.append(exchange)
    archive = parts / "archive" / "data.warc.gz"
    warc.write_warc(archive, {"software": "benchmark"}, made)
    warc.write_index(archive, parts / "indexes")
    (parts / "extra" / "capture.json").write_text(json.dumps({"why": "benchmark"}))
    page = wacz.Page(uuid7(), "https://shop.example/0", NOW, "t", "t")
    target = folder / "bundle.wacz"
    keys = KeyFolder(folder / "keys")
    keys.create()
    wacz.pack(
        parts, target, pages=[page], software="benchmark", created=NOW, title="t",
        signer=keys.open(),
    )  # fmt: skip
    return target


def _text(dice: Random, size: int) -> bytes:
    """Words that pack as those of a page do, to about a quarter."""
    words = [f"<{dice.randrange(1 << 20):x}>" for _ in range(4_000)]
    return " ".join(dice.choices(words, k=size // 8)).encode()
