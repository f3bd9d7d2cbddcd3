"""Moved to `logit_stats.likelihoods.working`."""

import sys

from logit_stats.likelihoods import working
from logit_stats.likelihoods.working import *  # noqa: F403

sys.modules[__name__] = working
