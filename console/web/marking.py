"""Hostile text made safe to show: marked words, addresses."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from matchers import Span


def marked(text: str, spans: Iterable[Span], field: str) -> Markup:
    """A text with the matched words in `<mark>`, everything else escaped.

    Parameters
    ----------
    spans
        In any order, of any field; those of other fields are left out, and of two that
        overlap the later one is shown only as far as it goes beyond the earlier.
    field
        The field that the text is of: ``title`` or ``description``.
    """
    pieces: list[Markup] = []
    done = 0
    for span in sorted(
        (s for s in spans if s.field == field), key=lambda s: (s.start, -s.end, s.kind)
    ):
        start, end = max(span.start, done), min(span.end, len(text))
        if start >= end:
            continue
        pieces.append(escape(text[done:start]))
        pieces.append(
            Markup('<mark class="{}" title="{}">{}</mark>').format(
                "lexicon" if span.kind == "lexicon" else "name",
                f"{span.kind}: {span.term}",
                text[start:end],
            )
        )
        done = end
    pieces.append(escape(text[done:]))
    return Markup("").join(pieces)


def web_address(url: str | None) -> str | None:
    """The address if a link may lead there: http and https only, else None."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:  # a broken IPv6 host, for example
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None
