"""Moved to `logit_stats.likelihoods.coded_moments`."""

import sys

from logit_stats.likelihoods import coded_moments
from logit_stats.likelihoods.coded_moments import *  # noqa: F403

sys.modules[__name__] = coded_moments
