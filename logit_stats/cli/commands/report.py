"""``logit-stats report``."""

from __future__ import annotations

import click

from logit_stats.cli.data import load_model, write_text
from logit_stats.cli.options import alpha_option, labels_given
from logit_stats.cli.show import warnings_on_one_line


@click.command()
@click.argument("model")
@click.argument("output", metavar="FILE.html")
@alpha_option
@click.option("--pictures/--no-pictures", default=True, help="Whether to draw.")
@click.option(
    "--section", "sections", metavar="NAME", multiple=True, help="A section of the page; by default all but crosscheck."
)
@click.option(
    "--label", "labels", metavar="NAME=TEXT", multiple=True, help='What a variable is called, as "lwt=Weight (lb)".'
)
def report(
    model: str, output: str, alpha: float, pictures: bool, sections: tuple[str, ...], labels: tuple[str, ...]
) -> None:  # fmt: skip
    """Write MODEL (from fit --save) as one self-contained page of HTML."""
    from logit_stats.report.page import page

    res = load_model(model)
    with warnings_on_one_line():
        write_text(
            output,
            page(res, alpha=alpha, pictures=pictures, sections=list(sections) or None, labels=labels_given(labels)),
        )
