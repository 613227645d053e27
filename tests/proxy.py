"""A relay between a client and a server that breaks on purpose."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

_RESET = struct.pack("ii", 1, 0)
"""Linger for no time: closing sends a reset."""


class Proxy:
    """Relays connections to a port of this machine, and breaks each after so many bytes.

    :param port: Where the server listens.
    :param after: How many bytes of the server pass before it breaks; None for all.
    :param how: ``close``, ``reset``, or ``stall``, which says nothing more and stays open.
    :param times: How many of the first connections break; None for all.
    """

    def __init__(
        self, port: int, *, after: int | None, how: str = "close", times: int | None = None
    ) -> None:
        self.server, self.after, self.how, self.times = port, after, how, times
        self.connections = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._listener)
        for opened in self._open:
            _shut(opened)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            breaks = self.times is None or self.connections <= self.times
            server = socket.create_connection(("127.0.0.1", self.server))
            self._open += [client, server]
            for ends in ((client, server, None), (server, client, self.after if breaks else None)):
                thread = threading.Thread(target=self._relay, args=ends, daemon=True)
                self._threads.append(thread)
                thread.start()

    def _relay(self, source: socket.socket, sink: socket.socket, left: int | None) -> None:
        try:
            while data := source.recv(4096):
                if left is not None and len(data) >= left:
                    sink.sendall(data[:left])
                    self._break(source, sink)
                    return
                left = None if left is None else left - len(data)
                sink.sendall(data)
        except OSError:
            pass
        _shut(sink)

    def _break(self, server: socket.socket, client: socket.socket) -> None:
        if self.how == "stall":
            return
        if self.how == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.shutdown(socket.SHUT_RD)  # or the other relay would keep it open
            client.close()
        else:
            _shut(client)
        _shut(server)


def _shut(opened: socket.socket) -> None:
    with suppress(OSError):
        opened.shutdown(socket.SHUT_RDWR)
    opened.close()
