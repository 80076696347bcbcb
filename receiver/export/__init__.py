"""An event in the words of others: Elastic ECS, OCSF, ArcSight CEF, or CSV. Pure: a stored event in, one line out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver.event_json import json_line
from receiver.export.cef import cef_line
from receiver.export.csv import CSV_COLUMNS, csv_header, csv_line
from receiver.export.ecs import as_ecs
from receiver.export.ocsf import as_ocsf

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CSV_COLUMNS", "FORMATS", "csv_header", "csv_line"]

FORMATS: Final[dict[str, Callable[[Any], str]]] = {
    "ecs": lambda event: json_line(as_ecs(event)),
    "ocsf": lambda event: json_line(as_ocsf(event)),
    "cef": cef_line,
}
"""By name: one stored event → one line, without the line end."""
