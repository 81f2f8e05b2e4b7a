"""`scm serve`: the pages, on this machine unless another address is named."""

from __future__ import annotations

import argparse
import gc
import logging
import socket
import sys
from urllib.parse import urlsplit

import waitress

from scm.core.errors import Conflict
from web import logs
from web.app import create_app
from web.commands import Context

LOOPBACK = "127.0.0.1"
THREADS = 8


class PortTaken(Conflict):
    """Another program listens on the port."""


def run(context: Context, options: argparse.Namespace) -> int:
    """This function will serve the pages until it is interrupted. Raises `PortTaken`."""
    settings = context.settings
    public = urlsplit(settings.public_url or "")
    https = public.scheme == "https"
    app = create_app(
        context.database,
        hosts=frozenset({public.hostname} if public.hostname else ()),
        https=https,
        metrics_token=settings.metrics_token,
    )
    # Somebody who tries it in a terminal need not read of every request.
    logs.configure(sys.stderr, level=logging.WARNING if sys.stderr.isatty() else logging.INFO)
    _refuse_taken(options.host, options.port)
    gc.collect()
    gc.freeze()  # what lives as long as the server is not walked through in the middle of a request
    print(f"Open http://{options.host}:{options.port}/ (Ctrl-C stops it)", flush=True)
    proxy = {"trusted_proxy": "*", "trusted_proxy_headers": {"x-forwarded-proto", "x-forwarded-for"}}
    waitress.serve(
        app,
        host=options.host,
        port=options.port,
        threads=THREADS,
        ident=None,
        _quiet=True,
        **(proxy if https else {}),
    )
    return 0


def _refuse_taken(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTaken(f"{host} port {port} is taken or not of this machine: choose another with --port") from None
