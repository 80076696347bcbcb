"""PRI, which RFC 3164 §4.1.1 and RFC 5424 §6.2.1 share: `<` 1 to 3 digits `>`, facility × 8 + severity.

Knows nothing of what follows it.
"""

from __future__ import annotations

from typing import Final

PRIS: Final = {str(pri): divmod(pri, 8) for pri in range(24 * 8)}
"""PRIVAL as the RFCs write it (no leading zeros, at most 191) → (facility, severity)."""


def read_pri(digits: str) -> tuple[int | None, int | None]:
    """Return facility and severity of a PRIVAL written wrongly; None for both when the number names none."""
    stripped = digits.lstrip("0") or "0"
    return PRIS.get(stripped, (None, None)) if digits else (None, None)
