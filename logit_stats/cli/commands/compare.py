"""``logit-stats compare``."""

from __future__ import annotations

import click

from logit_stats.cli.data import load_model, read_table, write_text
from logit_stats.cli.modelling import fitted
from logit_stats.cli.options import ModelOptions, model_options, reading_options
from logit_stats.cli.show import warnings_on_one_line
from logit_stats.design.files import Reading

FORMATS = ("text", "html", "latex", "csv")


@click.command()
@click.argument("sources", nargs=-1, required=True)
@model_options
@reading_options
@click.option("--name", "names", metavar="TEXT", multiple=True, help="Heading of a model; once for each.")
@click.option("--stars", is_flag=True, help="Mark small p-values.")
@click.option("--digits", type=click.IntRange(1, 16), default=4, show_default=True)
@click.option("--format", "kind", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Write to a file.")
def compare(
    sources: tuple[str, ...], options: ModelOptions, how: Reading, names: tuple[str, ...], stars: bool, digits: int, kind: str,
    output: str | None,
) -> None:  # fmt: skip
    """Models side by side: saved MODELS, or DATA and two FORMULAS or more.

    Options of a model hold for formulas, all alike.
    """
    from logit_stats.results.selection import compare as side_by_side

    with warnings_on_one_line():
        if any("~" in source for source in sources):
            frame = read_table(sources[0], how)
            results = [fitted(formula, frame, options) for formula in sources[1:]]
        else:
            results = [load_model(source) for source in sources]
        found = side_by_side(*results, names=list(names) or None, stars=stars, digits=digits)
    text = str(found) if kind == "text" else getattr(found, f"as_{kind}")()
    if output is None:
        click.echo(text)
    else:
        write_text(output, text + "\n")
