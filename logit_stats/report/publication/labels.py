"""What variables, levels and columns are called in a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from logit_stats.design.design import Design
from logit_stats.errors import DataError

_BARE = re.compile(r"C\(\s*([^\W\d]\w*)\s*(?:,.*)?\)")
_QUOTED = re.compile(r"""Q\(\s*(["'])(.*)\1\s*\)""")
_LEVEL = re.compile(r"\[(?:T\.)?([^\[\]]*)\]$")
ATTRIBUTES = ("variable_labels", "labels")


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels by name: of variables (``"race"``), of levels (``"race=black"``), of terms and columns as the model has them.

    Attributes
    ----------
    names : dict of str to str
    """

    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Any, designs: Iterable[Design]) -> Labels:
        """Labels from the data's ``attrs["variable_labels"]`` (or ``["labels"]``), and those given, which go first.

        Raises
        ------
        DataError
            If they are no mapping of names to texts.
        """
        found: dict[str, str] = {}
        for design in designs:
            found |= _of_table(design)
        if hasattr(given, "attrs"):
            given = _of_attributes(given.attrs)
        if given is not None and not isinstance(given, Mapping):
            raise DataError(f"labels= is a mapping of names to texts, as {{'age': 'Age (years)'}}; not {given!r}.")
        for name, text in dict(given or {}).items():
            if isinstance(text, Mapping):  # {"race": {"black": "Black"}}
                found |= {f"{name}={level}": str(its) for level, its in text.items()}
            else:
                found[str(name)] = str(text)
        return cls(found)

    def key(self, term: str) -> str:
        """Name of a term without ``C(...)`` and ``Q("...")`` around variables, the same however a formula writes it."""
        return ":".join(_plain(part) for part in _split(term))

    def pretty(self, term: str) -> str:
        """A term for the reader: variables by their labels, products by a cross."""
        return " × ".join(self.names.get(part, self.names.get(_plain(part), _plain(part))) for part in _split(term))

    def of(self, name: str, default: str | None = None) -> str:
        """Label of a variable or term."""
        if name in self.names:
            return self.names[name]
        return self.pretty(name) if default is None else default

    def level(self, name: str, level: str) -> str:
        """Label of a level of a factor."""
        return self.names.get(f"{name}={level}", level)

    def column(self, column: str, name: str, position: int, product: bool) -> str:
        """Label of one of the columns of a term."""
        if column in self.names:
            return self.names[column]
        if product:
            return " × ".join(self._part(part) for part in _split(column))
        inside = _LEVEL.search(column)
        if inside is None:
            return column
        return f"part {position + 1}" if inside[1].isdigit() else inside[1]

    def name_and_level(self, column: str) -> tuple[str, str]:
        """Term and level of a column such as ``race[T.black]``; the level is empty where there is none."""
        inside = _LEVEL.search(column)
        return (self.key(column), "") if inside is None else (self.key(column[: inside.start()]), inside[1])

    def _part(self, part: str) -> str:
        inside = _LEVEL.search(part)
        if inside is None:
            return self.names.get(part, self.names.get(_plain(part), _plain(part)))
        name = _plain(part[: inside.start()])
        return f"{self.of(name)}: {self.level(name, inside[1])}"


def _plain(part: str) -> str:
    for pattern, group in ((_BARE, 1), (_QUOTED, 2)):
        found = pattern.fullmatch(part)
        if found is not None:
            return found[group]
    return part


def _split(term: str) -> list[str]:
    """Parts of a product: colons that stand outside brackets and quotes."""
    parts, depth, quote, start = [], 0, "", 0
    for i, sign in enumerate(term):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == ":" and depth <= 0:
            parts.append(term[start:i])
            start = i + 1
    return [*parts, term[start:]]


def _of_table(design: Design) -> dict[str, str]:
    if design.formula is None or not design.has_rows or design.table is None:
        return {}
    for name in design.formula.columns:
        found = _of_attributes(design.table.column(name, "labels").attrs)
        if found:
            return found
    return {}


def _of_attributes(attributes: Mapping[Any, Any]) -> dict[str, str]:
    for key in ATTRIBUTES:
        found = attributes.get(key)
        if isinstance(found, Mapping):
            return {str(name): str(text) for name, text in found.items()}
    return {}
