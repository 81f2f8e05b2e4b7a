"""`scm serve`: the page of proposals, on this machine only."""

from __future__ import annotations

import argparse
import socket

import waitress

from scm.core.errors import Conflict
from web.app import create_app
from web.commands import Context

LOOPBACK = "127.0.0.1"


class PortTaken(Conflict):
    """Another program listens on the port."""


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will serve the pages until it is interrupted. Raises `PortTaken`."""
    app = create_app(context.database)
    _refuse_taken(options.port)
    print(f"Open http://{LOOPBACK}:{options.port}/ (Ctrl-C stops it)", flush=True)
    waitress.serve(app, host=LOOPBACK, port=options.port, threads=4, ident=None, _quiet=True)
    return 0


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise PortTaken(f"port {port} is taken: choose another with --port") from None
