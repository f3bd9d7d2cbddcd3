"""What to write instead: formulas of R, Stata and habit, in words that work here."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from logit_stats.errors import listed

_NAME = r"[A-Za-z_][\w.]*"

# Functions of R (and Stata's operators) that users write in formulas, and what they are here; {x} is the first argument.
FUNCTIONS: dict[str, str] = {
    **{
        name: f"write np.{name}({{x}})"
        for name in ("log", "log2", "log10", "log1p", "exp", "expm1", "sqrt", "sin", "cos", "tan", "floor")
    },
    "ceiling": "write np.ceil({x})",
    "factor": "write C({x}) for the levels of a column",
    "ordered": "write C({x}, Poly), or make it a pandas categorical with its levels in order",
    "relevel": "write C({x}, Treatment('reference level'))",
    "cbind": "write successes + failures ~ ... on the left of the formula",
    "ifelse": "write np.where(condition, yes, no)",
    "cut": "write pd.cut({x}, [limits])",
    "interaction": "write a:b for the cells of two factors",
    "rcs": "write ns({x}, df=3), or cr({x}, df=3, constraints='center'), for a restricted cubic spline",
    "s": "write ns({x}, df=4), or cr({x}, df=4, constraints='center'), for a spline (nothing here chooses its smoothness)",
    "lsp": "write {x} + np.maximum({x} - knot, 0) for a line that bends at a knot",
    "pspline": "write bs({x}, df=5) for a spline",
    "strata": "fit a conditional model of the strata, or write C({x}) for one level each",
    "cluster": "fit without it and take with_cov('cluster', groups='{x}')",
    "lag": "make the column first, for example df['lagged'] = df['{x}'].shift()",
    "as": "write C({x}) for levels, {x}.astype(float) for numbers",
    "is": "write {x}.isna() for missing values",
    "pmin": "write np.minimum({x}, limit)",
    "pmax": "write np.maximum({x}, limit)",
    "i": "write C({x}) for the levels of a column",
    "c": "write the column {x} alone, or C({x}) for its levels",
}
_ARGUMENT = re.compile(rf"\(\s*({_NAME})|\.({_NAME})")


def written(name: Any) -> str:
    """A column's name as a formula has to write it.

    >>> written("age"), written("blood pressure"), written("class"), written(3)
    ('age', 'Q("blood pressure")', 'Q("class")', 'Q(3)')
    """
    if isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name):
        return name
    if not isinstance(name, str):
        return f"Q({name!r})"
    return f"Q({name!r})" if '"' in name or "\\" in name else f'Q("{name}")'


def hint_for_column(name: Any) -> str:
    """How to write the column of this name."""
    return f"write {written(name)}."


def hint_for_function(name: str, expression: str) -> str | None:
    """What a function of another language is here; None for those that have no counterpart in the table."""
    known = FUNCTIONS.get(name)
    if known is None:
        return None
    found = _ARGUMENT.search(expression[expression.find(name) :])
    argument = (found.group(1) or found.group(2)) if found else "x"
    if name in ("as", "is"):
        inside = re.search(rf"\(\s*({_NAME})", expression)
        argument = inside.group(1) if inside else "x"
    return known.replace("{x}", argument) + "."


def hint_for_piece(formula: str, piece: str, columns: Sequence[Any]) -> str:
    """What to write for one piece of a formula that is not an expression of Python."""
    for hint in (_all_columns, _odd_column, _other_language, _quoted, _number_first, _keyword, _two_names):
        found = hint(formula, piece, columns)
        if found:
            return found
    return "it is no expression of Python. Terms are columns or functions of columns, joined by +, :, * and -."


def hint_for_text(formula: str, columns: Sequence[Any]) -> str | None:
    """What to write for a text that does not even fall into pieces; None where patsy's own words are as good."""
    table: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
        (r"`([^`]+)`", lambda m: f"a column in backticks is R's; write {written(m.group(1))}."),
        (rf"({_NAME})\$({_NAME})", lambda m: f"{m.group(0)!r} is R's; the data stand beside the formula, so write {m.group(2)}."),
        (r"\)\s*\^\s*(\d+)", lambda m: f"write (...)**{m.group(1)} for all interactions up to {m.group(1)} terms."),
        (r"(?:\b[ic]\.)?(\w+)\s*##?\s*(?:[ic]\.)?(\w+)", lambda m: f"# is Stata's; write {m[1]}:{m[2]}, or {m[1]}*{m[2]}."),
        (r"\)\s*(and|or|[&|])\s*\(", lambda m: "conditions are joined by & or | inside I(...): I((x > 3) & (k == 1))."),
        (r"\)\.\w", lambda m: "an expression that starts with a bracket goes inside I(...), as in I((x > 3).astype(int))."),
        (r"\^", lambda m: "^ is no power here; write I(x**2)."),
        (r"[−–·×⋅]", lambda m: f"{m.group(0)!r} is a character of print, no operator; write - or *."),
        (r"<-", lambda m: "<- is R's; a formula is a text such as 'y ~ x'."),
        (r"(?<![\w.])(\d+(?:\.\d+)?)\s*\*\s*(\w+)", lambda m: f"a multiple is written I({m.group(1)} * {m.group(2)})."),
        (r"(?<![\w.])\d*\.?\d+(?![\w.])", lambda m: "numbers other than 0 and 1 are no terms; arithmetic goes inside I(...)."),
    )  # fmt: skip
    for name in columns:
        if (
            isinstance(name, str)
            and not name.isidentifier()
            and len(name) > 1
            and name in formula
            and f'"{name}"' not in formula
        ):
            return f"{name!r} is a column whose name is no Python name; {hint_for_column(name)}"
    for pattern, say in table:
        match = re.search(pattern, formula)
        if match:
            return say(match)
    return None


