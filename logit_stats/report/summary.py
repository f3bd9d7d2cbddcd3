"""The two summaries of a result, in the layouts of statsmodels' ``summary()`` and ``summary2()``.

A result is anything with statsmodels' attributes: ``params bse tvalues pvalues conf_int(alpha) llf llnull llr_pvalue
prsquared aic bic nobs df_model df_resid mle_retvals`` and ``model.endog_names``, ``model.exog_names``. It may have more:
``cov_type``, ``uses_t``, ``method``; ``model_title``, which replaces the name of the model in the title;
``header_items()``, which replaces the right half of the header;
``sample_line()`` and ``summary_notes()``, which stand under the tables. Without those two the texts are statsmodels' own,
to the byte.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.report.coefficients import CoefficientTable
from logit_stats.report.numbers import adaptive, count, fixed, significant
from logit_stats.report.summary_output import Summary, Summary2
from logit_stats.report.table import Table, TextLayout

__all__ = ["Summary", "Summary2", "summary", "summary2"]

Item = tuple[str, str]

# statsmodels pads each half of the header, and the coefficients, to these widths.
_HEADER_LAYOUT = TextLayout(least_widths=(18, 18, 21, 18))
_COEFFICIENT_LAYOUT = TextLayout(least_widths=(10, 10, 10, 10, 10, 11, 11))


def summary(
    res: Any,
    *,
    yname: str | None = None,
    xname: Sequence[str] | None = None,
    title: str | None = None,
    alpha: float = 0.05,
    clock: bool = True,
) -> Summary:
    """Summary of a result in the layout of statsmodels' ``LogitResults.summary()``.

    Parameters
    ----------
    res : result
        See the module's docstring.
    yname : str, optional
        Name of the response.
    xname : sequence of str, optional
        Names of the coefficients.
    title : str, optional
        By default "Logit Regression Results".
    alpha : float
        The intervals have level ``1 - alpha``.
    clock : bool
        Whether date and time are shown. Without them the same fit gives the same text.

    Returns
    -------
    Summary

    Raises
    ------
    DataError
        If `xname` has not one name for each coefficient, or alpha is not between 0 and 1.
    """
    header = summary_header(res, yname, title, clock)
    found = CoefficientTable.of(res, alpha).renamed(xname)
    heads = found.heads("coef", "std err")
    if found.equations:
        equations = res.equation_names() if hasattr(res, "equation_names") else list(map(str, found.equations))
        tables = equation_tables(equations, found.terms, heads, found.by_equation())
        return Summary((header, *tables), summary_notes(res))
    body = coefficient_rows(found.terms, found.numbers)
    coefficients = Table.of(body, head=("", *heads), layout=_COEFFICIENT_LAYOUT)
    return Summary((header, coefficients), summary_notes(res))


def coefficient_rows(names: Sequence[str], numbers: FloatArray) -> list[tuple[str, ...]]:
    """Texts of rows of estimates, errors, statistics, p-values and limits, rounded as statsmodels does."""
    return [
        (str(name), adaptive(row[0], 4), adaptive(row[1], 3), adaptive(row[2], 3), f"{row[3]:#.3f}",
         adaptive(row[4], 3), adaptive(row[5], 3))
        for name, row in zip(names, numbers.tolist(), strict=True)
    ]  # fmt: skip


def equation_tables(
    equations: Sequence[str], names: Sequence[str], heads: Sequence[str], numbers: FloatArray
) -> list[Table]:
    """Tables (J, k, 6) of equal widths under one another, each with the name of its equation over the columns' names."""
    tables = []
    for equation, rows in zip(equations, numbers, strict=True):
        table = Table.of(coefficient_rows(names, rows), head=(equation, *heads), layout=_COEFFICIENT_LAYOUT)
        tables.append(replace(table, head=(replace(table.head[0], align="r"), *table.head[1:])))
    widths = tuple(max(column) for column in zip(*(table.widths for table in tables), strict=True))
    return [
        replace(table, layout=TextLayout(above="-" if number else "=", least_widths=widths))
        for number, table in enumerate(tables)
    ]


def summary2(
    res: Any,
    *,
    yname: str | None = None,
    xname: Sequence[str] | None = None,
    title: str | None = None,
    alpha: float = 0.05,
    float_format: str = "%.4f",
    clock: bool = True,
) -> Summary2:
    """Summary of a result in the layout of statsmodels' ``LogitResults.summary2()``.

    Parameters
    ----------
    res : result
        See the module's docstring.
    yname : str, optional
        Name of the response.
    xname : sequence of str, optional
        Names of the coefficients.
    title : str, optional
        By default "Results: Logit".
    alpha : float
        The intervals have level ``1 - alpha``.
    float_format : str
        Format of the coefficients' numbers (statsmodels 0.15 takes it and does not use it).
    clock : bool
        Whether date and time are shown. Without them the same fit gives the same text.

    Returns
    -------
    Summary2

    Raises
    ------
    DataError
        If `xname` has not one name for each coefficient, alpha is not between 0 and 1, or `float_format` is no format
        for a number.
    """
    _check_float_format(float_format)
    items = _model_items(res, yname, clock)
    half = (len(items) + 1) // 2
    pairs = zip_longest(items[:half], items[half:], fillvalue=("", ""))
    header = [(*left, *right) for left, right in pairs]
    found = CoefficientTable.of(res, alpha).renamed(xname)
    heads, numbers, names = found.heads("Coef.", "Std.Err."), found.numbers, found.row_names
    body = [
        (name, *(fixed(number, float_format) for number in row))
        for name, row in zip(names, numbers.tolist(), strict=True)
    ]
    parts = _equally_wide(
        Table.of(header, title=_title(res, title, f"Results: {type(res.model).__name__}"), align="llll",
                 heading_columns=()),
        Table.of(body, head=("", *heads)),
    )  # fmt: skip
    frames = (pd.DataFrame(header), pd.DataFrame(numbers, index=names, columns=heads))
    return Summary2(parts, summary_notes(res), frames)


