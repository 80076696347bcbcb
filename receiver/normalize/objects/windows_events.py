"""Windows events that came as XML, or as parameters of structured data → the object that JSON vocabularies read.

Knows the schema of Windows events (`http://schemas.microsoft.com/win/2004/08/events/event`) as far as it says who did
what, and no columns. Values in XML have no `<` of their own, so no value can fake an element; what stands twice with
different values has none. Linear, and nothing raises for content.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any, Final

BEGINS: Final = "<Event "

_EVENT_ID = re.compile(r"<EventID(?: [^<>]{0,100})?>(\d{1,10})</EventID>")
_NAMED = re.compile(r"<(Channel|Computer)>([^<]{0,500})</")
_PROVIDER = re.compile(r"<Provider [^<>]{0,200}?Name=(?:'([^'<>]{0,200})'|\"([^\"<>]{0,200})\")")
_DATA = re.compile(r"<Data Name=(?:'([^'<>]{1,100})'|\"([^\"<>]{1,100})\")>([^<]*)</Data>")
_ORIGINS: Final = frozenset({"Channel", "SourceName", "ProviderGuid", "SubjectUserName", "TargetUserName"})


def read_xml(text: str) -> dict[str, Any] | None:
    """Read an event in XML; None for a text that is none."""
    end = text.find("</System>")
    number = _EVENT_ID.search(text, 0, end) if end > 0 else None
    if number is None:
        return None
    system: dict[str, Any] = {"EventID": number[1]}
    system.update((name, unescape(value)) for name, value in _NAMED.findall(text, 0, end))
    if provider := _PROVIDER.search(text, 0, end):
        system["Provider"] = {"Name": provider[1] or provider[2]}
    return {"System": system, "EventData": _data_of(text, end)}


def _data_of(text: str, start: int) -> dict[str, str]:
    data: dict[str, str] = {}
    doubtful = set()
    for one, other, value in _DATA.findall(text, start):
        name, plain = one or other, unescape(value)
        if data.setdefault(name, plain) != plain:
            doubtful.add(name)
    for name in doubtful:
        del data[name]
    return data


def find_params(structured_data: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Find the element that an agent (NXLog) wrote an event's fields into; None when there is none, or are several."""
    found = [
        params for params in structured_data.values() if "EventID" in params and not _ORIGINS.isdisjoint(params)
    ]
    return found[0] if len(found) == 1 else None
