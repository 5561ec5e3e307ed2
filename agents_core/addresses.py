"""Which addresses the code of tools may reach: public ones, and never the machine itself or the network it stands in."""

import asyncio
import ipaddress
import socket

from agents_core.errors import Refused

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Addresses that carry an IPv4 address in their last 32 bits (RFC 6052).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(Refused):
    """The name is unknown, or it leads to an address that no tool may reach."""

    code = "address_refused"


async def public_addresses(host: str, port: int) -> list[str]:
    """The addresses of ``host``, to be connected to as they are: a name may lead elsewhere when it is looked up again.

    Raises ``AddressRefused`` when one of them is not public, or there is none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"There is no host {host!r}: {error}") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    refused = [address for address in addresses if not is_public(address)]
    if refused or not addresses:
        raise AddressRefused(f"{host!r} leads to {', '.join(refused) or 'no address'}, which tools may not reach.")
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address is one of the internet at large, also by what it may be translated to."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(inner.is_global and not inner.is_multicast for inner in (parsed, *_carried(parsed)))


def _carried(address: _Address) -> list[_Address]:
    """The IPv4 addresses inside an IPv6 address, by each way of writing one there."""
    if address.version == 4:
        return []
    teredo = address.teredo or ()
    last = [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)] if address in _NAT64 else []
    return [inner for inner in (address.ipv4_mapped, address.sixtofour, *teredo, *last) if inner]
