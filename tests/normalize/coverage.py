"""The table of what the rules cover, for receiver/normalize/README.md: `python -m tests.normalize.coverage` writes it.

A test holds the README equal to it.
"""

from __future__ import annotations

from pathlib import Path

from receiver.normalize import load_packs
from receiver.normalize.vocabularies.usual import VOCABULARIES

README = Path(__file__).parents[2] / "receiver" / "normalize" / "README.md"
BEGIN, END = "<!-- coverage -->\n", "<!-- end of coverage -->\n"


def table() -> str:
    """Write the packs and the JSON vocabularies."""
    lines = ["| pack | knows | rules | samples | actions |", "|---|---|---|---|---|"]
    for pack in load_packs():
        names = {rule.name for rule in pack.rules}
        actions = sorted({rule.settings["action"] for rule in pack.rules if "action" in rule.settings})
        lines.append(f"| `{pack.name}` | {pack.about} | {len(names)} | {len(pack.samples)} | {', '.join(actions)} |")
    names = ", ".join(f"`{vocabulary.name}`" for vocabulary in VOCABULARIES)
    return "\n".join([*lines, "", f"JSON vocabularies, in the order they are tried: {names}.", ""])


def with_table(text: str) -> str:
    """Put the table in its place."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
