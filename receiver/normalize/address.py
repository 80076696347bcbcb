"""IP addresses and ports as text from a message: validated, in one spelling, or refused.

Knows the text forms of RFC 4291 §2.2 and RFC 6874's zone; no names, no DNS, no sockets.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

MAX_PORT: Final = 65_535

_KNOWN_ADDRESSES: Final = 8_192
"""How many addresses are remembered: `ipaddress` costs 5 µs, a dict 0.05; senders choose the texts, so it is
bounded."""

_LONGEST: Final = 64
"""An IPv6 address takes 45 characters, brackets 2, and a zone name the rest."""

_known: dict[str, str | None] = {}

_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}")
"""Dotted decimal without leading zeros: what `ipaddress` takes, and in the spelling it gives (0.7 µs instead of 5)."""

_WITH_PORT: Final = re.compile(rf"({_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}|\[[0-9A-Fa-f:.]{{2,45}}\]):([0-9]{{1,5}})")


def parse_ip(text: str) -> str | None:
    """Spell an IP address the canonical way; None when it is not one. IPv4-mapped IPv6 becomes IPv4."""
    try:
        return _known[text]
    except KeyError:
        pass
    if len(text) > _LONGEST:
        return None
    if len(_known) >= _KNOWN_ADDRESSES:
        _known.clear()
    result = _known[text] = _parse(text)
    return result


def _parse(text: str) -> str | None:
    if _IPV4.fullmatch(text):
        return text
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.version == 6 and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def parse_ip_and_port(text: str) -> tuple[str | None, int | None]:
    """Read `192.0.2.7:51234` or `[2001:db8::7]:51234`; nothing when it is neither."""
    found = _WITH_PORT.fullmatch(text)
    if found is None or int(found[2]) > MAX_PORT:
        return None, None
    address = parse_ip(found[1])
    return address, None if address is None else int(found[2])
