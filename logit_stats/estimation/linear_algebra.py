"""Moved to `logit_stats.likelihoods.linear_algebra`."""

import sys

from logit_stats.likelihoods import linear_algebra
from logit_stats.likelihoods.linear_algebra import *  # noqa: F403

sys.modules[__name__] = linear_algebra
