"""`restore`: put a verified backup into the place of a store, and forget again what was redacted since."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_of, keys_of
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape
from receiver.errors import ConfigError, EvidenceError
from receiver.owner import give, owner_of, work_as

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from receiver.cli.parser import Commands
    from receiver.config import Config
    from receiver.evidence.keys import VerifierKey
    from receiver.key_files import KeyFolder

_ABOUT: Final = """\
Verify a backup, by the keys beside the store where they can be read, and put it where the store was; the receiver must
be stopped and the place empty. What was redacted since the backup (as the file beside the keys says) is redacted again.
When the old key has signed more than the backup holds, the log goes on under a new name with a new key, which is
printed: no key ever signs two logs. As root: the files go to the owner of the folder that the store lies in.
exit codes: 0 restored; 1 the backup does not verify, and nothing was done; 2 could not run"""

_EXAMPLES: Final = """\
systemctl stop audit-receiver-syslog.socket audit-receiver
mv /var/lib/audit-receiver/store /var/lib/audit-receiver/store.broken
audit-receiver restore /mnt/backup/audit --config /etc/audit-receiver/config.yaml"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "restore", run, "put a backup back", _ABOUT, _EXAMPLES)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the backup")
    add_location(parser)
    parser.add_argument(
        "--key", action="append", default=[], metavar="VKEY",
        help="a verifier key that you trust (default: those of the keys beside the store)",
    )  # fmt: skip


def _keys(texts: Sequence[str]) -> list[VerifierKey]:
    from receiver.evidence.keys import VerifierKey

    try:
        return [VerifierKey.parse(text) for text in texts]
    except EvidenceError as error:
        raise ConfigError(f"--key: {error}") from None


def run(args: argparse.Namespace) -> int:
    """Verify, copy, redact again."""
    import receiver.offline  # noqa: F401 - while we are root: the store's owner may not be able to read the program
    from receiver.config import load_config
    from receiver.store.backup import put_back
    from receiver.verify.verification import Question, verify

    config = config_of(args) or load_config(None)
    if args.store is not None:
        config = config.model_copy(update={"store": config.store.model_copy(update={"path": args.store})})
    elif config_of(args) is None:
        raise ConfigError("restore where? Give --config FILE or --store DIR")
    keys = keys_of(config, config.store.path)
    trusted = _keys(args.key) or keys.known_verifiers()
    report = verify(Question(args.folder, tuple(trusted))).report
    if report.problems:
        for problem in report.problems:
            print(escape(str(problem)))
        print("NOT VERIFIED: nothing was restored")
        return 1
    if not trusted:
        print("the keys are those the backup names: give --key where it could have been forged")
    owner = owner_of(config.store.path)
    put_back(args.folder, config.store.path)
    give(config.store.path, owner)
    work_as(owner)
    _go_on(keys, report.size, report.origin)
    count = _redact_again(config, keys, report.size, report.origin)
    print(f"restored: {report.size} events{f', {count} ranges redacted again' if count else ''}")
    return 0


def _go_on(keys: KeyFolder, size: int, origin: str | None) -> None:
    """Take a new key when the old one has signed more than the backup holds."""
    from receiver.evidence.checkpoint import Checkpoint
    from receiver.evidence.note import parse_note

    note = keys.read_checkpoint()
    if note is None or not keys.log_key.exists():
        return
    signed = Checkpoint.parse(parse_note(note).text)
    if signed.size > size:
        keys.begin_anew(size, origin)
        found = keys.load()
        print(f"the old key has signed {signed.size} events, the backup holds {size}")
        print(f"the log goes on as {escape(found.origin)}, with new keys:")
        for verifier in found.verifiers:
            print(escape(str(verifier)))


def _redact_again(config: Config, keys: KeyFolder, size: int, origin: str | None) -> int:
    """Carry out the redactions that the backup does not know; gives how many ranges that were."""
    from receiver.offline import change
    from receiver.store.redacted import holds_any, overlap
    from receiver.store.segment import catalog

    count = 0
    for ranges, reason in keys.noted_redactions(origin):
        here = [
            span
            for segment in catalog(config.store.path)
            for span in overlap(ranges, segment.first, size - 1 if segment.last is None else segment.last)
            if holds_any(segment, [span])
        ]
        if here:
            change(config, "redact", {"seqs": [list(span) for span in here], "reason": reason})
            count += len(here)
    return count
