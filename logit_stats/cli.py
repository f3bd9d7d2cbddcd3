"""The command line: ``logit-stats fit`` and ``logit-stats datasets``.

Exit status 0; 1 where the fit is refused, with one line on standard error that says why and what to do; 2 for wrong usage.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logit_stats.errors import DataError, LogitStatsError, LogitStatsWarning, SeparationError

if TYPE_CHECKING:
    import pandas as pd

    from logit_stats.results.logit import LogitResults

COV_TYPES = ("nonrobust", "HC0", "HC1", "HC2", "HC3", "cluster", "survey")


class _OneLineErrors(click.Group):
    """Turns every error that the package raises on purpose into one line and exit status 1."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except LogitStatsError as error:
            advice = " On the command line: --firth." if isinstance(error, SeparationError) else ""
            click.echo(f"logit-stats: {' '.join(str(error).split())}{advice}", err=True)
            context.exit(1)


@click.group(cls=_OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="logit-stats", prog_name="logit-stats")
def main() -> None:
    """Logistic regression with full statistical inference."""


@main.command()
@click.argument("data")
@click.argument("formula")
@click.option("--cov", "cov_type", type=click.Choice(COV_TYPES), help="Covariance of the coefficients.")
@click.option("--cluster", metavar="COL", help="Column with the clusters; brings the cluster-robust covariance.")
@click.option("--strata", metavar="COL", help="Column with the strata of a survey (with --sampling-weights).")
@click.option("--psu", metavar="COL", help="Column with the primary sampling units of a survey.")
@click.option("--fpc", metavar="COL", help="Column with the number of units in the population of each stratum.")
@click.option("--offset", metavar="COL", help="Column with the offset.")
@click.option("--freq-weights", metavar="COL", help="Column with frequency weights.")
@click.option("--sampling-weights", metavar="COL", help="Column with inverse selection probabilities.")
@click.option("--trials", metavar="COL", help="Column with the number of trials of each row.")
@click.option("--missing", type=click.Choice(("drop", "raise")), default="drop", show_default=True,
              help="What to do with rows that have missing values.")  # fmt: skip
@click.option("--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.05, show_default=True,
              help="Limits have level 1 - alpha.")  # fmt: skip
@click.option("--firth", is_flag=True, help="Fit by Firth's penalized likelihood.")
@click.option("--crosscheck", "check", is_flag=True, help="Fit the model in statsmodels too and compare.")
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write a page of HTML.")
@click.option("--json", "json_path", metavar="FILE", help="Write the numbers as JSON; - for standard output.")
@click.option("--clock/--no-clock", default=True, help="Whether the summary shows date and time.")
def fit(
    data: str,
    formula: str,
    cov_type: str | None,
    cluster: str | None,
    strata: str | None,
    psu: str | None,
    fpc: str | None,
    offset: str | None,
    freq_weights: str | None,
    sampling_weights: str | None,
    trials: str | None,
    missing: str,
    alpha: float,
    firth: bool,
    check: bool,
    report: Path | None,
    json_path: str | None,
    clock: bool,
) -> None:
    """Fit FORMULA to DATA: a CSV or Parquet file, or the name of a data set that comes along.

    Expressions may use NumPy, as in "y ~ np.log(x)".
    """
    _check_usage(cov_type, cluster, firth=firth, check=check)
    import numpy as np

    from logit_stats.models.logit import Logit

    settings = None
    design = {name: column for name, column in (("strata", strata), ("psu", psu), ("fpc", fpc)) if column}
    if design and cov_type not in (None, "survey"):
        raise click.UsageError(f"--{next(iter(design))} belongs to the survey covariance; leave --cov {cov_type} out.")
    if design and not sampling_weights:
        raise click.UsageError(f"--{next(iter(design))} needs --sampling-weights COL.")
    if cluster:
        cov_type, settings = "cluster", {"groups": cluster}
    elif design:
        cov_type, settings = "survey", design
    frame = read_table(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LogitStatsWarning)
        model = Logit.from_formula(
            formula, frame, missing=missing, offset=offset, freq_weights=freq_weights,
            sampling_weights=sampling_weights, trials=trials, names={"np": np},
        )  # fmt: skip
        res: LogitResults = model.fit_firth() if firth else model.fit(cov_type=cov_type, cov_kwds=settings)
        comparison = res.crosscheck() if check else None
    for warning in caught:
        if issubclass(warning.category, LogitStatsWarning):
            click.echo(f"logit-stats: warning: {' '.join(str(warning.message).split())}", err=True)
    if json_path != "-":
        _show(res, alpha, clock)
        if comparison is not None:
            click.echo(f"\n{comparison}")
    if json_path is not None:
        _write_json(res, alpha, json_path)
    if report is not None:
        from logit_stats.report.page import page

        _write(report, page(res, alpha=alpha, source=data, comparison=comparison))
    if comparison is not None and not comparison.passed:
        click.echo("logit-stats: the cross-check with statsmodels did not pass; see its table.", err=True)
        sys.exit(1)


