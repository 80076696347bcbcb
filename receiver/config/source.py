"""One YAML file: its data, on which line each key stands, and how a problem with one is written down.

Knows YAML; knows no key. Refuses what YAML lets pass and an operator cannot have meant: a key that stands there twice,
an alias of what it stands in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.config.values import Location

_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"


class _Loader(yaml.SafeLoader):
    """Dates stay text: no key wants one, and an impossible one would not be a YAML error."""


_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: str(node.value))


class Source:
    """A file as read. `data` is good only while `problems` is empty."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line_of: dict[Location, int] = {(): 0}
        """0: no line to point at."""
        self.problems: list[tuple[Location, str]] = []
        """What is wrong, and at which key."""
        self.data: object = None
        self.written_nulls: set[Location] = set()
        """Keys whose value is `null` or `~` in so many letters, not just left out."""
        text = ""
        try:
            text = path.read_bytes().decode("utf-8-sig")
            self._load(text)
        except OSError as error:
            self._give_up(f"cannot be read: {error.strerror}")
        except UnicodeDecodeError as error:
            self._give_up("not UTF-8", error.object[: error.start].count(b"\n") + 1)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 0
            self._give_up(f"not YAML: {error.problem or error.context}{_quotes_hint(text, line)}", line)
        except yaml.YAMLError as error:
            self._give_up(f"not YAML: {str(error).splitlines()[0]}")
        except ValueError as error:  # a tag such as !!int before what is none
            self._give_up(f"not YAML: {error}")
        except RecursionError:
            self._give_up("nested too deeply")

    def _give_up(self, sentence: str, line: int = 0) -> None:
        self._line_of[()] = line
        self.problems = [((), sentence)]

    def _load(self, text: str) -> None:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return
            self._line_of[()] = node.start_mark.line + 1
            self._walk(node, (), ())
            if not self.problems:
                self.data = loader.construct_document(node)
        finally:
            loader.dispose()

    def _walk(self, node: yaml.Node, here: Location, above: tuple[yaml.Node, ...]) -> None:
        """Note the line of each key; find what is there twice, and what stands in itself."""
        if node in above:
            self.problems.append((here, "an alias of what it stands in"))
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._line_of[*here, index] = item.start_mark.line + 1
                self._walk(item, (*here, index), (*above, node))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._note(key, here)
                if value.tag == _NULL and value.value:
                    self.written_nulls.add((*here, str(key.value)))
                self._walk(value, (*here, str(key.value)), (*above, node))

    def _note(self, key: yaml.Node, here: Location) -> None:
        line = key.start_mark.line + 1
        location = (*here, str(key.value))
        if not isinstance(key, yaml.ScalarNode):
            self.problems.append((here, "a key must be text"))
        elif location in self._line_of and key.tag != _MERGE:
            self.problems.append((location, f"stands there twice, first on line {self._line_of[location]}"))
            self._line_of[location] = line  # the second is the one to point at
        else:
            self._line_of[location] = line

    def lines(self) -> list[str]:
        """Write the problems as an operator reads them, in the file's order: file, line, key, sentence."""
        numbered = sorted((self._line(at), _dotted(at), sentence) for at, sentence in self.problems)
        return [
            f"{self._path}:{f'{line}:' if line else ''} {f'{key}: ' if key else ''}{sentence}"
            for line, key, sentence in numbered
        ]

    def _line(self, location: Location) -> int:
        """Find the line of a key, or of the nearest section it belongs to."""
        while location not in self._line_of:
            location = location[:-1]
        return self._line_of[location]


def _quotes_hint(text: str, line: int) -> str:
    """Guess at what goes wrong with addresses: [::]:514 is a list to YAML, and *:514 an alias."""
    written = "".join(text.splitlines()[line - 1 : line])
    return " (a value that begins with [ or * may need quotes)" if re.search(r"[:-]\s+[\[*]", written) else ""


def _dotted(location: Location) -> str:
    """Write ("listeners", 1, "listen") as listeners[1].listen."""
    text = ""
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"\w+", part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text
