"""A model from the options of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from logit_stats.cli.options import GEE_COV_TYPES, ModelOptions

if TYPE_CHECKING:
    import pandas as pd


def fitted(formula: str, frame: pd.DataFrame, options: ModelOptions) -> Any:
    """Fit a formula to a table as the options say.

    Raises
    ------
    UsageError
        Where options contradict each other.
    LogitStatsError
        Where the fit is refused.
    """
    refuse_other_models(options)
    cov_type, settings = covariance_settings(options)
    from logit_stats.design.row_condition import rows_where
    from logit_stats.models.logit import Logit

    subset = None if options.subset is None else rows_where(options.subset, frame)
    if options.model in ("gee", "mixed"):
        return _of_clusters(formula, frame, options, subset, cov_type)
    if options.groups or options.absorb:
        return _grouped(formula, frame, options, subset).fit(cov_type=cov_type or "nonrobust", cov_kwds=settings)
    if options.model != "logit":
        return _of_categories(formula, frame, options, subset).fit(
            cov_type=cov_type, cov_kwds=settings, maxiter=options.maxiter
        )
    _refuse_ordered_options(options, "--model ordinal")
    model = Logit.from_formula(
        formula, frame, subset=subset, missing=options.missing, offset=options.offset, freq_weights=options.freq_weights,
        sampling_weights=options.sampling_weights, trials=options.trials,
        check_rank="drop" if options.check_rank == "drop" else True, names={},
    )  # fmt: skip
    if options.firth:
        return model.fit_firth()
    return model.fit(cov_type=cov_type, cov_kwds=settings, maxiter=options.maxiter)


def _of_categories(formula: str, frame: pd.DataFrame, options: ModelOptions, subset: Any) -> Any:
    """A multinomial or an ordered logit."""
    from logit_stats.models.multinomial import MNLogit
    from logit_stats.models.ordinal import OrderedLogit

    ordinal = options.model == "ordinal"
    for name in ("firth", "trials", *(() if ordinal else ("offset",))):
        if getattr(options, name):
            raise click.UsageError(f"--model {options.model} has no --{name}.")
    arguments: dict[str, Any] = {
        "subset": subset, "missing": options.missing, "freq_weights": options.freq_weights,
        "sampling_weights": options.sampling_weights, "check_rank": "drop" if options.check_rank == "drop" else True,
        "names": {},
    }  # fmt: skip
    if not ordinal:
        _refuse_ordered_options(options, "--model ordinal")
        return MNLogit.from_formula(formula, frame, **arguments)
    return OrderedLogit.from_formula(
        formula, frame, kind=options.logits, nonparallel=True if options.nonparallel == "all" else options.nonparallel,
        levels=_levels(options.levels), offset=options.offset, **arguments,
    )  # fmt: skip


def _levels(text: str | None) -> list[Any] | None:
    """Categories from a list with commas: numbers where all of them are."""
    if text is None:
        return None
    levels = [part.strip() for part in text.split(",")]
    try:
        return [float(level) for level in levels]
    except ValueError:
        return levels


def _refuse_ordered_options(options: ModelOptions, owner: str) -> None:
    for name in ("nonparallel", "levels"):
        if getattr(options, name) is not None:
            raise click.UsageError(f"--{name} belongs to {owner}.")


# Options that belong to a model alone, and options that each model takes beside those of every model.
_OWN = {"corr": "gee", "time": "gee", "quadrature": "mixed"}
_TAKEN = {
    "gee": ("groups", "corr", "time", "offset", "freq_weights", "sampling_weights", "trials"),
    "mixed": ("quadrature", "offset", "freq_weights", "trials"),
    "multinomial": ("freq_weights", "sampling_weights", "cluster", "strata", "psu", "fpc", "lonely"),
    "ordinal": ("offset", "freq_weights", "sampling_weights", "cluster", "strata", "psu", "fpc", "lonely"),
}
_ASKED = ("groups", "absorb", "firth", "corr", "time", "quadrature", "offset", "freq_weights", "sampling_weights", "trials",
          "cluster", "strata", "psu", "fpc", "lonely")  # fmt: skip


def refuse_other_models(options: ModelOptions) -> None:
    """Raise `UsageError` for options that the model has not."""
    for name, model in _OWN.items():
        if getattr(options, name) is not None and options.model != model:
            raise click.UsageError(f"--{name} belongs to --model {model}.")
    if options.model == "gee" and not options.groups:
        raise click.UsageError("--model gee needs --groups COL, the column with the clusters.")
    if (
        options.cov_type in GEE_COV_TYPES
        and options.model != "gee"
        and (options.model, options.cov_type) != ("mixed", "robust")
    ):
        raise click.UsageError(f"--cov {options.cov_type} belongs to --model gee.")
    for name in _ASKED:
        if options.model != "logit" and getattr(options, name) and name not in _TAKEN[options.model]:
            raise click.UsageError(f"--model {options.model} has no --{name.replace('_', '-')}.")


def _of_clusters(formula: str, frame: pd.DataFrame, options: ModelOptions, subset: Any, cov_type: str | None) -> Any:
    """A population-averaged logit, or one with random effects."""
    rank: bool | str = "drop" if options.check_rank == "drop" else True
    given: dict[str, Any] = {"subset": subset, "missing": options.missing, "check_rank": rank}
    given |= {name: getattr(options, name) for name in _TAKEN[options.model] if name in _ROW_OPTIONS}
    if options.model == "gee":
        from logit_stats.models.gee import gee

        model: Any = gee(
            formula, frame, groups=options.groups, corr=options.corr or "exchangeable", time=options.time, **given
        )
        return model.fit(cov_type=cov_type or "robust")
    from logit_stats.models.mixed import melogit

    found = melogit(formula, frame, quadrature=options.quadrature or 1, **given).fit()
    return found if cov_type is None else found.with_cov(cov_type)


_ROW_OPTIONS = ("offset", "freq_weights", "sampling_weights", "trials")


def _grouped(formula: str, frame: pd.DataFrame, options: ModelOptions, subset: Any) -> Any:
    """A conditional logit, or one with absorbed effects."""
    from logit_stats.models.absorbed import AbsorbedLogit
    from logit_stats.models.conditional import ConditionalLogit

    if options.groups and options.absorb:
        raise click.UsageError("--groups conditions on the sets, --absorb estimates their effects; give one of them.")
    option = "--groups" if options.groups else "--absorb"
    refused = ("firth", "sampling_weights", *(("trials",) if options.groups else ()))
    for name in refused:
        if getattr(options, name):
            raise click.UsageError(f"{option} has no --{name.replace('_', '-')}.")
    arguments: dict[str, Any] = {
        "subset": subset, "missing": options.missing, "offset": options.offset, "freq_weights": options.freq_weights,
        "check_rank": "drop" if options.check_rank == "drop" else True, "names": {},
    }  # fmt: skip
    if options.groups:
        return ConditionalLogit.from_formula(formula, frame, groups=options.groups, **arguments)
    return AbsorbedLogit.from_formula(formula, frame, absorb=options.absorb, trials=options.trials, **arguments)


def covariance_settings(options: ModelOptions) -> tuple[str | None, dict[str, Any] | None]:
    """Type and settings of the covariance; options that contradict each other are wrong usage."""
    design = {name: getattr(options, name) for name in ("strata", "psu", "fpc", "lonely")}
    design = {name: value for name, value in design.items() if value is not None}
    cov_type = options.cov_type
    if options.firth and cov_type not in (None, "nonrobust"):
        raise click.UsageError("--firth has the covariance of its penalized likelihood; leave --cov out.")
    if options.firth and (options.cluster or design):
        raise click.UsageError("--firth has the covariance of its penalized likelihood; leave --cluster out.")
    if options.cluster and cov_type not in (None, "cluster"):
        raise click.UsageError(f"--cluster brings its own covariance; leave --cov {cov_type} out.")
    if cov_type == "cluster" and not options.cluster:
        raise click.UsageError("--cov cluster needs --cluster COL.")
    if design and (options.cluster or cov_type not in (None, "survey")):
        other = "--cluster" if options.cluster else f"--cov {cov_type}"
        raise click.UsageError(f"--{next(iter(design))} belongs to the survey covariance; leave {other} out.")
    if design and not options.sampling_weights:
        raise click.UsageError(f"--{next(iter(design))} needs --sampling-weights COL.")
    if options.cluster:
        return "cluster", {"groups": options.cluster[0] if len(options.cluster) == 1 else list(options.cluster)}
    return ("survey", design) if design else (cov_type, None)