def _all_columns(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    if piece.strip() != ".":
        return None
    left = formula.partition("~")[0]
    named = set(re.findall(r"\w+", left))
    others = [written(name) for name in columns if name not in named and written(name) not in left]
    if not others or len(others) > 30:
        return (
            "R's . for all other columns is not known here; join the names, for example "
            f"""{left.strip() + " ~ "!r} + " + ".join(f'Q("{{name}}")' for name in df.columns.drop("{left.strip()}"))."""
        )
    return f"R's . for all other columns is not known here; write them out: '{left.strip()} ~ {' + '.join(others)}'."


def _odd_column(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    plain = piece.strip().strip("'\"`")
    texts = [name for name in columns if isinstance(name, str)]
    if plain in texts:
        return f"a column of this name is written {written(plain)}."
    near = get_close_matches(plain, texts, n=1, cutoff=0.8) if len(plain) > 3 else []
    if near:
        return f"did you mean the column {near[0]!r}? It is written {written(near[0])}."
    return None


def _other_language(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    match = re.search(rf"({_NAME})\s*%in%\s*(.*)", piece)
    if match:
        values = re.fullmatch(r"c?\((.*)\)", match.group(2).strip())
        inside = f"write {match.group(1)}.isin([{values.group(1)}])." if values else ""
        return (
            inside
            or f"%in% is R's; write {match.group(1)}:{match.group(2)}, or {match.group(1)}.isin([...]) for membership."
        )
    if "%%" in piece or "%/%" in piece:
        return "%% and %/% are R's; write I(a % b) and I(a // b)."
    function = re.match(rf"(as|is)\.{_NAME}\s*\(", piece)
    if function:
        return hint_for_function(function.group(1), piece)
    power = re.search(r"(\w+?)([²³])", piece)
    if power:
        return f"write I({power.group(1)}**{2 if power.group(2) == '²' else 3})."
    return None


def _quoted(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    if piece[:1] in "'\"" and piece[:1] == piece[-1:]:
        return f"a text is no column; write {written(piece[1:-1])} for the column of that name."
    return None


def _number_first(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    if re.fullmatch(r"\d\w+", piece):
        return f"a column whose name starts with a digit is written {written(piece)}."
    return None


def _keyword(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    for word in re.findall(r"\w+", piece):
        if keyword.iskeyword(word) and word not in (
            "and",
            "or",
            "not",
            "in",
            "is",
            "if",
            "else",
            "True",
            "False",
            "None",
        ):
            return f"{word!r} is a word of Python's own; a column of that name is written {written(word)}."
    if re.search(r"(?<![=!<>])=(?!=)", piece):
        return "the response is set off by ~, as in 'y ~ x'; equality is written ==."
    return None


def _two_names(formula: str, piece: str, columns: Sequence[Any]) -> str | None:
    if re.fullmatch(r"\w+(\s+\w+)+", piece):
        return f"two names follow each other. A column whose name has a space is written {written(piece)}; terms are joined by +."
    if "," in piece:
        names = [part.strip() for part in piece.split(",")]
        return f"terms are joined by +, as in {' + '.join(names)}."
    return None


def missing_names(names: Sequence[Any]) -> str:
    """Names of the columns there are, for messages."""
    return listed([str(name) for name in names], 8)
