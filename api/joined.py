"""Sends an answer in one piece.

uvicorn writes the head and the body one after the other, and uvloop sends at once what it is
given: two system calls and two packets an answer, which wake the client twice.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KEPT_BYTES_MAX: Final = 64 * 1024  # more is sent at once: it fills packets of its own


class JoinedTransport:
    """A transport that sends what one step of the event loop writes at the end of the step."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._kept: list[bytes] = []
        self._bytes = 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        """Be the transport in everything else."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Keep data for the end of the step."""
        if not self._kept:
            self._loop.call_soon(self._send)
        self._kept.append(data)
        self._bytes += len(data)
        if self._bytes > KEPT_BYTES_MAX:
            self._send()

    def close(self) -> None:
        """Send what is kept, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._kept and not self._transport.is_closing():
            self._transport.write(b"".join(self._kept))
        self._kept.clear()
        self._bytes = 0


class JoinedProtocol(HttpToolsProtocol):
    """uvicorn's protocol on such a transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] - as uvicorn's
        """Begin a connection."""
        super().connection_made(JoinedTransport(transport, self.loop))  # type: ignore[arg-type] - it is one in all that uvicorn asks of it
