"""Text made safe and of known width for where it goes: a terminal, a LaTeX table."""

from __future__ import annotations

import re
from unicodedata import category, east_asian_width

from logit_stats.wording import one_line

__all__ = ["display_width", "latex", "one_line", "padded"]

_NO_WIDTH = ("Mn", "Me", "Cf")  # combining marks, zero-width joiners and the like

# "[" after a line's end would be read as its optional argument, "<" and ">" print as Spanish marks in TeX's own fonts.
_LATEX = str.maketrans({
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "[": "{[}", "]": "{]}",
})  # fmt: skip
_NUMBER = re.compile(r"(-?)(\d+(?:\.\d*)?)(?:e([+-]\d+))?")


def display_width(text: str) -> int:
    """Number of terminal columns: East Asian wide characters take two, combining marks none.

    >>> display_width("income"), display_width("収入")
    (6, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if category(character) in _NO_WIDTH else 2 if east_asian_width(character) in "WF" else 1 for character in text
    )


def padded(text: str, width: int, align: str) -> str:
    """Text filled with blanks to `width` columns; `align` is "l", "r" or "c"."""
    width -= display_width(text) - len(text)
    return {"l": text.ljust, "r": text.rjust, "c": text.center}[align](width)


def latex(text: str) -> str:
    r"""Text for LaTeX: special characters escaped, numbers with a minus sign and powers of ten.

    >>> print(latex("C(race)[T.2]"), latex("a_b & 5%"), latex("-1.2e-05"))
    C(race){[}T.2{]} a\_b \& 5\% $-1.2 \times 10^{-5}$
    """
    text = one_line(text)
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text.translate(_LATEX)
    sign, mantissa, exponent = number.groups()
    if exponent is not None:
        return rf"${sign}{mantissa} \times 10^{{{int(exponent)}}}$"
    return f"${sign}{mantissa}$" if sign else mantissa
