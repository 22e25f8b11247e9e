"""A page as PDF, streamed out of the browser to a file."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.async_api import CDPSession

#: A page without an end has as many sheets as one asks for.
MAX_SHEETS = 200
CHUNK_BYTES = 1 << 20
MAX_BYTES = 256 << 20

_A4_INCHES = (8.27, 11.69)


async def print_pdf(session: CDPSession, path: Path) -> None:
    """Print the page on A4 with its backgrounds.

    Raises
    ------
    playwright.async_api.Error
        If the browser cannot print it.
    OSError
        If it grows over the bound, or the disk is full; nothing is left.
    """
    answer = await session.send(
        "Page.printToPDF",
        {
            "printBackground": True,
            "paperWidth": _A4_INCHES[0],
            "paperHeight": _A4_INCHES[1],
            "pageRanges": f"1-{MAX_SHEETS}",
            "transferMode": "ReturnAsStream",
        },
    )
    handle = answer["stream"]
    try:
        with path.open("wb") as sink:
            while True:
                part = await session.send("IO.read", {"handle": handle, "size": CHUNK_BYTES})
                data = part["data"]
                sink.write(base64.b64decode(data) if part.get("base64Encoded") else data.encode())
                if part["eof"]:
                    return
                if sink.tell() > MAX_BYTES:
                    raise OSError(f"the PDF is over {MAX_BYTES} bytes")
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    finally:
        await session.send("IO.close", {"handle": handle})
