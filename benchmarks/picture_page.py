"""A listing-like page for the benchmark of captures: 30 pictures, 19 of them lazy, 35 resources.

`python -m benchmarks.picture_page FOLDER` serves it from a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw

PICTURES, LAZY, SIDE = 30, 19, 640
#: The page, its stylesheet, script, frame and icon, and the pictures.
RESOURCES = PICTURES + 5


def make(folder: Path) -> None:
    """Write the page's files."""
    dice = Random(5)
    for number in range(PICTURES):
        picture = Image.effect_noise((SIDE, SIDE), 40).convert("RGB")
        pen = ImageDraw.Draw(picture)
        for _ in range(12):
            x, y, r = dice.randrange(SIDE), dice.randrange(SIDE), dice.randrange(20, 160)
            colour = tuple(dice.randrange(256) for _ in range(3))
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        picture.save(folder / f"{number}.jpg", quality=80)
    shown = "".join(
        f'<figure><img src="{n}.jpg" width="400" height="400"'
        f"{' loading=lazy' if n >= PICTURES - LAZY else ''}><figcaption>Picture {n}</figcaption>"
        f"</figure><p>{'Full-grain leather, solid brass, sewn by hand. ' * 6}</p>"
        for n in range(PICTURES)
    )
    (folder / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><title>Tote</title><link rel="stylesheet" '
        'href="shop.css"><script src="one.js"></script><h1>Velaro Aria Tote</h1><p>€ 39,00</p>'
        f'{shown}<iframe src="frame.html"></iframe>',
        encoding="utf-8",
    )
    (folder / "shop.css").write_text("body { font: 16px sans-serif; margin: 2rem }")
    (folder / "one.js").write_text("window.one = 1;")
    (folder / "frame.html").write_text("<p>Other buyers also looked at this.</p>")
    (folder / "favicon.ico").write_bytes(b"")


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def picture_page(folder: Path) -> Iterator[str]:
    """Make the page and serve it; its address."""
    make(folder)
    command = [sys.executable, "-m", "benchmarks.picture_page", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(timeout=10)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=sys.argv[1]))
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
