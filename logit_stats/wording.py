"""Texts that fit a terminal of 80 columns: sentences broken into lines, tables continued below themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from unicodedata import category

import pandas as pd

_NOT_FOR_LINES = ("Cc", "Zl", "Zp", "Cs")  # control characters, line and paragraph separators, lone surrogates
# Marks that turn the direction of what follows: a name could make a report read other than it is.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
T = TypeVar("T")

# Also the width at which pandas continues a table below itself (`to_string(line_width=WIDTH)`).
WIDTH = 80


def one_line(text: str) -> str:
    r"""Text with line breaks and other control characters written out as escapes.

    >>> one_line("a\nb")
    'a\\nb'
    """
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if category(character) in _NOT_FOR_LINES or character in _TURNING
        else character
        for character in text
    )


def escaped(text: str) -> str:
    """Text of several lines with other control characters written out."""
    return text if text.isprintable() else "\n".join(map(one_line, text.split("\n")))


def printed(show: Callable[[T], str]) -> Callable[[T], str]:
    r"""Decorate a ``__str__``: names in what it shows reach no terminal as control characters, and turn no direction.

    >>> @printed
    ... def shown(name):
    ...     return f"effect of\n{name}"
    >>> print(shown("\x1b[31mred"))
    effect of
    \x1b[31mred
    """

    @wraps(show)
    def safely(self: T) -> str:
        return escaped(show(self))

    return safely


def lines(sentence: str, indent: str = "  ") -> str:
    """A sentence in lines of 80 columns, those after the first indented.

    >>> print(lines("word " * 17))
    word word word word word word word word word word word word word word word word
      word
    """
    return textwrap.fill(
        escaped(sentence), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )  # fmt: skip


def decimals(value: float, places: int = 4) -> str:
    """A number with so many decimals; of a very large one (what certain and wrong predictions make) four digits.

    >>> decimals(12.34567), decimals(4.75688862832697e14)
    ('12.3457', '4.757e+14')
    """
    return f"{value:.{places}f}" if abs(value) < 1e6 else f"{value:.4g}"


def table(frame: pd.DataFrame, number: Callable[[float], str], keys: int = 1) -> str:
    """A table without its index; where it is wider than 80 columns, the first `keys` columns name the rows of every part.

    >>> wide = pd.DataFrame({"name": ["a"], "first" * 6: [1.0], "second" * 6: [2.0]})
    >>> print(table(wide, "{:g}".format))
    name  firstfirstfirstfirstfirstfirst  secondsecondsecondsecondsecondsecond
       a                               1                                     2
    """
    plain = frame.to_string(index=False, float_format=number)
    if max(map(len, plain.split("\n"))) <= WIDTH:
        return plain
    heads = frame.columns[:keys]
    texts = {name: frame[name].map(number) for name in heads if pd.api.types.is_float_dtype(frame[name])}
    named = frame.assign(**texts).set_index(list(heads))
    return named.to_string(line_width=WIDTH, float_format=number, sparsify=False)
