"""Summary of a multinomial fit: one table of coefficients for each category, in statsmodels' layout.

A result is anything with the attributes that `report.summary` lists, its coefficients (k, J), and `equation_names()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from logit_stats.design.block import FloatArray
from logit_stats.errors import DataError
from logit_stats.report.numbers import adaptive
from logit_stats.report.summary import coefficient_heads, summary_header, summary_notes
from logit_stats.report.summary_output import Summary
from logit_stats.report.table import Table, TextLayout


def category_summary(
    res: Any,
    *,
    yname: str | None = None,
    xname: Sequence[str] | None = None,
    title: str | None = None,
    alpha: float = 0.05,
    clock: bool = True,
) -> Summary:
    """Summary in the layout of statsmodels' ``MultinomialResults.summary()``; parameters as for `summary`."""
    names = [str(name) for name in (res.model.exog_names if xname is None else xname)]
    numbers = _numbers(res, alpha)
    if len(names) != numbers.shape[1]:
        raise DataError(f"xname has {len(names)} names; the model has {numbers.shape[1]} columns.")
    header = summary_header(res, yname, title, clock)
    heads = coefficient_heads(["coef", "std err"], res, alpha)
    return Summary((header, *equation_tables(res.equation_names(), names, heads, numbers)), summary_notes(res))


def equation_tables(
    equations: Sequence[str], names: Sequence[str], heads: Sequence[str], numbers: FloatArray
) -> list[Table]:
    """Tables (J, k, 6) of equal widths under one another, each with the name of its equation over the columns' names."""
    tables = []
    for equation, rows in zip(equations, numbers.tolist(), strict=True):
        body = [
            (name, adaptive(row[0], 4), adaptive(row[1], 3), adaptive(row[2], 3), f"{row[3]:#.3f}",
             adaptive(row[4], 3), adaptive(row[5], 3))
            for name, row in zip(names, rows, strict=True)
        ]  # fmt: skip
        table = Table.of(body, head=(equation, *heads), layout=TextLayout(least_widths=(10, 10, 10, 10, 10, 11, 11)))
        tables.append(replace(table, head=(replace(table.head[0], align="r"), *table.head[1:])))
    widths = tuple(max(column) for column in zip(*(table.widths for table in tables), strict=True))
    return [
        replace(table, layout=TextLayout(above="-" if number else "=", least_widths=widths))
        for number, table in enumerate(tables)
    ]


def _numbers(res: Any, alpha: float) -> FloatArray:
    """(J, k, 6) estimates, standard errors, statistics, p-values and limits."""
    columns = [np.asarray(values, dtype=np.float64).T for values in (res.params, res.bse, res.tvalues, res.pvalues)]
    limits = np.asarray(res.conf_int(alpha), dtype=np.float64).reshape(*columns[0].shape, 2)
    return np.concatenate([np.stack(columns, axis=2), limits], axis=2)
