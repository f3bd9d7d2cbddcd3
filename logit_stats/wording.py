"""Texts that fit a terminal of 80 columns: sentences broken into lines, tables continued below themselves."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pandas as pd

# Also the width at which pandas continues a table below itself (`to_string(line_width=WIDTH)`).
WIDTH = 80


def lines(sentence: str, indent: str = "  ") -> str:
    """A sentence in lines of 80 columns, those after the first indented.

    >>> print(lines("word " * 17))
    word word word word word word word word word word word word word word word word
      word
    """
    return textwrap.fill(sentence, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


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
