"""Counts round trips between a client and a PostgreSQL server, by standing between them.

A round trip is counted where the client speaks after the server has spoken: that is when somebody waited for an answer.
It holds for every driver and for pipelines alike. Counting costs CPU, so nothing is timed through a relay.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
BLOCK = 1 << 16


class Relay:
    """A socket directory to connect to in place of the server's; `count` grows with every round trip."""

    def __init__(self, server_directory: str, directory: str) -> None:
        self.directory = directory
        self.count = 0
        self._server = str(Path(server_directory) / SOCKET)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(Path(directory) / SOCKET))
        self._listener.listen()
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def close(self) -> None:
        """This function will end the relay, when every client has gone."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed: nobody else is to come
                return
            thread = threading.Thread(target=self._carry, args=(client,))
            thread.start()
            self._threads.append(thread)

    def _carry(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        server.connect(self._server)
        answered = True
        with client, server, selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    source = client if key.fileobj is client else server
                    block = source.recv(BLOCK)
                    if not block:
                        return
                    if source is server:
                        answered = True
                    elif answered:
                        self.count += 1
                        answered = False
                    key.data.sendall(block)


@contextlib.contextmanager
def between(server_directory: str) -> Iterator[Relay]:
    """This function will run a relay for the length of the block. Every client must be closed at its end."""
    with tempfile.TemporaryDirectory(prefix="scm-relay-") as directory:
        relay = Relay(server_directory, directory)
        try:
            yield relay
        finally:
            relay.close()
