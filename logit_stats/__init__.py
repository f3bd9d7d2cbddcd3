"""Logistic regression with full statistical inference.

>>> import logit_stats as ls
>>> df = ls.datasets.load("spector")
>>> res = ls.logit("GRADE ~ GPA + TUCE + PSI", data=df).fit()
>>> print(round(res.prsquared, 4))
0.374
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logit_stats.version import __version__

if TYPE_CHECKING:
    from logit_stats import datasets
    from logit_stats.config import show_config
    from logit_stats.design.scan import scan
    from logit_stats.inference.e_value import e_value
    from logit_stats.likelihoods.kernel import set_threads
    from logit_stats.models.absorbed import AbsorbedLogit
    from logit_stats.models.conditional import ConditionalLogit, clogit
    from logit_stats.models.crude_and_adjusted import crude_and_adjusted
    from logit_stats.models.exact import exlogit
    from logit_stats.models.gee import LogitGEE, gee
    from logit_stats.models.logit import Logit, logit
    from logit_stats.models.mixed import RandomEffectsLogit, melogit
    from logit_stats.models.multinomial import MNLogit, mnlogit
    from logit_stats.models.ordinal import OrderedLogit, ologit
    from logit_stats.planning.sample_size import sample_size
    from logit_stats.report.plots.of_predictions import plot_confusion
    from logit_stats.report.publication.build import table
    from logit_stats.results.absorbed import AbsorbedLogitResults
    from logit_stats.results.carried import CarriedResults
    from logit_stats.results.carrying import from_json
    from logit_stats.results.conditional import ConditionalLogitResults
    from logit_stats.results.gee import GEEResults
    from logit_stats.results.keep import load, save
    from logit_stats.results.logit import LogitResults
    from logit_stats.results.mixed import MixedResults
    from logit_stats.results.multinomial import MNLogitResults
    from logit_stats.results.ordinal import OrderedLogitResults
    from logit_stats.results.pooled import PooledResults, pool
    from logit_stats.results.selection import compare, step
    from logit_stats.results.validation import compare_roc, reclassification

__all__ = [
    "AbsorbedLogit",
    "AbsorbedLogitResults",
    "CarriedResults",
    "ConditionalLogit",
    "ConditionalLogitResults",
    "GEEResults",
    "Logit",
    "LogitGEE",
    "LogitResults",
    "MNLogit",
    "MNLogitResults",
    "MixedResults",
    "OrderedLogit",
    "OrderedLogitResults",
    "PooledResults",
    "RandomEffectsLogit",
    "__version__",
    "clogit",
    "compare",
    "compare_roc",
    "crude_and_adjusted",
    "datasets",
    "e_value",
    "errors",
    "exlogit",
    "from_json",
    "gee",
    "load",
    "logit",
    "melogit",
    "mnlogit",
    "ologit",
    "plot_confusion",
    "pool",
    "reclassification",
    "sample_size",
    "save",
    "scan",
    "set_threads",
    "show_config",
    "step",
    "table",
]

# Where each public name lives: it is imported when it is first used, so that `import logit_stats` costs little.
_HOME = {
    "AbsorbedLogit": "logit_stats.models.absorbed",
    "AbsorbedLogitResults": "logit_stats.results.absorbed",
    "CarriedResults": "logit_stats.results.carried",
    "from_json": "logit_stats.results.carrying",
    "ConditionalLogit": "logit_stats.models.conditional",
    "ConditionalLogitResults": "logit_stats.results.conditional",
    "clogit": "logit_stats.models.conditional",
    "GEEResults": "logit_stats.results.gee",
    "OrderedLogit": "logit_stats.models.ordinal",
    "OrderedLogitResults": "logit_stats.results.ordinal",
    "ologit": "logit_stats.models.ordinal",
    "Logit": "logit_stats.models.logit",
    "LogitGEE": "logit_stats.models.gee",
    "LogitResults": "logit_stats.results.logit",
    "MNLogit": "logit_stats.models.multinomial",
    "MNLogitResults": "logit_stats.results.multinomial",
    "MixedResults": "logit_stats.results.mixed",
    "RandomEffectsLogit": "logit_stats.models.mixed",
    "compare": "logit_stats.results.selection",
    "compare_roc": "logit_stats.results.validation",
    "crude_and_adjusted": "logit_stats.models.crude_and_adjusted",
    "e_value": "logit_stats.inference.e_value",
    "exlogit": "logit_stats.models.exact",
    "gee": "logit_stats.models.gee",
    "load": "logit_stats.results.keep",
    "logit": "logit_stats.models.logit",
    "melogit": "logit_stats.models.mixed",
    "mnlogit": "logit_stats.models.multinomial",
    "PooledResults": "logit_stats.results.pooled",
    "pool": "logit_stats.results.pooled",
    "plot_confusion": "logit_stats.report.plots.of_predictions",
    "reclassification": "logit_stats.results.validation",
    "save": "logit_stats.results.keep",
    "sample_size": "logit_stats.planning.sample_size",
    "scan": "logit_stats.design.scan",
    "step": "logit_stats.results.selection",
    "table": "logit_stats.report.publication.build",
    "set_threads": "logit_stats.likelihoods.kernel",
    "show_config": "logit_stats.config",
}
_ROOMS = ("datasets", "errors", "sklearn")


def __getattr__(name: str) -> Any:
    from importlib import import_module

    found: Any
    if name in _ROOMS:
        found = import_module(f"logit_stats.{name}")
    elif name in _HOME:
        found = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module 'logit_stats' has no attribute {name!r}")
    globals()[name] = found  # found once: the next use does not come here
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
