"""JSON objects and structured data with the usual names → columns.

Knows how to read an object by its shape: which keys to look at (`vocabularies/`), in which order, by which function
(`mapped.py`). The objects of one application have some dozen shapes, so the answer is remembered as a plan. Of names it
knows only where an event stands in an envelope; no values, no message, no rules, no I/O.

An object may be an envelope (`envelopes.py`), or have a product's names with dots instead of inner objects. What it is
not sure of itself, the event in it says: an envelope that names a deed, a user or an address of its own is not opened,
since what stands in its texts may be a stranger's; its header (host, app, time …) stands in any case.

Invariants: NEVER GUESS - a value of the wrong type or shape fills no column. Nothing is lost - what is not wholly in
a column stays in `rest`. Nothing raises for content.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.event import Outcome
from receiver.normalize.objects.documents import take_affected_user
from receiver.normalize.objects.envelopes import find_envelope, find_line, open_envelope, tells_of_a_line
from receiver.normalize.objects.mapped import (
    Mapped,
    take_action,
    take_doer,
    take_login_address,
    take_login_name,
    take_login_uid,
)
from receiver.normalize.objects.plan_code import MOST_STEPS, Read, Step, compile_plan
from receiver.normalize.vocabularies.usual import (
    GELF,
    GENERIC,
    STRUCTURED_DATA,
    Reading,
    Vocabulary,
    canonical,
    recognise,
)
from receiver.normalize.vocabularies.vocabulary import Rewrite, join_names, nest

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from collections.abc import Set as AbstractSet

__all__ = ["Mapped", "map_fields", "map_structured_data", "map_without", "put_back"]

_IANA_SD_IDS: Final = frozenset({"timeQuality", "origin", "meta"})
"""RFC 5424 §7: they speak of the sender; `origin` has an `ip` that is no actor's."""

_Shape = tuple[str, ...]

_USES_BEFORE_COMPILING: Final = 256
"""Compiling takes as long as going through the steps some hundred times, and a sender may invent shapes."""


class _Plan:
    """How to read objects of one shape.

    containers: keys under which an inner object may mean something. kept: keys that stay in `rest` whatever they
    hold: those that mean nothing, inner objects, and those with two meanings. envelope: the key under which another's
    event may stand. line: the one of the line that a shipper read. rewrite: see Vocabulary. product: whose names these
    are, when only inner objects tell. is_plain: none of these matters, and no product's own names. is_chosen: the
    vocabulary is the caller's choice. is_silent: no key names a deed. is_wrapped: the envelope is
    called as something that ECS has words of its own for.
    """

    __slots__ = (
        "_uses", "containers", "envelope", "is_chosen", "is_plain", "is_silent", "is_wrapped", "kept", "line",
        "product", "read", "rewrite", "steps", "vocabulary",
    )  # fmt: skip

    def __init__(self, vocabulary: Vocabulary, steps: tuple[Step, ...], containers: _Shape, kept: _Shape) -> None:
        self.vocabulary = vocabulary
        self.envelope: str | None = None
        self.line: str | None = None
        self.rewrite: Rewrite | None = None
        self.product: Vocabulary | None = None
        self.is_plain = not vocabulary.own
        self.is_chosen = False
        self.is_wrapped = False
        self.is_silent = all(column != "action" for _, _, column, _ in steps)
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
    plan = _plan_of(fields)
    mapped = plan.read(fields)
    if plan.is_plain:
        text = mapped.message
        if text is None:
            if plan.line is None:
                return mapped
        elif text[:1] != "{" and text[-1:] != "}":
            if plan.is_silent:
                _read_text(plan, mapped, fields)
            return mapped
    return _map_further(plan, mapped, fields, 0)


_PLACE: Final = re.compile(
    r"(?:\b(?:for|by|of|as|from) )?(?:\b[Uu]ser )?"
    r"[\"']?\{@?[A-Za-z_.]{1,40}\}[\"']?(?: (?:from|at|on)\b(?= [\"']?\{))?"
)
"""A place for a value in a text (`User {UserName} logged in from {Ip}`), whose values are fields."""
_DEED: Final = re.compile(r"(?:2FA |2fa )?[A-Za-z_ .-]{3,48}")
"""A text that may be the name of a deed (`user logged in`): one with numbers is a sentence, of which few are alike."""


