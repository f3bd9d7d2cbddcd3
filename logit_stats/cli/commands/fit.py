"""``logit-stats fit``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from logit_stats.cli.data import read_rows, write_text
from logit_stats.cli.modelling import fitted
from logit_stats.cli.options import ModelOptions, alpha_option, model_options, reading_options
from logit_stats.cli.show import show_frame, show_sql, warnings_on_one_line
from logit_stats.design.files import Reading


@click.command()
@click.argument("data")
@click.argument("formula")
@model_options
@reading_options
@alpha_option
@click.option("--profile", is_flag=True, help="Limits by profile likelihood in place of Wald's.")
@click.option("--or", "ratios_only", is_flag=True, help="Show odds ratios in place of the summary of coefficients.")
@click.option("--crosscheck", "check", is_flag=True, help="Fit the model in statsmodels too and compare.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a page of HTML.")
@click.option("--json", "json_path", metavar="FILE", help="Write the numbers as JSON; - for standard output.")
@click.option(
    "--model-json", metavar="FILE", help="Write the model itself as a text that other programs, and predict, read."
)
@click.option(
    "--sql", metavar="DIALECT", help="Print the prediction as an expression of SQL (duckdb, postgres, sqlite, ...)."
)
@click.option("--save", metavar="FILE", help="Save the model for predict, margins, compare, report and validate.")
@click.option("--clock/--no-clock", default=True, help="Whether the summary shows date and time.")
def fit(
    data: str, formula: str, options: ModelOptions, how: Reading, alpha: float, profile: bool, ratios_only: bool, check: bool,
    report: Path | None, json_path: str | None, save: str | None, clock: bool,
    model_json: str | None, sql: str | None,
) -> None:  # fmt: skip
    """Fit FORMULA to DATA.

    DATA is a CSV, Excel, Parquet, Stata, SPSS or SAS file, - for CSV on standard input, or the name of a data set that comes
    along. A folder or a glob, "claims/*.parquet", is read in passes and need not fit in memory.
    Expressions may use NumPy, as in "y ~ np.log(x)".
    """
    if options.firth and check:
        raise click.UsageError("statsmodels has no Firth fit to compare with; leave --crosscheck out.")
    if report is not None and (options.groups or options.absorb or options.model != "logit"):
        raise click.UsageError("--report is a page of --model logit without sets or absorbed effects; use --json.")
    if check and options.model == "mixed":
        raise click.UsageError("statsmodels has no such fit to compare with; leave --crosscheck out.")
    with warnings_on_one_line():
        res = fitted(formula, read_rows(data, how), options)
        comparison = res.crosscheck() if check else None
        limits = _limits(res, alpha, profile)
    # files first: a reader of the text that goes away must not keep them from being written
    _write_files(res, alpha, data, comparison, report=report, json_path=json_path, save=save)
    if model_json is not None:
        write_text(model_json, res.to_json(indent=1) + "\n")
    if sql is not None:
        show_sql(res.to_sql(sql))
    elif json_path != "-":
        _show(res, limits, alpha, clock, ratios_only)
        if comparison is not None:
            click.echo(f"\n{comparison}")
    if comparison is not None and not comparison.passed:
        click.echo("logit-stats: the cross-check with statsmodels did not pass; see its table.", err=True)
        sys.exit(1)


def _limits(res: Any, alpha: float, profile: bool) -> Any:
    if not hasattr(res, "odds_ratios"):
        return res.tidy(alpha=alpha, exponentiate=True)
    return res.odds_ratios(alpha, method="profile") if profile else res.odds_ratios(alpha)


def _write_files(
    res: Any,
    alpha: float,
    source: str,
    comparison: Any,
    *,
    report: Path | None,
    json_path: str | None,
    save: str | None,
) -> None:
    from logit_stats.report.machine_readable import as_json

    if save is not None:
        from logit_stats.errors import DataError

        try:
            res.save(save)
        except OSError as error:
            raise DataError(f"{save} cannot be written: {error.strerror}.") from None
    if report is not None:
        from logit_stats.report.page import page

        write_text(report, page(res, alpha=alpha, source=source, comparison=comparison))
    if json_path == "-":
        click.echo(as_json(res, alpha=alpha))
    elif json_path is not None:
        write_text(json_path, as_json(res, alpha=alpha) + "\n")


def _show(res: Any, limits: Any, alpha: float, clock: bool, ratios_only: bool) -> None:
    from logit_stats.cli.words import on_the_command_line

    if not ratios_only:
        click.echo(res.summary(alpha=alpha, clock=clock).as_text())
    show_frame(limits, f"Odds ratios ({1 - alpha:.12g} limits)")
    if ratios_only:
        click.echo(f"\n{res.sample_line()}.")
        for note in res.summary_notes():
            click.echo(on_the_command_line(note))