# What a result says of itself.


def _title(res: Any, title: str | None, default: str) -> str:
    return str(getattr(res, "model_title", default)) if title is None else title


def summary_notes(res: Any) -> list[str]:
    """Return the account of the rows and the notes of a result, where it has them."""
    sample = [res.sample_line()] if hasattr(res, "sample_line") else []
    return [str(note) for note in (*sample, *(res.summary_notes() if hasattr(res, "summary_notes") else ()))]


def _method(res: Any) -> str:
    return str(getattr(res, "method", "MLE"))


# Headers.


def summary_header(res: Any, yname: str | None, title: str | None, clock: bool) -> Table:
    """Return the upper table of the first layout."""
    default_title = f"{type(res.model).__name__} Regression Results"
    return header_of_items(_left_items(res, yname, clock), _right_items(res), _title(res, title, default_title))


def when() -> list[Item]:
    """Date and time."""
    now = time.localtime()
    return [("Date:", time.strftime("%a, %d %b %Y", now)), ("Time:", time.strftime("%H:%M:%S", now))]


def _left_items(res: Any, yname: str | None, clock: bool) -> list[Item]:
    items = [
        ("Dep. Variable:", str(res.model.endog_names if yname is None else yname)),
        ("Model:", type(res.model).__name__),
        ("Method:", _method(res)),
        *(when() if clock else []),
        ("converged:", str(res.mle_retvals["converged"])),
    ]
    return [*items, ("Covariance Type:", str(res.cov_type))] if hasattr(res, "cov_type") else items


def _right_items(res: Any) -> list[Item]:
    if hasattr(res, "header_items"):
        return list(res.header_items())
    return [
        ("No. Observations:", count(res.nobs)),
        ("Df Residuals:", count(res.df_resid)),
        ("Df Model:", count(res.df_model)),
        ("Pseudo R-squ.:", significant(res.prsquared, 4)),
        ("Log-Likelihood:", significant(res.llf, 5)),
        ("LL-Null:", significant(res.llnull, 5)),
        ("LLR p-value:", significant(res.llr_pvalue, 4)),
    ]


def header_of_items(left: list[Item], right: list[Item], title: str) -> Table:
    """Two columns of items side by side, the shorter one filled with blanks at its end."""
    rows = [
        (name, value, f"  {other}", its_value)
        for (name, value), (other, its_value) in zip_longest(left, right, fillvalue=("", ""))
    ]
    return Table.of(rows, title=title, align="lrlr", heading_columns=(0, 2), layout=_HEADER_LAYOUT)


def _model_items(res: Any, yname: str | None, clock: bool) -> list[Item]:
    """Items of the second layout, which statsmodels fills column by column."""
    how = res.mle_retvals
    items = [
        ("Model:", type(res.model).__name__),
        ("Dependent Variable:", str(res.model.endog_names if yname is None else yname)),
        *([("Date:", time.strftime("%Y-%m-%d %H:%M"))] if clock else []),
        ("No. Observations:", count(res.nobs)),
        ("Df Model:", count(res.df_model)),
        ("Df Residuals:", count(res.df_resid)),
    ]
    # statsmodels formats these two as if they were measurements: 1.0000 for converged, 7.0000 iterations
    measured = (("Converged:", "converged"), ("No. Iterations:", "iterations"))
    items += [(name, fixed(how[key], "%.4f")) for name, key in measured if key in how]
    return [
        *items,
        ("Method:", _method(res)),
        ("Pseudo R-squared:", fixed(res.prsquared, "%#.3f")),
        ("AIC:", fixed(res.aic, "%.4f")),
        ("BIC:", fixed(res.bic, "%.4f")),
        ("Log-Likelihood:", significant(res.llf, 5)),
        ("LL-Null:", significant(res.llnull, 5)),
        ("LLR p-value:", significant(res.llr_pvalue, 5)),
        ("Scale:", significant(getattr(res, "scale", 1.0), 5)),
    ]


# Text.


def _equally_wide(header: Table, coefficients: Table) -> tuple[Table, Table]:
    """Widen gaps, then the first column, as statsmodels does; its count of the coefficients' gaps is one too few."""
    widest = max(header.width, coefficients.width)
    rule = "=" * widest

    def widened(table: Table, gaps: int, above: str, below: str) -> Table:
        extra, rest = divmod(widest - table.width, gaps)
        least = (table.widths[0] + rest, *table.widths[1:])
        layout = TextLayout(above, "-", below, " " * (extra + 1), least, head_align="c")
        return replace(table, layout=layout)

    return widened(header, 3, rule, rule), widened(coefficients, 5, "-", rule)


def _check_float_format(float_format: str) -> None:
    try:
        float(float_format % 0.5)
    except (TypeError, ValueError):
        raise DataError(f'float_format={float_format!r} is no format for a number; an example is "%.4f".') from None
