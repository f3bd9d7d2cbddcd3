"""Moved to `logit_stats.likelihoods.moments`."""

import sys

from logit_stats.likelihoods import moments
from logit_stats.likelihoods.moments import *  # noqa: F403

sys.modules[__name__] = moments
