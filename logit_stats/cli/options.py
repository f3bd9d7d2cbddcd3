"""Options that several commands share, gathered into small objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from logit_stats.design.files import Reading

F = Callable[..., Any]
COV_TYPES = ("nonrobust", "quasi", "opg", "HC0", "HC1", "HC2", "HC3", "HAC", "cluster", "survey")
KINDS = ("cumulative", "adjacent", "continuation")
GEE_COV_TYPES = ("robust", "naive", "kauermann_carroll", "mancl_derouen")
MODELS = ("logit", "gee", "mixed", "multinomial", "ordinal")
LONELY = ("error", "remove", "certainty", "adjust", "average")


if TYPE_CHECKING:
    _TextType = click.ParamType[str]
else:  # older versions of click have no type of the value
    _TextType = click.ParamType


class Column(_TextType):
    """Name of a column; an empty one, as of an unset shell variable, is wrong usage."""

    name = "column"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name."""
        if not str(value).strip():
            self.fail("the name of a column is empty (an unset shell variable?)", param, ctx)
        return value


COLUMN = Column()
alpha_option = click.option(
    "--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True,
    help="Limits have level 1 - alpha.",
)  # fmt: skip
output_option = click.option("-o", "--output", metavar="FILE", help="Write the table to a CSV (or Parquet) file.")

_READING = (
    click.option("--sep", metavar="CHAR", help='What separates columns: a character, or "tab", "semicolon", "space".'),
    click.option("--decimal", default=".", show_default=True, metavar="CHAR", help="Decimal mark of numbers."),
    click.option("--thousands", metavar="CHAR", help="Mark between thousands."),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file; UTF-8 (or UTF-16 with its mark) by default."),
    click.option("--na-values", metavar="TEXT", multiple=True,
                 help="A text or number that means missing; may be repeated, or a list with commas."),
    click.option("--sheet", metavar="NAME", help="Sheet of a workbook, by name or number from 1."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What makes a model beside its formula and data."""

    cov_type: str | None
    cluster: tuple[str, ...]
    strata: str | None
    psu: str | None
    fpc: str | None
    lonely: str | None
    offset: str | None
    freq_weights: str | None
    sampling_weights: str | None
    trials: str | None
    subset: str | None
    missing: str
    check_rank: str
    maxiter: int
    firth: bool
    groups: str | None
    absorb: str | None
    model: str
    logits: str
    nonparallel: str | None
    levels: str | None
    corr: str | None
    time: str | None
    quadrature: int | None


_MODEL = (
    click.option("--cov", "cov_type", type=click.Choice((*COV_TYPES, *GEE_COV_TYPES)),
                 help="Covariance of the coefficients; the last four are those of --model gee."),
    click.option("--cluster", type=COLUMN, metavar="COL", multiple=True,
                 help="Column with the clusters; brings the cluster-robust covariance. Twice for two ways."),
    click.option("--strata", type=COLUMN, metavar="COL", help="Strata of a survey (with --sampling-weights)."),
    click.option("--psu", type=COLUMN, metavar="COL", help="Primary sampling units of a survey."),
    click.option("--fpc", type=COLUMN, metavar="COL", help="Number of units in the population of each stratum."),
    click.option("--lonely", type=click.Choice(LONELY), help="What to do with a stratum of a single unit."),
    click.option("--offset", type=COLUMN, metavar="COL", help="Column with the offset."),
    click.option("--freq-weights", type=COLUMN, metavar="COL", help="Column with frequency weights."),
    click.option("--sampling-weights", type=COLUMN, metavar="COL", help="Column with inverse selection probabilities."),
    click.option("--trials", type=COLUMN, metavar="COL", help="Column with the number of trials of each row."),
    click.option("--subset", metavar="CONDITION", help="""Rows to use, as "age > 50 & sex == 'female'"."""),
    click.option("--missing", type=click.Choice(("drop", "raise")), default="drop", show_default=True,
                 help="What to do with rows that have missing values."),
    click.option("--check-rank", type=click.Choice(("raise", "drop")), default="raise", show_default=True,
                 help="Refuse dependent columns, or leave them out."),
    click.option("--maxiter", type=click.IntRange(1), default=35, show_default=True, help="Most iterations."),
    click.option("--firth", is_flag=True, help="Fit by Firth's penalized likelihood."),
    click.option("--model", type=click.Choice(MODELS), default="logit", show_default=True,
                 help='Two outcomes; clusters (gee needs --groups, mixed a term like "(1 | id)"); several outcomes.'),
    click.option("--groups", type=COLUMN, metavar="COL",
                 help="Matched set of each row; fits a conditional logit. With --model gee: the clusters."),
    click.option("--corr", type=click.Choice(("exchangeable", "independence", "ar1", "unstructured")),
                 help="Working correlation of --model gee."),
    click.option("--time", type=COLUMN, metavar="COL", help="Where each row stands in its cluster (--model gee)."),
    click.option("--quadrature", type=click.IntRange(1), metavar="N", help="Points of quadrature of --model mixed."),
    click.option("--absorb", type=COLUMN, metavar="COLS",
                 help='Columns whose groups get a fixed effect each, as "firm + year".'),
    click.option("--logits", type=click.Choice(KINDS), default="cumulative", show_default=True,
                 help="Which logit of ordered categories."),
    click.option("--nonparallel", metavar="TERMS", help='Terms whose slopes differ between the cuts, as "x + C(g)"; "all".'),
    click.option("--levels", metavar="LIST", help="Ordered categories from the lowest to the highest, with commas."),
)  # fmt: skip


def _stacked(options: Iterable[Callable[[F], F]], function: F) -> F:
    for option in reversed(tuple(options)):
        function = option(function)
    return function


def reading_options(function: F) -> F:
    """Add the options of reading a file; the command gets them as `how`."""

    @wraps(function)
    def command(*arguments: Any, **given: Any) -> Any:
        values = {field.name: given.pop(field.name) for field in fields(Reading)}
        values["na_values"] = tuple(part for text in values["na_values"] for part in text.split(","))
        return function(*arguments, how=Reading(**values), **given)

    return _stacked(_READING, command)


def model_options(function: F) -> F:
    """Add the options of a model; the command gets them as `options`."""

    @wraps(function)
    def command(*arguments: Any, **given: Any) -> Any:
        return function(
            *arguments, options=ModelOptions(**{f.name: given.pop(f.name) for f in fields(ModelOptions)}), **given
        )

    return _stacked(_MODEL, command)


def labels_given(given: tuple[str, ...]) -> dict[str, str]:
    """Labels of ``--label NAME=TEXT``; a text without a name is wrong usage."""
    found = {}
    for text in given:
        name, sign, label = text.rpartition("=")
        if not sign or not name:
            raise click.UsageError(f"--label {text!r}: write NAME=TEXT, or VARIABLE=LEVEL=TEXT.")
        found[name] = label
    return found
