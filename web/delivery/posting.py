"""Posts JSON over HTTPS to one checked address: no redirect, no proxy, little time, little to read."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from web.delivery import DeliveryFailed, addresses
from web.delivery.addresses import Resolve

SECONDS = 10.0
MOST_BYTES = 65_536
CONTENT_TYPE = "application/json; charset=utf-8"
Connect = Callable[[str, int], socket.socket]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the receiver answered."""

    status: int
    text: str


def post_json(
    url: str,
    body: dict[str, Any],
    *,
    message_key: str,
    resolver: Resolve = addresses.resolve,
    connect: Connect | None = None,
) -> Reply:
    """This function will post one JSON object and return the reply, whatever its status.

    `connect` opens the connection to a checked address; a test gives its own. Raises `DeliveryFailed`.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if parts.scheme != "https" or not host:
        raise DeliveryFailed("the address of the webhook does not start with https://", for_good=True)
    address = addresses.public_address(host, port, resolver=resolver)
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    connection = _Pinned(host, port, address=address, opener=connect or _tls(host))
    try:
        connection.request(
            "POST",
            target,
            body=json.dumps(body, ensure_ascii=False).encode(),
            headers={"Content-Type": CONTENT_TYPE, "Idempotency-Key": message_key, "User-Agent": "scm"},
        )
        response = connection.getresponse()
        return Reply(status=response.status, text=response.read(MOST_BYTES).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        # The error's own text may repeat the address, which is a secret.
        raise DeliveryFailed(f"the host {host} could not be reached ({type(error).__name__})") from error
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to an address that was checked, whatever the name points to by now."""

    default_port = http.client.HTTPS_PORT

    def __init__(self, host: str, port: int, *, address: str, opener: Connect) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self._address, self._opener = address, opener

    def connect(self) -> None:
        self.sock = self._opener(self._address, self.port)


def _tls(host: str) -> Connect:
    def open_one(address: str, port: int) -> socket.socket:
        plain = socket.create_connection((address, port), timeout=SECONDS)
        try:
            # The certificate must be that of the name, not of the address.
            return ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    return open_one
