"""``logit-stats predict``."""

from __future__ import annotations

import click

from logit_stats.cli.data import load_model, read_table, write_frame
from logit_stats.cli.options import COLUMN, alpha_option, output_option, reading_options
from logit_stats.cli.show import warnings_on_one_line
from logit_stats.design.files import Reading


@click.command()
@click.argument("model")
@click.argument("data", required=False)
@reading_options
@alpha_option
@click.option(
    "--keep", type=COLUMN, metavar="COL", multiple=True, help="Column of DATA to repeat beside the predictions."
)
@output_option
def predict(
    model: str, data: str | None, how: Reading, alpha: float, keep: tuple[str, ...], output: str | None
) -> None:
    """Probabilities by MODEL (from fit --save) with standard errors and limits, as CSV.

    DATA are the rows to predict, by default those of the fit. Of several categories there is a line for each.
    A row with missing values gets empty predictions.
    """
    from logit_stats.errors import MissingColumnError, listed

    res = load_model(model)
    frame = None if data is None else read_table(data, how)
    missing = [name for name in keep if frame is None or name not in frame]
    if missing:
        raise MissingColumnError(f"--keep: there is no column {listed(missing)} in the data.")
    with warnings_on_one_line():
        found = res.get_prediction(frame).summary_frame(alpha=alpha)
    if frame is not None:
        for place, name in enumerate(keep):
            kept = frame[name].to_numpy()
            found.insert(place, name, kept.repeat(len(found) // max(len(kept), 1)))
    names = ["row"] if found.index.nlevels == 1 else ["row", "category"]
    write_frame(found.rename_axis(index=names), output)
