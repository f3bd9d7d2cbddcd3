"""Moved to `logit_stats.likelihoods.category_moments`."""

import sys

from logit_stats.likelihoods import category_moments
from logit_stats.likelihoods.category_moments import *  # noqa: F403

sys.modules[__name__] = category_moments
