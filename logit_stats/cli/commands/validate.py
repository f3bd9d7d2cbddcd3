"""``logit-stats validate``."""

from __future__ import annotations

import click

from logit_stats.cli.data import load_model, read_table
from logit_stats.cli.options import COLUMN, reading_options
from logit_stats.cli.show import warnings_on_one_line
from logit_stats.design.files import Reading


@click.command()
@click.argument("model")
@click.argument("data")
@reading_options
@click.option("--outcome", type=COLUMN, metavar="COL", help="Column with the outcomes, if not that of the fit.")
@click.option("--bins", type=click.IntRange(2), default=10, show_default=True, help="Groups of the calibration.")
def validate(model: str, data: str, how: Reading, outcome: str | None, bins: int) -> None:
    """Discrimination and calibration of MODEL (from fit --save) on other DATA."""
    res = load_model(model)
    with warnings_on_one_line():
        found = res.validate(read_table(data, how), outcome=outcome, bins=bins)
    click.echo(str(found))
