"""A TCP proxy that can be told to cut, hold up or swallow what passes through it."""

import selectors
import socket
import struct
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self

CHUNK_BYTES: Final = 65_536
LOOK_SECONDS: Final = 0.05
# Closing with this sends RST instead of FIN: the line is cut, not hung up.
AT_ONCE: Final = struct.pack("ii", 1, 0)


class Proxy:
    """Leads connections to 127.0.0.1:`front` on to 127.0.0.1:`back`; one thread a connection."""

    def __init__(self, front: int, back: int) -> None:
        self.cuts = 0
        self._back = back
        self._delay_seconds = 0.0
        self._refusing = self._deaf = self._ended = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", front), backlog=64)
        self._door.settimeout(LOOK_SECONDS)
        self._thread = threading.Thread(target=self._welcome, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended = True
        self._thread.join()
        self._door.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection that there is, in the middle of whatever is on its way."""
        with self._lock:
            broken, self._open = self._open, set()
        self.cuts += len(broken)
        for line in broken:
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
                line.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def refusing(self) -> Generator[None]:
        """Break all connections, and every new one, for the time of the block."""
        self._refusing = True
        try:
            self.cut()
            yield
        finally:
            self._refusing = False

    @contextmanager
    def delaying(self, seconds: float) -> Generator[None]:
        """Hold up whatever passes, in each direction."""
        self._delay_seconds = seconds
        try:
            yield
        finally:
            self._delay_seconds = 0.0

    @contextmanager
    def deaf(self) -> Generator[None]:
        """Let requests through and swallow the answers, then cut: what was done is asked again."""
        self._deaf = True
        try:
            yield
        finally:
            self.cut()
            self._deaf = False

    def _welcome(self) -> None:
        while not self._ended:
            try:
                client, _ = self._door.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if self._refusing:
                return
            with socket.create_connection(("127.0.0.1", self._back)) as server:
                with self._lock:
                    self._open |= {client, server}
                try:
                    self._carry(client, server)
                finally:
                    with self._lock:
                        self._open -= {client, server}

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            while not self._ended:
                for key, _ in selector.select(LOOK_SECONDS):
                    source = client if key.fileobj is client else server
                    chunk = source.recv(CHUNK_BYTES)
                    if not chunk:
                        return
                    if self._delay_seconds:
                        time.sleep(self._delay_seconds)
                    if not (self._deaf and source is server):
                        key.data.sendall(chunk)
