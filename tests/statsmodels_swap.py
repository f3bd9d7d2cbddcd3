"""A pytest plugin: statsmodels' own tests run with our Logit and MNLogit in the place of statsmodels'.

Loaded with ``-p tests.statsmodels_swap`` before any test module, so that ``from statsmodels.discrete.discrete_model import
Logit`` in a test module, ``sm.Logit`` and ``smf.logit`` alike find ours.
"""

from __future__ import annotations

import os

import statsmodels.api as sm
import statsmodels.discrete.discrete_model as discrete
import statsmodels.formula.api as smf

import logit_stats
import logit_stats.formula.api as ours

SWAP = os.environ.get("LOGIT_STATS_SWAP", "Logit")
if SWAP == "Logit":
    discrete.Logit = sm.Logit = logit_stats.Logit
    smf.logit = ours.logit
elif SWAP == "MNLogit":
    discrete.MNLogit = sm.MNLogit = logit_stats.MNLogit
    smf.mnlogit = ours.mnlogit