def _read_text(plan: _Plan, mapped: Mapped, fields: dict[str, Any]) -> None:
    """Read the text as a deed's name, where no field has one but some say who or from where."""
    if mapped.actor is None and mapped.source_ip is None:
        return
    text = _without_actor(_PLACE.sub("", mapped.message or "").strip(" :-"), mapped.actor, mapped.source_ip)
    if not _DEED.fullmatch(text):
        return
    told = mapped.outcome
    take_action(mapped, text)
    if text != mapped.message and not (mapped.action or "").startswith(("auth.", "session.")):
        mapped.action, mapped.outcome = None, told  # it may be whom it was done to
    if mapped.action is not None:
        if mapped.outcome is None and _HAPPENED.search(text) and (mapped.severity is None or mapped.severity > _ERROR):
            mapped.outcome = _SUCCESS
        for convert, key, column, inwards in plan.steps:
            if convert in _OF_LOGINS or (column == "reason" and convert is not None):
                convert(mapped, _walk(fields[key], inwards))
        take_affected_user(mapped, fields.get("user", fields.get("username")))
        if mapped.action.startswith(_BY_OTHERS) and mapped.target is None and not _is_doer(plan, mapped, fields):
            mapped.actor = None  # or whom it was done to
            put_back(mapped, fields, {"actor"})


_SUCCESS: Final = str(Outcome.SUCCESS)
_ERROR: Final = 3
_HAPPENED: Final = re.compile(
    r"(?<!to be )(?<!not )\b(?:created|deleted|removed|added|granted|revoked|changed|updated|enabled|disabled"
    r"|locked|unlocked|assigned)\.?\Z",
    re.IGNORECASE,
)
"""How a text ends that says of a deed that it was done."""
_BY_OTHERS: Final = (
    "account.create", "account.delete", "account.disable", "account.enable", "account.lock", "account.unlock",
    "account.update", "group.", "role.", "privilege.",
)  # fmt: skip
"""Deeds that somebody else does to a user: in a text beside one name it may be either's."""
_DOERS: Final = re.compile(r"actor|admin|performed|initiat|operator|author|request|doer|by|caller|principal|session")


def _is_doer(plan: _Plan, mapped: Mapped, fields: dict[str, Any]) -> bool:
    """Say if the field that the actor stands in is called as one who does something."""
    names = [
        canonical(".".join((key, *inwards)))
        for _, key, column, inwards in plan.steps
        if column == "actor" and _walk(fields[key], inwards) == mapped.actor
    ]
    return any(_DOERS.search(name) for name in names)


_OF_LOGINS: Final = frozenset({take_login_name, take_login_uid, take_login_address, take_doer})
_LONGEST_SENTENCE: Final = 200


def _without_actor(text: str, actor: str | None, source_ip: str | None) -> str:
    """Leave the name and the address that have their own fields out of a sentence (`Login failed for alice`)."""
    found = _FROM_WHERE.search(text)
    if found is not None and found[1] == source_ip:
        text = text[: found.start()]
    if actor is None or len(text) > _LONGEST_SENTENCE or text.count(actor) != 1 or " " not in text:
        return text
    before, after = text.split(actor)
    if _WORD_CHAR.fullmatch(before[-1:]) or _WORD_CHAR.fullmatch(after[:1]):
        return text
    before = _FOR_WHOM.sub("", before.rstrip("\"'`[( ")).strip()
    after = after.lstrip("\"'`]):, ").rstrip(".! ")
    return f"{before} {after}".strip() if not (before and after) or before.lower() == "user" else text


_FROM_WHERE: Final = re.compile(r" from (?:IP )?[\"'\[(]?([0-9A-Fa-f.:]{2,45})[\"'\])]?\.?\Z")
_WORD_CHAR: Final = re.compile(r"[\w.@+\\-]")
_FOR_WHOM: Final = re.compile(r"(?:^| )(?:(?:for|by|of|as)(?: user| account)?|user|account):?\Z", re.IGNORECASE)


_HIT: Final = "_source"
"""Elasticsearch's name for the document it found: without its underscore, ECS's for where somebody came from."""
_MOST_ENVELOPES: Final = 4
"""Envelopes in envelopes that are opened: a container's line, in a shipper's, in a queue's."""


def _map_further(plan: _Plan, mapped: Mapped, fields: dict[str, Any], depth: int) -> Mapped:
    """Read what is not said by the names at the top: the event in an envelope, or names with dots in them."""
    mapped.is_own = plan.vocabulary.own
    if depth == _MOST_ENVELOPES:
        return mapped
    if plan.rewrite is not None or plan.product is not None:
        return _map_rewritten(plan, mapped, fields, depth)
    if mapped.is_own and not mapped.says_who:
        return _map_usual(mapped, fields, depth)
    key = plan.envelope or plan.line
    if plan.is_wrapped and key is not None and mapped.says_who and type(fields[key]) is dict:
        within = _map_again(fields[key], depth + 1)
        is_surer = key == _HIT or within.actor is not None or within.source_ip is not None
        return _join(mapped, fields, key, fields[key], within) if is_surer else mapped
    if key is None and mapped.actor is None and (read := _read_original(mapped, fields, depth)) is not None:
        return read
    if key is None or mapped.is_own or (mapped.says_who and not (mapped.says_whence_only and plan.envelope)):
        if plan.is_silent and not mapped.is_own and mapped.message is not None:
            _read_text(plan, mapped, fields)
        return mapped
    inner = open_envelope(fields[key], is_line=plan.envelope is None)
    return mapped if inner is None else _join(mapped, fields, key, inner, _map_again(inner, depth + 1))


