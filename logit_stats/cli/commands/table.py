"""``logit-stats table``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from logit_stats.cli.data import load_model, read_table, write_text
from logit_stats.cli.modelling import covariance_settings, fitted
from logit_stats.cli.options import ModelOptions, alpha_option, labels_given, model_options, reading_options
from logit_stats.cli.show import warnings_on_one_line
from logit_stats.design.files import Reading

FORMATS = ("text", "html", "latex", "typst", "markdown", "csv")
COLUMNS = ("n", "events", "estimate", "interval", "se", "statistic", "p")


@click.command()
@click.argument("sources", nargs=-1, required=True)
@model_options
@reading_options
@alpha_option
@click.option("--crude", is_flag=True, help="DATA and one FORMULA: each variable alone beside all together.")
@click.option("--name", "names", metavar="TEXT", multiple=True, help="Heading of a model; once for each.")
@click.option(
    "--label",
    "labels",
    metavar="NAME=TEXT",
    multiple=True,
    help='What a variable is called, as "lwt=Weight (lb)", or a level, as "race=black=Black".',
)
@click.option(
    "--column",
    "columns",
    type=click.Choice(COLUMNS),
    multiple=True,
    help="A column; by default n, events, estimate, p.",
)
@click.option("--coefficients", is_flag=True, help="Coefficients in place of odds ratios.")
@click.option("--profile", is_flag=True, help="Limits by profile likelihood.")
@click.option("--lr", is_flag=True, help="P-values of variables by likelihood ratios.")
@click.option("--stars", is_flag=True, help="Mark small p-values.")
@click.option("--title", metavar="TEXT", help="Title of the table.")
@click.option("--format", "kind", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "-o", "--output", metavar="FILE", help="Write to a file; .docx, .html, .tex, .typ, .md, .csv, .txt say the form."
)
def table(
    sources: tuple[str, ...], options: ModelOptions, how: Reading, alpha: float, crude: bool, names: tuple[str, ...],
    labels: tuple[str, ...], columns: tuple[str, ...], coefficients: bool, profile: bool, lr: bool, stars: bool,
    title: str | None, kind: str, output: str | None,
) -> None:  # fmt: skip
    """Table for publication: of saved MODELS, or of DATA and FORMULAS.

    Options of a model hold for formulas, all alike.
    """
    shown: dict[str, Any] = {
        "alpha": alpha, "labels": labels_given(labels), "columns": list(columns) or None, "exponentiate": not coefficients,
        "method": "profile" if profile else None, "tests": "LR" if lr else "own", "stars": stars, "title": title,
    }  # fmt: skip
    with warnings_on_one_line():
        found = _crude(sources, options, how, shown) if crude else _beside(sources, options, how, names, shown)
        _write(found, kind, output)


def _beside(
    sources: tuple[str, ...], options: ModelOptions, how: Reading, names: tuple[str, ...], shown: dict[str, Any]
) -> Any:
    from logit_stats.report.publication.build import table as side_by_side

    if any("~" in source for source in sources):
        frame = read_table(sources[0], how)
        results = [fitted(formula, frame, options) for formula in sources[1:]]
    else:
        results = [load_model(source) for source in sources]
    return side_by_side(*results, names=list(names) or None, **shown)


def _crude(sources: tuple[str, ...], options: ModelOptions, how: Reading, shown: dict[str, Any]) -> Any:
    from logit_stats.design.row_condition import rows_where
    from logit_stats.models.crude_and_adjusted import crude_and_adjusted

    if len(sources) != 2 or "~" not in sources[1]:
        raise click.UsageError("--crude takes DATA and one FORMULA.")
    if options.groups or options.absorb:
        raise click.UsageError(f"--crude has no --{'groups' if options.groups else 'absorb'}.")
    frame = read_table(sources[0], how)
    cov_type, settings = covariance_settings(options)
    return crude_and_adjusted(
        sources[1], frame, firth=options.firth, cov_type=cov_type, cov_kwds=settings,
        subset=None if options.subset is None else rows_where(options.subset, frame), missing=options.missing,
        offset=options.offset, freq_weights=options.freq_weights, sampling_weights=options.sampling_weights,
        trials=options.trials, **shown,
    )  # fmt: skip


def _write(found: Any, kind: str, output: str | None) -> None:
    if output is None:
        click.echo(getattr(found, f"as_{kind}")().rstrip("\n"))
        return
    if Path(output).suffix in (".docx", ".html", ".tex", ".typ", ".md", ".csv", ".txt"):
        try:
            found.save(output)
        except ImportError as missing:
            raise click.ClickException(str(missing)) from None
        except OSError as error:
            raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from None
    else:
        write_text(output, getattr(found, f"as_{kind}")().rstrip("\n") + "\n")
