"""Serving the console and, on a port of its own, the replay origin."""

from __future__ import annotations

import socket
from threading import Thread

import uvicorn

from console.replay.app import create_replay_app
from console.web.app import create_app
from registry.blobs import Blobs
from registry.database import Database
from registry.errors import TouchstoneError
from registry.settings import Settings

#: How long what is being sent may take once the servers are told to stop.
SHUTDOWN_SECONDS = 10


def listen(host: str, port: int) -> socket.socket:
    """Listen, so that the number of the port is known before anything is served.

    Raises
    ------
    TouchstoneError
        If the address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise TouchstoneError(f"cannot listen on {host}, port {port}: {error.strerror}") from error


def listen_beside(host: str, port: int) -> socket.socket:
    """Listen on the next port, or on any where that one is taken: the console says which."""
    try:
        return listen(host, port + 1 if port < 65535 else 0)
    except TouchstoneError:
        return listen(host, 0)


class Served:
    """Both servers, each knowing the other's port.

    Parameters
    ----------
    host
        Under which they are reached; loopback's names are allowed in any case.
    console, replay
        Listening sockets; closed in the end.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        blobs: Blobs,
        host: str,
        console: socket.socket,
        replay: socket.socket,
    ) -> None:
        hosts = () if host in ("127.0.0.1", "::1", "localhost") else (host,)
        self._sockets = console, replay
        ports = [listener.getsockname()[1] for listener in self._sockets]
        self._console = _server(
            create_app(settings, database, blobs, allowed_hosts=hosts, replay_port=ports[1])
        )
        self._replay = _server(
            create_replay_app(settings, database, blobs, allowed_hosts=hosts, console_port=ports[0])
        )

    def run(self) -> None:
        """Serve until stopped: by a signal, where this is the main thread, or by `stop`."""
        # Signals are for the main thread; the other server is stopped with this one.
        beside = Thread(target=self._replay.run, kwargs={"sockets": [self._sockets[1]]})
        beside.start()
        try:
            self._console.run(sockets=[self._sockets[0]])
        except KeyboardInterrupt:
            pass  # uvicorn has shut down in order, and raises it once more after that
        finally:
            self._replay.should_exit = True
            beside.join()

    def stop(self) -> None:
        """Let `run` return."""
        self._console.should_exit = True


def _server(app: object) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        )
    )
