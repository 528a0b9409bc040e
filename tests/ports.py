"""A port for a server that has to be named before it runs, or that comes back at the same place."""

import os
import random
import socket

FIRST, LAST = 20_000, 32_000
"""Below the ports that systems give to outgoing connections: one of those could take a port while its server is down,
and a client that keeps trying could even connect to itself."""


def free_port() -> int:
    """One that nobody listens at; other test processes most likely get others."""
    chance = random.Random(f"{os.getpid()} {os.urandom(8).hex()}")
    while True:
        port = chance.randrange(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