def _map_rewritten(plan: _Plan, mapped: Mapped, fields: dict[str, Any], depth: int) -> Mapped:
    written = plan.rewrite(fields) if plan.rewrite is not None else fields
    if written is None:
        return mapped
    again = _map_again(written, depth + 1, plan.product)
    again.rest = dict(fields)
    again.envelope, again.source = None, {}
    if plan.vocabulary is GELF:
        _take_header(again, mapped)
    return again


_ORIGINAL: Final = "event.original"
"""ECS's field for what Logstash and Filebeat were given."""


def _read_original(mapped: Mapped, fields: dict[str, Any], depth: int) -> Mapped | None:
    """Read what a shipper was given, where it made nothing of it, or missed who did it in a product's own record.

    Only of the same deed: what is not a product's own record of it may be a body that a stranger sent.
    """
    event = fields.get("event")
    key = "event" if type(event) is dict else _ORIGINAL
    original = open_envelope(event.get("original") if type(event) is dict else fields.get(_ORIGINAL), is_line=True)
    if original is None:
        return None
    within = _map_again(original, depth + 1)
    if mapped.says_who and not (within.is_own and within.actor is not None and within.action == mapped.action):
        return None
    address, port = mapped.source_ip, mapped.source_port
    joined = _join(mapped, fields, key, original, within)
    if address is not None:
        joined.source_ip, joined.source_port = address, port
    if type(event) is dict and len(event) > 1:
        others = {name: value for name, value in event.items() if name != "original"}
        joined.envelope = {**(joined.envelope or {}), "event": others}
    return joined


def _take_header(mapped: Mapped, outer: Mapped) -> None:
    """Take what GELF says of the message itself, where the product's own names say nothing of it."""
    mapped.rest = {name: value for name, value in mapped.rest.items() if name[:1] == "_" or name in outer.rest}
    for column in (*_HEADER, "message"):
        if getattr(mapped, column) is None:
            setattr(mapped, column, getattr(outer, column))
    if mapped.time is None:
        mapped.time, mapped.time_quality = outer.time, outer.time_quality


def _map_usual(mapped: Mapped, fields: dict[str, Any], depth: int) -> Mapped:
    """Read by the usual names what looks like a product's event and says nothing by the product's own."""
    plan = _plan_of_product(fields, GENERIC)
    usual = _map_further(plan, plan.read(fields), fields, depth + 1)
    if not usual.says_who:
        return mapped
    usual.rest, usual.source = (dict(fields), {}) if usual.envelope is None else (usual.rest, usual.source)
    return usual


def _map_again(fields: dict[str, Any], depth: int, product: Vocabulary | None = None) -> Mapped:
    plan = _plan_of(fields) if product is None else _plan_of_product(fields, product)
    return _map_further(plan, plan.read(fields), fields, depth)


def map_without(fields: dict[str, Any], doubtful: Mapping[str, list[Any]]) -> Mapped:
    """Find the columns of an object in which names stand twice: with different values they say nothing sure.

    doubtful: all values of such names, wherever in the object they stand; none where there were too many to keep.
    """
    names = {name for name, values in doubtful.items() if not values or any(value != values[0] for value in values)}
    if not names:
        return map_fields(fields)
    mapped = map_fields(_without(fields, names))
    mapped.rest = dict(fields)
    mapped.envelope, mapped.source = None, {}
    return mapped


def _without(value: Any, names: set[str]) -> Any:
    if type(value) is dict:
        return {key: _without(inner, names) for key, inner in value.items() if key not in names}
    return [_without(inner, names) for inner in value] if type(value) is list else value


_HEADER: Final = ("host", "app", "pid", "severity", "facility")


def _join(outer: Mapped, fields: dict[str, Any], key: str, inner_fields: dict[str, Any], inner: Mapped) -> Mapped:
    """Join an event and its envelope: who did what is the event's word, where it came from is the envelope's."""
    if inner.source is None:
        inner.source = inner_fields
    put_back(outer, fields, _DEED_COLUMNS)
    beaten = set()
    for column in _HEADER:
        theirs = getattr(outer, column)
        if theirs is not None:
            if getattr(inner, column) not in (None, theirs):
                beaten.add(column)
            setattr(inner, column, theirs)
    if outer.time is not None:
        beaten.add("time")
        inner.time, inner.time_quality = outer.time, outer.time_quality
    put_back(inner, inner.source, beaten)
    around = {name: value for name, value in outer.rest.items() if name != key}
    if inner.envelope:
        around = {**inner.envelope, **around} if around.keys().isdisjoint(inner.envelope) else {
            **around, "envelope": inner.envelope}
    inner.envelope = around
    if inner.source_ip is None and outer.source_ip is not None and inner.says_who:
        inner.source_ip, inner.source_port = outer.source_ip, outer.source_port
    if inner.message is None and outer.message is not None and outer.message is not fields[key]:
        inner.message = outer.message
    return inner


