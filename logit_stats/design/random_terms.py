"""Random terms of a formula, ``(1 + x | id)``: split off its right-hand side, which is then an ordinary formula."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from logit_stats.errors import FormulaError

_OPENING, _CLOSING = "([{", ")]}"
_NAME = re.compile(r"""\s*(?:([^\W\d]\w*)|Q\(\s*(?:"([^"]*)"|'([^']*)')\s*\))\s*""")


@dataclass(frozen=True)
class RandomTerm:
    """Random effects of one grouping.

    Attributes
    ----------
    columns : str
        Right-hand side of a formula: what the effects multiply, ``"1 + x"``.
    factors : tuple of str
        Columns of the data whose combinations are the groups.
    correlated : bool
        Whether the effects of a group are correlated; not after ``||``.
    """

    columns: str
    factors: tuple[str, ...]
    correlated: bool

    @property
    def grouping(self) -> str:
        """Name of the grouping."""
        return ":".join(self.factors)

    def __str__(self) -> str:
        return f"({self.columns} {'|' if self.correlated else '||'} {self.grouping})"


def split_random_terms(formula: str) -> tuple[str, tuple[RandomTerm, ...]]:
    """Return the formula without its random terms, and these.

    Parameters
    ----------
    formula : str
        ``"y ~ x + (1 + x | school / class)"``. ``a / b`` is ``a`` and ``a:b`` (nested), ``||`` has no correlations.

    Raises
    ------
    FormulaError
        If there is no random term, or one of them cannot be read.

    Examples
    --------
    >>> split_random_terms("y ~ x + (1 | school / class)")[0]
    'y ~ x'
    >>> [str(term) for term in split_random_terms("y ~ x + (1 + x || id)")[1]]
    ['(1 + x || id)']
    """
    if not isinstance(formula, str):
        raise FormulaError(f"The formula is a {type(formula).__name__}; write it as a text such as 'y ~ x + (1 | id)'.")
    left, tilde, right = _at_top(formula, "~")
    if not tilde:
        raise FormulaError(f"The formula {formula!r} has no response; write it as 'response ~ predictors + (1 | id)'.")
    fixed, random = [], []
    for sign, piece in _summands(right):
        inside = _bracketed(piece)
        before, bar, after = _at_top(inside, "|") if inside is not None else ("", "", "")
        if not bar:
            if _has_bar(piece):
                raise FormulaError(_misplaced(formula, piece))
            fixed.append(f"{sign}{piece.strip()}")
            continue
        if sign == "-":
            raise FormulaError(f"In {formula!r} a random term is subtracted; leave {piece.strip()} out instead.")
        random += _terms(formula, before.strip(), after)
    if not random:
        raise FormulaError(
            f"The formula {formula!r} has no random term; write one such as (1 | id), or use logit() for independent rows."
        )
    text = " + ".join(fixed).replace("+ -", "- ").replace("  ", " ") or "1"
    return f"{left.strip()} ~ {text}", tuple(random)


def _terms(formula: str, columns: str, after: str) -> list[RandomTerm]:
    correlated = not after.startswith("|")
    after = after.removeprefix("|")
    if not columns or "|" in after:
        raise FormulaError(_misplaced(formula, f"({columns} | {after})"))
    found: list[RandomTerm] = []
    upper: tuple[str, ...] = ()
    for level in _split(after, "/"):
        names = tuple(_name(formula, part) for part in _split(level, ":"))
        upper = upper + names
        found.append(RandomTerm(columns, upper, correlated))
    return found


def _name(formula: str, text: str) -> str:
    match = _NAME.fullmatch(text)
    if match is None:
        raise FormulaError(
            f"In {formula!r} the grouping {text.strip()!r} is no column name: write (1 | id), (1 | school / class), "
            f"(1 | a:b), or Q('...') around a name with blanks."
        )
    return next(group for group in match.groups() if group is not None)


def _misplaced(formula: str, piece: str) -> str:
    return (
        f"In {formula!r} the random term {piece.strip()!r} cannot be read: a random term stands in brackets of its own and is "
        f"added to the others, as in 'y ~ x + (1 + x | id)'."
    )


# Reading past brackets and quotes.


def _scan(text: str) -> Iterator[tuple[int, str, int]]:
    """Position, character and depth of brackets of everything outside quotes."""
    depth, quote = 0, ""
    for i, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
            continue
        if letter in "\"'":
            quote = letter
            continue
        depth -= letter in _CLOSING
        yield i, letter, depth
        depth += letter in _OPENING


def _at_top(text: str, mark: str) -> tuple[str, str, str]:
    """Partition at the first mark outside brackets and quotes."""
    for i, letter, depth in _scan(text):
        if letter == mark and depth == 0:
            return text[:i], mark, text[i + 1 :]
    return text, "", ""


def _split(text: str, mark: str) -> list[str]:
    cuts = [i for i, letter, depth in _scan(text) if letter == mark and depth == 0]
    return [text[a + 1 : b] for a, b in zip([-1, *cuts], [*cuts, len(text)], strict=True)]


def _summands(text: str) -> list[tuple[str, str]]:
    """Signs ("" or "-") and terms of a sum."""
    cuts = [(i, letter) for i, letter, depth in _scan(text) if letter in "+-" and depth == 0]
    ends = [i for i, _ in cuts] + [len(text)]
    pieces = [("", text[: ends[0]])]
    pieces += [
        ("-" if letter == "-" else "", text[i + 1 : end]) for (i, letter), end in zip(cuts, ends[1:], strict=True)
    ]
    return [(sign, piece) for sign, piece in pieces if piece.strip()]


def _bracketed(piece: str) -> str | None:
    """What stands between the brackets where a term is one pair of them."""
    piece = piece.strip()
    if not piece.startswith("("):
        return None
    closing = next((i for i, letter, depth in _scan(piece) if letter == ")" and depth == 0), None)
    return piece[1:-1] if closing == len(piece) - 1 else None


def _has_bar(piece: str) -> bool:
    """Whether there is a bar outside quotes and outside the brackets of a call."""
    depths: list[bool] = []
    for i, letter, _ in _scan(piece):
        if letter in _OPENING:
            before = piece[:i].rstrip()
            depths.append(bool(before) and (before[-1].isalnum() or before[-1] in "_)]"))
        elif letter in _CLOSING and depths:
            depths.pop()
        elif letter == "|" and not any(depths):
            return True
    return False
