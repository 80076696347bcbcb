"""The options that select events, shared by `query`, `tail`, `stats` and `hosts`, and the Filter they make."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from receiver.cli.event_output import zone_of
from receiver.cli.parser import checked
from receiver.cli.when import FORMS, now_us, parse_when
from receiver.errors import ConfigError
from receiver.event import ACTIONS, SEVERITIES, Outcome

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Parser
    from receiver.store import Filter

_OTHER_NAMES: Final = {"panic": 0, "emergency": 0, "critical": 2, "error": 3, "warn": 4, "informational": 6}


def add_selection(parser: Parser) -> None:
    """Take the filters; each given one must match."""
    select = parser.add_argument_group("which events (all given must match)")
    # Parsed later: `today` needs to know the zone.
    select.add_argument("--since", metavar="TIME", help=f"received at or after: {FORMS}")
    select.add_argument("--until", metavar="TIME", help="received before")
    select.add_argument("--actor", metavar="NAME", help="who did it, or whom they became")
    select.add_argument(
        "--action",
        metavar="ACTION",
        type=checked(parse_action),
        help="what was done: auth.login, or a whole category: 'auth.*'",
    )
    select.add_argument("--outcome", choices=[str(outcome) for outcome in Outcome])
    select.add_argument("--host", metavar="NAME", help="the machine, as it names itself")
    select.add_argument("--app", metavar="NAME", help="the program")
    select.add_argument(
        "--source-ip",
        metavar="IP",
        type=checked(parse_source),
        help="where the actor came from: an address, or a network as 10.0.0.0/8",
    )
    select.add_argument("--target", metavar="TARGET", help="what it was done to: an account, file, unit, …")
    select.add_argument(
        "--severity",
        metavar="LEVEL",
        type=checked(parse_severity),
        help=f"this urgent or more: {', '.join(SEVERITIES)}, or 0-7",
    )
    select.add_argument("--contains", metavar="WORDS", help="whole words of the message, in this order, in any case")
    select.add_argument("--rule", metavar="RULE", help="what read it: sshd/accepted, or a whole pack: 'sshd/*'")
    select.add_argument("--listener", metavar="NAME", help="the listener that took it")
    select.add_argument("--peer", metavar="IP", help="who delivered it: the sender itself, or a relay")


def filter_from(args: argparse.Namespace) -> Filter:
    """Build the store's filter from the options."""
    since, until = _time(args, "since"), _time(args, "until")
    if since is not None and until is not None and since > until:
        raise ConfigError("--since is after --until: nothing can match")
    from receiver.store import Filter

    in_network = args.source_ip is not None and "/" in args.source_ip
    return Filter(
        since=since,
        until=until,
        actor=args.actor,
        action=args.action,
        outcome=args.outcome,
        host=args.host,
        app=args.app,
        source_ip=None if in_network else args.source_ip,
        network=args.source_ip if in_network else None,
        target=args.target,
        severity=args.severity,
        contains=args.contains,
        rule=args.rule,
        listener=args.listener,
        peer=args.peer,
    )


def parse_action(text: str) -> str:
    """Take an action of the vocabulary, or the beginning of some and `*`; raises ValueError.

    The vocabulary is closed: by a name that is not in it nothing is ever found, which reads as "it did not happen".
    """
    if text in ACTIONS or (text.endswith("*") and any(action.startswith(text[:-1]) for action in ACTIONS)):
        return text
    category = text.partition(".")[0]
    known = sorted(action for action in ACTIONS if action.startswith(f"{category}."))
    near = get_close_matches(text, sorted(ACTIONS), n=1) or ([f"{category}.*"] if known else [])
    hint = f"did you mean '{near[0]}'?" if near else "'audit-receiver stats --by action' shows what there is"
    if known:
        hint += f" (of {category}: {', '.join(known)})"
    raise ValueError(f"there is no action '{text}': {hint}")


def parse_address(text: str) -> str:
    """Spell an address as the rules store it; raises ValueError: nothing could be found by what is none."""
    from receiver.normalize.address import parse_ip

    address = parse_ip(text)
    if address is None:
        raise ValueError(f"'{text}' is not an address; give one, as 203.0.113.9 or 2001:db8::1")
    return address


def parse_source(text: str) -> str:
    """Spell an address as the rules store it, or a network in CIDR notation; raises ValueError."""
    if "/" not in text:
        return parse_address(text)
    from receiver.store.filter import Network

    try:
        return str(Network(text))
    except ValueError as error:
        raise ValueError(f"'{text}' is not a network: {error}") from error


def parse_severity(text: str) -> int:
    """Turn a name or a number into the number; raises ValueError with one sentence."""
    word = text.strip().lower()
    if word in SEVERITIES:
        return SEVERITIES.index(word)
    if word in _OTHER_NAMES:
        return _OTHER_NAMES[word]
    if len(word) == 1 and word in "01234567":
        return int(word)
    raise ValueError(f"'{text}' is not a severity; give {', '.join(SEVERITIES)}, or 0-7")


def _time(args: argparse.Namespace, name: str) -> int | None:
    text = getattr(args, name)
    if text is None:
        return None
    try:
        return parse_when(text, now_us(), zone_of(args))
    except ValueError as error:
        raise ConfigError(f"--{name}: {error}") from error
