"""A document of our own as PDF, printed by the browser on the machine, offline."""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path
from typing import Any

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Route

from crawler.browsing.browser import open_browser
from crawler.network.gate import Gate
from registry.errors import TouchstoneError

PRINT_SECONDS = 180.0

_FOOTER = """<style>.foot{{font:7.5pt 'Noto Sans','DejaVu Sans',sans-serif;color:#555;width:100%;
box-sizing:border-box;padding:0 18mm;display:flex;justify-content:space-between}}</style>
<div class="foot"><span>{left}</span><span>Page <span class="pageNumber"></span> of
<span class="totalPages"></span></span></div>"""


def print_html(html: str, *, executable: Path, footer: str) -> bytes:
    """Print a document on A4, with page numbers.

    The document is given as a string; no script in it runs, and no address is asked for.

    Parameters
    ----------
    footer
        Stands at the left of each page's foot.

    Raises
    ------
    TouchstoneError
        If there is no browser, or it cannot print this.
    """
    return asyncio.run(_print(html, executable, _FOOTER.format(left=escape(footer))))


async def _print(html: str, executable: Path, footer: str) -> bytes:
    async def refuse(route: Route) -> None:
        await route.abort("blockedbyclient")

    options: dict[str, Any] = {"offline": True, "java_script_enabled": False}
    try:
        async with asyncio.timeout(PRINT_SECONDS), open_browser(executable, Gate(())) as opened:
            context = await opened.browser.new_context(**options)
            await context.route("**/*", refuse)
            page = await context.new_page()
            await page.set_content(html, wait_until="load", timeout=PRINT_SECONDS * 1000)
            return await page.pdf(
                format="A4",
                print_background=True,
                display_header_footer=True,
                header_template="<span></span>",
                footer_template=footer,
                margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
                tagged=True,
                outline=True,
            )
    except TimeoutError as error:
        raise TouchstoneError("the report could not be printed in time: try again") from error
    except PlaywrightError as error:
        reason = error.message.strip().splitlines()[0]
        raise TouchstoneError(f"the report could not be printed: {reason}") from error
