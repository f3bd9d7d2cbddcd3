"""``logit-stats margins``."""

from __future__ import annotations

import click

from logit_stats.cli.data import load_model, write_frame
from logit_stats.cli.options import COLUMN, alpha_option, output_option
from logit_stats.cli.show import warnings_on_one_line

COMPARISONS = ("difference", "ratio", "odds_ratio", "nnt", "af")


@click.command()
@click.argument("model")
@click.argument("variables", nargs=-1)
@click.option(
    "--at", metavar="VARIABLE=VALUE", multiple=True, help="Hold a variable at a value, or values with commas."
)
@click.option("--over", type=COLUMN, metavar="COL", multiple=True, help="Average within the groups of a variable.")
@click.option("--method", type=click.Choice(("dydx", "eyex", "dyex", "eydx")), default="dydx", show_default=True,
              help="Slope, elasticity or semi-elasticity.")  # fmt: skip
@click.option("--comparison", type=click.Choice(COMPARISONS), default="difference", show_default=True,
              help="How two probabilities are compared.")  # fmt: skip
@alpha_option
@output_option
def margins(
    model: str, variables: tuple[str, ...], at: tuple[str, ...], over: tuple[str, ...], method: str, comparison: str,
    alpha: float, output: str | None,
) -> None:  # fmt: skip
    """Average marginal effects of VARIABLES (all by default) by MODEL (from fit --save)."""
    res = load_model(model)
    with warnings_on_one_line():
        found = res.margins(
            list(variables) or None, at=dict(_held(text) for text in at) or None, over=list(over) or None, method=method,
            comparison=comparison, alpha=alpha,
        )  # fmt: skip
    click.echo(str(found))
    if output is not None:
        write_frame(found.frame, output, index=False)


def _held(text: str) -> tuple[str, list[float | str] | float | str]:
    name, equals, value = text.partition("=")
    if not (name.strip() and equals and value.strip()):
        raise click.UsageError(f"--at {text!r} must say variable=value, as --at age=40.")
    values = [_number(part.strip()) for part in value.split(",")]
    return name.strip(), values[0] if len(values) == 1 else values


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
