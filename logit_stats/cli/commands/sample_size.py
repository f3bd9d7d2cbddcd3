"""``logit-stats sample-size``."""

from __future__ import annotations

from typing import Any

import click


@click.command("sample-size")
@click.option(
    "--odds-ratio", type=float, help="Effect of one standard deviation, or of 1 against 0 of a binary covariate."
)
@click.option("--probability", type=float, help="Share of events at the covariate's mean, or where it is 0.")
@click.option("-n", "--observations", "n", type=float, help="Observations there are.")
@click.option("--power", type=float, help="Chance of finding the effect.")
@click.option("--distribution", type=click.Choice(("normal", "uniform", "binary")), default="normal", show_default=True)
@click.option("--share", type=float, help="Share of ones of a binary covariate.")
@click.option("--r2-other", type=float, default=0.0, show_default=True,
              help="Squared multiple correlation of the covariate with the others.")  # fmt: skip
@click.option("--alpha", type=float, default=0.05, show_default=True, help="Size of the two-sided test.")
@click.option("--method", type=click.Choice(("hsieh", "demidenko")), default="hsieh", show_default=True)
@click.option("--parameters", type=int, help="Candidate parameters of a prediction model, the intercept left out.")
@click.option("--prevalence", type=float, help="Share of events.")
@click.option("--csrsquared", type=float, help="Cox-Snell R-squared that is anticipated.")
@click.option("--nagrsquared", type=float, help="Nagelkerke R-squared that is anticipated.")
@click.option("--cstatistic", type=float, help="C-statistic that is anticipated.")
@click.option("--shrinkage", type=float, default=0.9, show_default=True, help="Smallest expected shrinkage.")
def sample_size(**given: Any) -> None:
    """How many observations a test of one effect, or a prediction model, needs.

    A test: --probability with two of --odds-ratio, -n and --power. A prediction model: --parameters, --prevalence and one of
    --csrsquared, --nagrsquared, --cstatistic.
    """
    from logit_stats.planning.sample_size import sample_size as needed

    click.echo(str(needed(**given)))
