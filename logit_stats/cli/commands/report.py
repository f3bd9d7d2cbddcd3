"""``logit-stats report``."""

from __future__ import annotations

import click

from logit_stats.cli.data import load_model, write_text
from logit_stats.cli.options import alpha_option
from logit_stats.cli.show import warnings_on_one_line


@click.command()
@click.argument("model")
@click.argument("output", metavar="FILE.html")
@alpha_option
@click.option("--pictures/--no-pictures", default=True, help="Whether to draw.")
def report(model: str, output: str, alpha: float, pictures: bool) -> None:
    """Write MODEL (from fit --save) as one self-contained page of HTML."""
    from logit_stats.report.page import page

    res = load_model(model)
    with warnings_on_one_line():
        write_text(output, page(res, alpha=alpha, pictures=pictures))
