"""Requests with a body, as addresses: how replay finds the answer to a POST.

An index knows addresses only. So method and body are written as a query behind the address,
and whoever replays does the same with the request that the page makes.

Source: "Non-GET request canonicalisation" of Webrecorder, as warcio.js and wabac do it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlencode

#: So much of a body is looked at; whole, an index would grow with what pages send.
MAX_BODY = 4096

_KEPT = re.compile("%(?:3B|2F|3F|3A|40|26|3D|2B|24|2C|23)", re.IGNORECASE)
_IN_A_QUERY = "!$%&()*+,-./:;=?@[\\]^_`{|}~"
_PART = re.compile(r'name="([^"]+)"\r\n\r\n(.*)', re.IGNORECASE)


def body_as_query(content_type: str, body: bytes) -> str:
    """The body of a request as the query that stands for it.

    Parameters
    ----------
    content_type
        As the request's head has it; empty if it has none.

    >>> body_as_query("application/json", b'{"id": 7, "tags": ["a", "b"], "gift": null}')
    'id=7&tags=a&tags.2_=b&gift=null'
    """
    kind = content_type.split(";")[0]
    if kind == "application/x-www-form-urlencoded":
        query = body.decode("utf-8", "replace")
    elif kind in ("application/json", "text/plain"):
        query = _of_json(body)
    elif kind == "multipart/form-data":
        query = _of_parts(content_type, body)
    else:
        query = "__wb_post_data=" + base64.b64encode(body).decode()
    return _decoded(query[:MAX_BODY])


def _of_json(body: bytes) -> str:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    named: dict[str, str] = {}
    seen: dict[str, int] = {}
    try:
        for name, said in _leaves(value, ""):
            key = name
            if name in named:
                seen[name] = seen.get(name, 1) + 1
                key = f"{name}.{seen[name]}_"
            named[key] = said
    except RecursionError:
        return ""
    return _encoded(named)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner, name)
    else:
        said = _written(value)
        if said:
            yield name, said


def _written(value: Any) -> str:
    """A JSON scalar as JavaScript writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return str(value)


def _of_parts(content_type: str, body: bytes) -> str:
    boundary = content_type.partition("boundary=")[2]
    named: dict[str, str] = {}
    if boundary:
        for part in re.split("-*" + re.escape(boundary) + "-*", body.decode("utf-8", "replace")):
            found = _PART.search(part.strip())
            if found:
                named[found[1]] = found[2].rstrip("\r")
    return _encoded(named)


def _encoded(named: dict[str, str]) -> str:
    # Half a surrogate pair is no text in UTF-8; browsers write the replacement character.
    pairs = {
        name.encode("utf-16", "surrogatepass").decode("utf-16", "replace"): said.encode(
            "utf-16", "surrogatepass"
        ).decode("utf-16", "replace")
        for name, said in named.items()
    }
    return urlencode(pairs, safe="*").replace("~", "%7E")


def _decoded(query: str) -> str:
    """What JavaScript's `decodeURI` makes of it, and then its `URL`.

    Signs that part an address stay written as they are; what may not stand in a query is
    written anew (WHATWG URL, special-query percent-encode set).
    """
    held = _KEPT.sub(lambda match: match[0].replace("%", "%25"), query)
    try:
        return quote(unquote(held, errors="strict"), safe=_IN_A_QUERY)
    except UnicodeDecodeError:
        return ""
