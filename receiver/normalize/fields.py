"""JSON objects and structured data with the usual names → columns.

Knows how to read an object by its shape: which keys to look at (`vocabularies.py`), in which order, by which function
(`mapped.py`). The objects of one application have some dozen shapes, so the answer is remembered as a plan. Knows no
names, no values, no message, no rules, no I/O.

Invariants: NEVER GUESS - a value of the wrong type or shape fills no column. Nothing is lost - what is not wholly in
a column stays in `rest`. Nothing raises for content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.normalize.mapped import Mapped
from receiver.normalize.plan_code import MOST_STEPS, Read, Step, compile_plan
from receiver.normalize.vocabularies import STRUCTURED_DATA, Reading, Vocabulary, canonical, recognise

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["Mapped", "map_fields", "map_structured_data", "put_back"]

_IANA_SD_IDS: Final = frozenset({"timeQuality", "origin", "meta"})
"""RFC 5424 §7: they speak of the sender; `origin` has an `ip` that is no actor's."""

_Shape = tuple[str, ...]

_USES_BEFORE_COMPILING: Final = 256
"""Compiling takes as long as going through the steps some hundred times, and a sender may invent shapes."""


class _Plan:
    """How to read objects of one shape.

    containers: keys under which an inner object may mean something. kept: keys that stay in `rest` whatever they
    hold: those that mean nothing, inner objects, and those with two meanings.
    """

    __slots__ = ("_uses", "containers", "kept", "read", "steps", "vocabulary")

    def __init__(self, vocabulary: Vocabulary, steps: tuple[Step, ...], containers: _Shape, kept: _Shape) -> None:
        self.vocabulary = vocabulary
        self.steps = steps
        self.containers = containers
        self.kept = kept
        self.read: Read = self._go_through_steps
        self._uses = 0

    def _go_through_steps(self, fields: dict[str, Any]) -> Mapped:
        self._uses += 1
        if self._uses == _USES_BEFORE_COMPILING and len(self.steps) <= MOST_STEPS:
            self.read = compile_plan(self.steps, self.kept)
        rest = {key: fields[key] for key in self.kept}
        mapped = Mapped(rest)
        for convert, key, column, inwards in self.steps:
            value = _walk(fields[key], inwards) if inwards else fields[key]
            if convert is not None:
                if convert(mapped, value):
                    continue
            elif type(value) is str and value and value != "-" and getattr(mapped, column) is None:
                setattr(mapped, column, value)
                continue
            rest[key] = fields[key]
        return mapped


def _walk(value: Any, inwards: _Shape) -> Any:
    for name in inwards:
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def map_fields(fields: dict[str, Any]) -> Mapped:
    """Find the columns that a JSON object fills, and what remains of it."""
    return _plan_of(fields).read(fields)


def put_back(mapped: Mapped, fields: dict[str, Any], columns: Container[str]) -> None:
    """Return to `rest` what these columns were filled from: for a caller who fills them from elsewhere."""
    for _, key, column, _ in _plan_of(fields).steps:
        if column in columns and key not in mapped.rest:
            mapped.rest[key] = fields[key]


def map_structured_data(structured_data: dict[str, dict[str, Any]]) -> Mapped:
    """Find the columns that RFC 5424 structured data fills; `data` has all of it anyway.

    A param to which two elements give different values means nothing sure.
    """
    speaking = [element for sd_id, element in structured_data.items() if sd_id not in _IANA_SD_IDS]
    params = speaking[0] if len(speaking) == 1 else _joined(speaking)
    shape = tuple(params)
    return (_structured_plans.get(shape) or _plan_structured(shape)).read(params)


def _joined(elements: list[dict[str, Any]]) -> dict[str, Any]:
    """Join elements, without the params they disagree on."""
    params: dict[str, Any] = {}
    doubtful: set[str] = set()
    for element in elements:
        doubtful.update(name for name, value in element.items() if params.setdefault(name, value) != value)
    for name in doubtful:
        del params[name]
    return params


# --- plans: 12 keys that all fill columns are read in 4 µs with one, and in 23 without ---

_plans: dict[Any, _Plan] = {}
"""By the keys of an object; by the plan of those and the keys of its inner objects, where they matter."""
_structured_plans: dict[Any, _Plan] = {}
"""By the names of params."""


def _plan_of(fields: dict[str, Any]) -> _Plan:
    shape = tuple(fields)
    plan = _plans.get(shape) or _plan_flat(shape)
    for key in plan.containers:
        if type(fields[key]) is dict:
            inner = tuple([tuple(value) if type(value := fields[key]) is dict else None for key in plan.containers])
            return _plans.get((plan, inner)) or _plan_nested(plan, shape, inner)
    return plan


def _plan_flat(shape: _Shape) -> _Plan:
    vocabulary = recognise({canonical(key) for key in shape})
    containers = tuple(key for key in shape if canonical(key) in vocabulary.containers)
    return _remember(_plans, shape, shape, _make_plan(vocabulary, shape, containers, {}))


def _plan_nested(flat: _Plan, shape: _Shape, inner: tuple[_Shape | None, ...]) -> _Plan:
    objects = {key: keys for key, keys in zip(flat.containers, inner, strict=True) if keys is not None}
    names = (*shape, *(name for keys in objects.values() for name in keys))
    plan = _make_plan(flat.vocabulary, shape, (), objects)
    return _remember(_plans, (flat, inner), names, plan)


def _plan_structured(shape: _Shape) -> _Plan:
    return _remember(_structured_plans, shape, shape, _make_plan(STRUCTURED_DATA, shape, (), {}))


def _make_plan(vocabulary: Vocabulary, shape: _Shape, containers: _Shape, inner: dict[str, _Shape]) -> _Plan:
    """Find what each key means, and each key of inner objects, and bring it in the order of reading."""
    found: list[tuple[Reading, str, _Shape]] = []
    kept = []
    for key in shape:
        name = canonical(key)
        readings = vocabulary.readings.get(name, ())
        found += [(reading, key, ()) for reading in readings]
        for inner_key in inner.get(key, ()):
            inner_name = f"{name}.{canonical(inner_key)}"
            for reading in (*vocabulary.readings.get(inner_name, ()), *vocabulary.outer.get(inner_name, ())):
                found.append((reading, key, (inner_key, *reading.inwards)))
        if len(readings) != 1 or key in inner:
            kept.append(key)
    found.sort(key=lambda each: each[0].rank)
    steps = tuple((reading.convert, key, reading.column, inwards) for reading, key, inwards in found)
    return _Plan(vocabulary, steps, containers, tuple(kept))


def _remember(plans: dict[Any, _Plan], key: object, names: _Shape, plan: _Plan) -> _Plan:
    """Keep a plan for the next object, within bounds: senders choose the names."""
    if sum(map(len, names)) + len(names) <= limits.FIELD_SHAPE_CHARS:
        if len(plans) >= limits.FIELD_SHAPES:
            plans.clear()
        plans[key] = plan
    return plan
