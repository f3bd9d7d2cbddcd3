"""The counterpart of ``statsmodels.formula.api``: models from a formula and a table.

>>> import logit_stats.api as sm
>>> import logit_stats.formula.api as smf
>>> df = sm.datasets.spector.load_pandas().data
>>> print(round(smf.logit("GRADE ~ GPA + TUCE + PSI", df).fit(disp=0).prsquared, 4))
0.374
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from logit_stats.models.conditional import ConditionalLogit
from logit_stats.models.gee import LogitGEE
from logit_stats.models.logit import logit
from logit_stats.models.mixed import melogit
from logit_stats.models.multinomial import mnlogit

__all__ = ["conditional_logit", "gee", "logit", "melogit", "mnlogit"]

conditional_logit = ConditionalLogit.from_formula


def gee(
    formula: str, groups: Any, data: Any, subset: Any = None, time: Any = None, offset: Any = None, cov_struct: Any = None,
    family: Any = None, **settings: Any,
) -> LogitGEE:  # fmt: skip
    """Population-averaged logit, called as ``statsmodels.formula.api.gee`` with the binomial family; see `logit_stats.gee`."""
    from logit_stats.api import structure

    corr = structure(family, cov_struct)
    return LogitGEE.from_formula(
        formula, data, groups=groups, subset=subset, time=time, offset=offset, corr=corr, **settings, depth=1
    )


if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        from logit_stats.api import absent

        raise AttributeError(absent("logit_stats.formula.api", "statsmodels.formula.api", name))
