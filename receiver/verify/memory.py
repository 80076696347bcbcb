"""Remembers what was verified, and by which key, so that the next verification reads only what is new.

Knows one JSON file of the user who verifies, outside of the store: whoever can write the store must not be able to say
what was verified. A sealed file whose SHA-256 is the remembered one is not read row by row again.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from receiver.errors import StoreRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass
class Memory:
    """What was verified: the head, the sealed files by their first position, and the keys that were trusted."""

    keys: list[str] = field(default_factory=list)
    size: int = 0
    root: str = ""
    sealed: dict[str, str] = field(default_factory=dict)

    @property
    def digests(self) -> dict[int, bytes]:
        """The sealed files."""
        return {int(first): bytes.fromhex(digest) for first, digest in self.sealed.items()}

    @classmethod
    def read(cls, path: Path, keys: Sequence[str]) -> Memory:
        """Read it; what was verified by other keys does not count. Raises StoreRefused when it is damaged."""
        try:
            found: Any = json.loads(path.read_text())
            memory = cls(**found)
            bytes.fromhex(memory.root)
            memory.digests  # noqa: B018 - must be readable
        except FileNotFoundError:
            return cls(list(keys))
        except OSError as error:
            raise StoreRefused(f"{path}: {error.strerror}") from None
        except (ValueError, TypeError, AttributeError) as error:
            raise StoreRefused(f"{path}: does not hold what was verified ({error}): remove it to begin anew") from None
        return memory if memory.keys == list(keys) else cls(list(keys))

    def write(self, path: Path) -> None:
        """Keep it. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(self), file)
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
