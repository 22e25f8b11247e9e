"""State that a page carries for its own scripts: ``__NEXT_DATA__``, ``window.x = {…}`` and such."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from typing import Any

#: Nodes of a state that are looked at: a page decides how many there are.
MAX_NODES = 300_000
MAX_SCRIPTS = 400

_DECODER = json.JSONDecoder(strict=False)
_JSON = re.compile(r"application/json\b|text/x-magento-init\b", re.IGNORECASE)
#: What stands in a tag before its type, and after it.
_BEFORE = re.compile(r"<script\b[^<>]{0,500}\btype\s{0,9}=\s{0,9}[\"']?\s{0,9}$", re.IGNORECASE)
_AFTER = re.compile(r"[^<>]{0,500}>")
_CLOSING = re.compile(r"</script", re.IGNORECASE)
_STATES = re.compile(
    r"(?:window\.|self\.|globalThis\.)?"
    r"(?P<name>__(?:NEXT_DATA|INITIAL_STATE|PRELOADED_STATE|APOLLO_STATE|INITIAL_DATA|NUXT"
    r"|WML_REDUX_INITIAL_STATE|APP_INITIAL_STATE|STATE|INIT_DATA)__|initialState|pageData|runParams"
    r"|_init_data_|__INIT_DATA|__moduleData__|__GLOBAL_DATA|_dida_config_)"
)


def assigned(page: str, name: str, most: int = 5) -> Iterator[Any]:
    """Values that scripts give to a name: ``name = {…}``, ``name: […]``, ``"name":{…}``.

    Only what is written as JSON is read, or as ``JSON.parse("…")``.
    """
    at = 0
    for _ in range(MAX_SCRIPTS):
        at = page.find(name, at)
        if at < 0 or most <= 0:
            return
        at += len(name)
        follows = _ASSIGNS.match(page, at)
        if follows is None:
            continue
        value = read_at(page, follows.end())
        if value is not None:
            most -= 1
            yield value


_ASSIGNS = re.compile(
    r"[\"']?\]?\s{0,20}[=:]\s{0,20}(?:(?:JSON\.parse|decodeURIComponent|\w{1,20})?\()?\s{0,20}"
)


def read_at(text: str, start: int) -> Any:
    """The JSON value that begins at a place, None if there is none that is whole."""
    if start >= len(text) or text[start] not in "{[\"'":
        return None
    try:
        if text[start] == "'":
            end = re.compile(r"(?:[^'\\]|\\.){0,5000000}'", re.DOTALL).match(text, start + 1)
            if end is None:
                return None
            inner = re.sub(r"\\(['\\/])", r"\1", end.group()[:-1])
            return json.loads(inner, strict=False)
        value, _ = _DECODER.raw_decode(text, start)
        if isinstance(value, str) and value[:1] in ("{", "["):
            value = json.loads(value, strict=False)
        return value if isinstance(value, dict | list) else None
    except (ValueError, RecursionError):
        return None


def scripts(page: str, media_type: re.Pattern[str]) -> Iterator[str]:
    """The contents of the scripts of a type.

    It is the type that is searched for, since a page may open any number of scripts.
    """
    done = 0
    for number, found in enumerate(media_type.finditer(page)):
        if number >= MAX_SCRIPTS:
            return
        if found.start() < done or not _BEFORE.search(
            page[max(0, found.start() - 520) : found.start()]
        ):
            continue
        opening = _AFTER.match(page, found.end())
        closing = _CLOSING.search(page, opening.end()) if opening else None
        if opening is not None and closing is not None:
            done = closing.end()
            yield page[opening.end() : closing.start()]


def json_scripts(page: str) -> Iterator[Any]:
    """The contents of the scripts that are JSON, ``__NEXT_DATA__`` among them."""
    for text in scripts(page, _JSON):
        try:
            yield json.loads(text, strict=False)
        except (ValueError, RecursionError):
            continue


def states(page: str) -> Iterator[Any]:
    """Every state of a page that is known by the name of a framework."""
    yield from json_scripts(page)
    for name in dict.fromkeys(match["name"] for match in _STATES.finditer(page)):
        yield from assigned(page, name, most=2)


def dig(value: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places, None where the path leads nowhere."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return None
            value = value[step]
        else:
            if not isinstance(value, dict):
                return None
            value = value.get(step)
    return value


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside a value, the outer ones first."""
    waiting = deque([value])
    for _ in range(MAX_NODES):
        if not waiting:
            return
        node = waiting.popleft()
        if isinstance(node, dict):
            yield node
            waiting.extend(v for v in node.values() if isinstance(v, dict | list))
        elif isinstance(node, list):
            waiting.extend(v for v in node if isinstance(v, dict | list))


def find(value: Any, *names: str) -> Any:
    """The first thing that stands under one of these names, anywhere inside; outer ones first."""
    for node in nodes(value):
        for name in names:
            if node.get(name) not in (None, "", [], {}):
                return node[name]
    return None
