"""Asking a page from a JavaScript world of our own, which its scripts cannot reach.

A page may replace `Array.prototype.map` or `Element.prototype.getAttribute` and so lie to
whoever asks in its own world. Here the document is the page's, the language is ours.
Source: Chrome DevTools Protocol, Page.createIsolatedWorld.
"""

from __future__ import annotations

from typing import Any

from playwright.async_api import CDPSession
from playwright.async_api import Error as PlaywrightError

_NAME = "touchstone"


class IsolatedWorld:
    """Functions run in the main frame of a session's page, from where its frames are reached."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session

    async def call(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function with values, and return its value, awaited.

        There is no limit of time here: a page that computes for ever never answers.

        Raises
        ------
        playwright.async_api.Error
            If the function throws, or the page goes away under it.
        """
        tree = await self._session.send("Page.getFrameTree")
        world = await self._session.send(
            "Page.createIsolatedWorld",
            {
                "frameId": tree["frameTree"]["frame"]["id"],
                "worldName": _NAME,
                # Frames of other sites are part of what is shown.
                "grantUniveralAccess": True,
            },
        )
        answer = await self._session.send(
            "Runtime.callFunctionOn",
            {
                "functionDeclaration": function,
                "executionContextId": world["executionContextId"],
                "arguments": [{"value": argument} for argument in arguments],
                "returnByValue": True,
                "awaitPromise": True,
            },
        )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            said = details.get("exception", {}).get("description") or details.get("text", "")
            raise PlaywrightError(f"in the page: {said[:500]}")
        return answer["result"].get("value")