def _check_usage(cov_type: str | None, cluster: str | None, *, firth: bool, check: bool) -> None:
    """Refuse options that contradict each other."""
    if firth and cov_type not in (None, "nonrobust"):
        raise click.UsageError("--firth has the covariance of its penalized likelihood; leave --cov out.")
    if firth and cluster:
        raise click.UsageError("--firth has the covariance of its penalized likelihood; leave --cluster out.")
    if cluster and cov_type not in (None, "cluster"):
        raise click.UsageError(f"--cluster brings its own covariance; leave --cov {cov_type} out.")
    if cov_type == "cluster" and not cluster:
        raise click.UsageError("--cov cluster needs --cluster COL.")
    if firth and check:
        raise click.UsageError("statsmodels has no Firth fit to compare with; leave --crosscheck out.")


@main.command()
@click.argument("name", required=False)
def datasets(name: str | None) -> None:
    """List the data sets that come along, or describe NAME."""
    from logit_stats import datasets as room

    if name is not None:
        click.echo(str(room.describe(name)))
        return
    frame = room.table()
    if sys.stdout.isatty():
        _rich_table(frame, "Data sets")
    else:
        click.echo(frame.to_string(index=False))


def read_table(data: str) -> pd.DataFrame:
    """Read a CSV or Parquet file, or a data set that comes along; a file of that name wins.

    Raises
    ------
    DataError
        If the file is not there, is empty, or cannot be read as a table.
    """
    path = Path(data)
    if not path.exists():
        from logit_stats import datasets as room

        if data in room.names():
            return room.load(data)
        if path.suffix or "/" in data:
            raise DataError(f"There is no file {data!r}.")
        raise DataError(
            f"{data!r} is neither a file nor one of the data sets that come along: {', '.join(room.names())}."
        )
    if path.is_dir():
        raise DataError(f"{data!r} is a folder; give a CSV or Parquet file.")
    return _read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _read_csv(path)


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_parquet(path)
    except ImportError:
        raise DataError('Reading Parquet needs pyarrow: pip install "logit-stats[parquet]".') from None
    except Exception as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from None


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_csv(path, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(
            f"{path} is not encoded in UTF-8; convert it, for example with: iconv -f latin1 -t utf-8."
        ) from None
    except pd.errors.EmptyDataError:
        raise DataError(f"{path} is empty.") from None
    except (pd.errors.ParserError, OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}") from None
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if frame.shape[1] == 1 and mark in str(frame.columns[0]):
            raise DataError(f"{path} separates its columns by {name}; a CSV file separates them by commas.")
    return frame


def _show(res: LogitResults, alpha: float, clock: bool) -> None:
    """Summary and odds ratios: rich tables on a terminal, plain text when piped."""
    click.echo(res.summary(alpha=alpha, clock=clock).as_text())
    ratios = res.odds_ratios(alpha=alpha)
    if sys.stdout.isatty():
        shown = ratios.reset_index(names="").map(lambda v: v if isinstance(v, str) else f"{v:.4g}")
        _rich_table(shown, f"Odds ratios ({1 - alpha:.12g} limits)")
    else:
        click.echo(f"\nOdds ratios ({1 - alpha:.12g} limits)")
        click.echo(ratios.to_string(float_format=lambda v: f"{v:.4g}"))


def _rich_table(frame: pd.DataFrame, title: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title)
    for column in frame.columns:
        table.add_column(Text(str(column)))
    for row in frame.itertuples(index=False):
        table.add_row(*[Text(str(value)) for value in row])
    Console().print(table)


def _write_json(res: LogitResults, alpha: float, path: str) -> None:
    from logit_stats.report.machine_readable import as_json

    text = as_json(res, alpha=alpha)
    if path == "-":
        click.echo(text)
    else:
        _write(Path(path), text + "\n")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}.") from None
