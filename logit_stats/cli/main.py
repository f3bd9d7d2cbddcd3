"""The group of commands, and how their errors are said."""

from __future__ import annotations

from typing import Any

import click

from logit_stats.cli.commands import (
    compare,
    datasets,
    fit,
    margins,
    predict,
    report,
    sample_size,
    table,
    validate,
)
from logit_stats.cli.words import on_the_command_line
from logit_stats.errors import LogitStatsError


class _OneLineErrors(click.Group):
    """Turns every error that the package raises on purpose into one line and exit status 1."""

    def invoke(self, context: click.Context) -> Any:
        from logit_stats.design.restricted import restricted_formulas

        try:
            # texts of the command line may come from anywhere: formulas reach columns and NumPy's functions, nothing else
            with restricted_formulas():
                return super().invoke(context)
        except LogitStatsError as error:
            click.echo(f"logit-stats: {on_the_command_line(error)}", err=True)
            context.exit(1)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="logit-stats", prog_name="logit-stats")
def main() -> None:
    """Logistic regression with full statistical inference.

    Formulas may use columns, operators, the transforms of the formula language (C, I, bs, cr, poly, ...) and NumPy's functions as
    np.log(x); nothing else of Python is reachable. Load models only from files that you trust.
    """


for _command in (fit, predict, margins, table, compare, report, validate, sample_size, datasets):
    main.add_command(_command)
