"""What a replayed page may do: run, and ask this origin. Nothing else.

The player rewrites the page's requests into ones to its service worker. A page that escapes
the rewriting is stopped by the browser: by the policies below, which hold for the player, its
workers and, through `static/sw.js`, for every page and script that comes out of a bundle.
"""

from __future__ import annotations

#: No popups, no dialogs, no leading away of the window that shows it. Service workers need
#: the frame to keep its origin, which is not the console's.
SANDBOX = "allow-scripts allow-same-origin allow-forms"

#: Scripts of a page may do what they did, but all that they ask for comes from here.
PAGE = "; ".join(
    (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
        "connect-src 'self' data: blob:",
        "frame-src 'self' data: blob:",
        "form-action 'self'",
        "object-src 'none'",
        f"sandbox {SANDBOX}",
    )
)

#: The player draws its styles with script.
PLAYER = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data:",
        "worker-src 'self'",
        "frame-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        f"sandbox {SANDBOX}",
    )
)

#: Of scripts it decides what they may ask for where they run as workers.
SCRIPT = "default-src 'none'; script-src 'self' 'unsafe-eval'; connect-src 'self' blob: data:"

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The console is the same site, only another port: keep it out of this one's process.
    "Origin-Agent-Cluster": "?1",
    "X-DNS-Prefetch-Control": "off",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), payment=()",
    "Cache-Control": "no-store",
}


def player(framed_by: str) -> str:
    """The player's policy, which only one origin may frame."""
    return f"{PLAYER}; frame-ancestors {framed_by}"
