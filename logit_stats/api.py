"""The counterpart of ``statsmodels.api``: ``import logit_stats.api as sm``.

What statsmodels has beyond models of yes/no and categorical outcomes is not here; asked for, each name says so.

>>> import logit_stats.api as sm
>>> spector = sm.datasets.spector.load_pandas()
>>> sm.Logit(spector.endog, sm.add_constant(spector.exog)).fit(disp=0).params.round(4)
const   -13.0213
GPA       2.8261
TUCE      0.0952
PSI       2.3787
dtype: float64
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logit_stats import datasets
from logit_stats.errors import UnknownOptionError
from logit_stats.models.conditional import ConditionalLogit
from logit_stats.models.gee import LogitGEE
from logit_stats.models.logit import Logit
from logit_stats.models.multinomial import MNLogit
from logit_stats.results.keep import load
from logit_stats.version import __version__

__all__ = [
    "GEE",
    "ConditionalLogit",
    "Logit",
    "MNLogit",
    "__version__",
    "add_constant",
    "datasets",
    "load",
    "load_pickle",
]

load_pickle = load

# statsmodels' correlation structures of GEE, by the name of their class
_STRUCTURES = {
    "Independence": "independence",
    "Exchangeable": "exchangeable",
    "Autoregressive": "ar1",
    "Unstructured": "unstructured",
}


def add_constant(data: Any, prepend: bool = True, has_constant: str = "skip") -> Any:
    """Add a column of ones, named ``const`` where columns have names; statsmodels' own function.

    Parameters
    ----------
    data : (n, k) array_like
    prepend : bool
        Whether the column stands first, or last.
    has_constant : {"skip", "add", "raise"}
        What to do where there is a constant already.

    Examples
    --------
    >>> add_constant([[2.0], [3.0]])
    array([[1., 2.],
           [1., 3.]])
    """
    from statsmodels.tools.tools import add_constant as theirs

    return theirs(data, prepend=prepend, has_constant=has_constant)


def GEE(
    endog: Any, exog: Any, groups: Any, time: Any = None, family: Any = None, cov_struct: Any = None, **settings: Any
) -> LogitGEE:
    """Population-averaged logit, called as ``statsmodels.api.GEE`` with the binomial family; see `LogitGEE`."""
    return LogitGEE(endog, exog, groups, corr=structure(family, cov_struct), time=time, **settings)


def structure(family: Any, cov_struct: Any) -> str:
    """The working correlation that statsmodels' objects name; the family must be binomial with the logit link.

    Raises
    ------
    UnknownOptionError
    """
    link = type(getattr(family, "link", None)).__name__
    if family is not None and (type(family).__name__ != "Binomial" or link not in ("Logit", "logit", "NoneType")):
        raise UnknownOptionError(
            f"family={type(family).__name__} with link {link}: this GEE is that of the binomial family with the logit link."
        )
    if family is None:
        raise UnknownOptionError(
            "family is not given, which is Gaussian in statsmodels; give family=sm.families.Binomial()."
        )
    name = "Independence" if cov_struct is None else type(cov_struct).__name__
    if name not in _STRUCTURES:
        raise UnknownOptionError(f"cov_struct={name} is not known; choose one of {', '.join(_STRUCTURES)}.")
    return _STRUCTURES[name]


def absent(here: str, there: str, name: str) -> str:
    """What to say of a name of statsmodels that is not here."""
    if name.startswith("__"):
        return f"module {here!r} has no attribute {name!r}"
    return (
        f"{here} has no {name!r}: it has the models of yes/no and categorical outcomes ({', '.join(_models(here))}). "
        f"For {name} import {there} beside it."
    )


def _models(here: str) -> list[str]:
    from importlib import import_module

    return [name for name in import_module(here).__all__ if not name.startswith("_")]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in ("families", "cov_struct"):  # what GEE is told with; statsmodels' own
            import statsmodels.api as theirs

            return getattr(theirs, name)
        raise AttributeError(absent("logit_stats.api", "statsmodels.api", name))
