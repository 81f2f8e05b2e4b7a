"""Which addresses a webhook may reach: public ones only.

A webhook's host is named by a person, and a name may point anywhere: to this machine, to its neighbours, to the
metadata service of a cloud. The name is resolved once, every address it has must be public, and the connection goes to
the address that was checked, so that a name that changes in between changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence

from web.delivery import DeliveryFailed

Resolve = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Public by their number, but bridges into networks that are not: NAT64, 6to4, Teredo, IPv4-compatible addresses.
BRIDGES = tuple(
    ipaddress.IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
# Cloud metadata services that lie in ranges somebody may take for public.
METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("169.254.169.254", "100.100.100.200", "168.63.129.16", "fd00:ec2::254")
)


def resolve(host: str, port: int) -> Sequence[str]:
    """This function will ask the system for the addresses of a host."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise DeliveryFailed(f"the host {host} cannot be found") from error
    return [str(entry[4][0]) for entry in found]


def public_address(host: str, port: int, *, resolver: Resolve = resolve) -> str:
    """This function will give an address of the host to connect to. Raises `DeliveryFailed` if any is not public."""
    texts = resolver(host, port)
    if not texts:
        raise DeliveryFailed(f"the host {host} has no address")
    for text in texts:
        if not is_public(text):
            raise DeliveryFailed(
                f"the host {host} points into a private, local or reserved network: webhooks may only reach public "
                "addresses",
                for_good=True,
            )
    return texts[0]


def is_public(text: str) -> bool:
    """This function will tell whether an address may be reached.

    >>> is_public("8.8.8.8"), is_public("169.254.169.254"), is_public("::ffff:127.0.0.1"), is_public("fe80::1%eth0")
    (True, False, False, False)
    """
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif any(address in bridge for bridge in BRIDGES):
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved and address not in METADATA
