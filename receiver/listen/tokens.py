"""Who a bearer token belongs to.

Knows token files and the Authorization header (RFC 6750, RFC 7617, Elasticsearch's ApiKey); does not know HTTP beyond
that, and never shows a token. A file has one token a line, `name: token` or a token alone (then its name is that of the
file and the line); `#` begins a comment. Tokens are kept and compared as digests, all of them each time, so that the
time an answer takes tells nothing.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64decode
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from receiver import limits
from receiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LINE: Final = re.compile(r"(?:(?P<name>[^:#\s][^:]{0,62}):[ \t]+)?(?P<token>[!-~]+)")


class Tokens:
    """Those of one listener; replaced as a whole by a reload."""

    def __init__(self, listener: str, paths: Sequence[Path]) -> None:
        """Read the files. Raises ConfigError naming the listener, the file and the line."""
        self._names: dict[bytes, str] = {}
        for path in paths:
            self._read(f"listener {listener}: {path}", path)

    def name_of(self, authorization: str) -> str | None:
        """Give the name of the token in an Authorization header; None: it has none that we know."""
        secret = _secret(authorization)
        if secret is None:
            return None
        offered = sha256(secret).digest()
        found = None
        for digest, name in self._names.items():
            if hmac.compare_digest(digest, offered):
                found = name
        return found

    def _read(self, where: str, path: Path) -> None:
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(limits.TOKEN_FILE_BYTES + 1)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: {getattr(error, 'strerror', None) or 'not UTF-8'}") from error
        if len(text) > limits.TOKEN_FILE_BYTES:
            raise ConfigError(f"{where}: longer than {limits.TOKEN_FILE_BYTES} bytes")
        before = len(self._names)
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                self._add(f"{where}:{number}", line.strip(), f"{path.name}:{number}")
        if len(self._names) == before:
            raise ConfigError(f"{where}: no token in it")

    def _add(self, where: str, line: str, unnamed: str) -> None:
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{where}: must be a token, or `name: token`; tokens are ASCII without blanks")
        token, name = match["token"], match["name"] or unnamed
        if len(token) < limits.TOKEN_CHARS:
            raise ConfigError(f"{where}: the token is shorter than {limits.TOKEN_CHARS} characters")
        if not name.isprintable():
            raise ConfigError(f"{where}: the name must be printable")
        if self._names.setdefault(sha256(token.encode()).digest(), name) != name:
            raise ConfigError(f"{where}: the token stands there twice, under two names")


def _secret(authorization: str) -> bytes | None:
    """Find the token: `Bearer T`; `Basic` with any user and T as the password; `ApiKey` with base64 of `id:T`, or T."""
    scheme, _, value = authorization.strip().partition(" ")
    value = value.strip()
    scheme = scheme.lower()
    if not value:
        return None
    if scheme == "bearer":
        return value.encode("latin-1", "replace")
    if scheme not in {"basic", "apikey"}:
        return None
    try:
        _, colon, secret = b64decode(value, validate=True).partition(b":")
    except ValueError:
        colon = secret = b""
    if colon:
        return secret
    return value.encode("latin-1", "replace") if scheme == "apikey" else None