_DEED_COLUMNS: Final = frozenset({"actor", "actor_as", "action", "outcome", "reason", "target", "source_ip",
                                  "source_port", "session"})  # fmt: skip


def put_back(mapped: Mapped, fields: dict[str, Any], columns: Container[str]) -> None:
    """Return to `rest` what these columns were filled from: for a caller who fills them from elsewhere."""
    if mapped.source is not None:
        fields = mapped.source
    if not fields:
        return
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
    plan = _plans.get(shape) or _plan_flat(shape, None)
    for key in plan.containers:
        if type(fields[key]) is dict:
            inner = tuple([tuple(value) if type(value := fields[key]) is dict else None for key in plan.containers])
            return _plans.get((plan, inner)) or _plan_nested(plan, shape, inner)
    return plan


def _plan_of_product(fields: dict[str, Any], product: Vocabulary) -> _Plan:
    shape = tuple(fields)
    plan = _plans.get((product.name, shape)) or _plan_flat(shape, product)
    inner = tuple([tuple(value) if type(value := fields[key]) is dict else None for key in plan.containers])
    return _plans.get((plan, inner)) or _plan_nested(plan, shape, inner)


def _plan_flat(shape: _Shape, product: Vocabulary | None) -> _Plan:
    names = join_names(shape)
    vocabulary = product or recognise(names)
    containers = tuple(key for key in shape if canonical(key) in vocabulary.containers)
    plan = _make_plan(vocabulary, shape, containers, {})
    plan.is_chosen = product is not None
    is_dotted = any("." in key for key in shape)
    if vocabulary.rewrite is not None:
        plan.rewrite = _nest_first(vocabulary.rewrite) if is_dotted else vocabulary.rewrite
    elif vocabulary.own:
        if product is None and is_dotted:
            plan.rewrite, plan.product = nest, vocabulary
    else:
        plan.envelope, is_apart = find_envelope(shape, names)
        plan.line = find_line(shape)
        plan.rewrite = nest if is_apart else None
        if vocabulary is GELF:
            plan.product = _product_in_gelf(names)
    plan.is_plain = not (vocabulary.own or plan.envelope or plan.rewrite or plan.product or _ORIGINAL in shape)
    return _remember(_plans, shape if product is None else (product.name, shape), shape, plan)


def _product_in_gelf(names: AbstractSet[str]) -> Vocabulary | None:
    """Find whose event an agent wrote with names of its own beside GELF's, as NXLog does on Windows."""
    product = recognise(names - {"shortmessage", "fullmessage", "version"})
    return product if product.own else None


def _nest_first(rewrite: Rewrite) -> Rewrite:
    return lambda fields: rewrite(nest(fields))


def _plan_nested(flat: _Plan, shape: _Shape, inner: tuple[_Shape | None, ...]) -> _Plan:
    objects = {key: keys for key, keys in zip(flat.containers, inner, strict=True) if keys is not None}
    names = (*shape, *(name for keys in objects.values() for name in keys))
    plan = _make_plan(flat.vocabulary, shape, (), objects)
    plan.envelope, plan.line, plan.rewrite, plan.product = flat.envelope, flat.line, flat.rewrite, flat.product
    if not flat.vocabulary.own and flat.rewrite is None and flat.vocabulary is not GELF:
        product = recognise(join_names([*shape, *(f"{key}.{name}" for key, keys in objects.items() for name in keys)]))
        plan.product = product if product.own and not flat.is_chosen else None
    if flat.envelope in objects and tells_of_a_line(flat.envelope, objects[flat.envelope]):
        plan.envelope = None
    if flat.line in objects:  # `log` tells of the line that stands in `message`, whichever comes first
        others = find_line(tuple(key for key in shape if key not in objects))
        plan.line = others or (None if tells_of_a_line(flat.line, objects[flat.line]) else flat.line)
    plan.is_silent = all(
        column != "action" or (key in objects and inwards in _NO_DEEDS) for _, key, column, inwards in plan.steps
    )
    plan.is_plain = flat.is_plain and plan.product is None and "original" not in objects.get("event", ())
    plan.is_wrapped = flat.envelope in objects and (
        flat.envelope == _HIT or canonical(flat.envelope or "") == "event"
    )
    return _remember(_plans, (flat, inner), names, plan)


_NO_DEEDS: Final = ((), ("type",))
"""Of an inner object, itself; and its `type`, which in ECS is a kind of events."""


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
