"""`check-proof`: verify a proof with a verifier key, without store and network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from receiver.cli.parser import add_command
from receiver.cli.terminal import escape
from receiver.cli.when import to_datetime
from receiver.errors import ConfigError, EvidenceError

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands
    from receiver.evidence.checkpoint import SignedCheckpoint
    from receiver.evidence.keys import VerifierKey

_ABOUT: Final = """\
Verify a proof that `prove` wrote, with nothing but the verifier key of the log. Prints the event that was proven.
exit codes: 0 it holds; 1 it does not; 2 could not run"""

_EXAMPLES: Final = """\
audit-receiver check-proof event-48123.proof --key 'audit1/store+6493ad22+AS5F…'
audit-receiver check-proof grown.proof --old yesterday.checkpoint --key 'audit1/store+6493ad22+AS5F…'"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "check-proof", run, "verify a proof, offline", _ABOUT, _EXAMPLES)
    parser.add_argument("file", type=Path, metavar="FILE", help="the proof")
    parser.add_argument("--key", action="append", required=True, metavar="VKEY", help="the log's verifier key")
    parser.add_argument("--old", type=Path, metavar="FILE", help="the old checkpoint, for a proof of consistency")


def run(args: argparse.Namespace) -> int:
    """Check, and say what is shown."""
    from receiver.evidence.keys import VerifierKey
    from receiver.evidence.proof import FIRST_LINE

    try:
        keys = [VerifierKey.parse(text) for text in args.key]
    except EvidenceError as error:
        raise ConfigError(f"--key: {error}") from None
    data = args.file.read_bytes()
    try:
        if data.startswith(b"old ") or (args.old and not data.startswith(FIRST_LINE.encode())):
            _check_consistency(data, args.old, keys)
        else:
            _check_event(data, keys)
    except EvidenceError as error:
        print(f"NOT VERIFIED: {escape(str(error))}")
        return 1
    return 0


def _check_event(data: bytes, keys: list[VerifierKey]) -> None:
    from receiver.event_json import event_line
    from receiver.evidence.proof import verify_proof

    proven = verify_proof(data, keys)
    if proven.event is None:
        came = to_datetime(proven.received_at)
        print(f'{{"seq":{proven.seq},"received_at":"{came:%Y-%m-%dT%H:%M:%S.%fZ}","redacted":true}}')
    else:
        print(event_line(_numbered(proven.seq, proven.event)))
    print(f"verified: event {proven.seq} is in the log {_head(proven.signed)}")


def _numbered(seq: int, event: Any) -> Any:
    from receiver.store.reader import StoredEvent

    return StoredEvent._make((seq, *event, None, None))


def _check_consistency(data: bytes, old: Path | None, keys: list[VerifierKey]) -> None:
    from receiver.evidence.proof import verify_consistency_proof

    if old is None:
        raise ConfigError("a proof of consistency is checked against an old checkpoint: give --old FILE")
    before, after = verify_consistency_proof(data, old.read_bytes(), keys)
    print(f"verified: the log {_head(before)} is the beginning of the log {_head(after)}")


def _head(signed: SignedCheckpoint) -> str:
    found = signed.checkpoint
    when = to_datetime(signed.seconds * 1_000_000) if signed.seconds is not None else None
    return f"{escape(found.origin)} of {found.size} events" + (f", signed {when:%Y-%m-%d %H:%M:%S} UTC" if when else "")
