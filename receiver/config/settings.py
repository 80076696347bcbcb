"""The settings as the README shows them: key, default, meaning, straight from the models."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel

from receiver.config.model import Config
from receiver.config.values import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo


class Setting(NamedTuple):
    """One key a file may hold."""

    key: str
    default: str
    description: str


def section_in(annotation: Any) -> type[BaseModel] | None:
    """Find the section that a key holds: itself, in a list, or where it may be left out."""
    if get_origin(annotation) in {tuple, UnionType}:
        annotation = get_args(annotation)[0]
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def settings(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[Setting]:
    """List every key a file may hold, in its order; `listeners[].` is each of the list."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{name}"
        if field.description:
            yield Setting(key, _default(field), field.description)
        below = section_in(field.annotation)
        if below:
            yield from settings(below, f"{key}[]." if get_origin(field.annotation) is tuple else f"{key}.")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    for item in field.metadata:
        quantity = getattr(item, "func", None)
        if isinstance(quantity, Quantity):
            return f"`{quantity.show(field.default)}`"
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if field.default in (None, (), {}):
        return "unset"
    return "two" if section_in(field.annotation) else f"`{field.default}`"


def settings_table() -> str:
    """Write the README's table, in Markdown."""
    lines = ["| key | default | meaning |", "|---|---|---|"]
    lines += [f"| `{key}` | {default} | {description} |" for key, default, description in settings()]
    return "\n".join(lines) + "\n"
