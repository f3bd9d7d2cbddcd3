"""Moved to `logit_stats.likelihoods.rows`."""

import sys

from logit_stats.likelihoods import rows
from logit_stats.likelihoods.rows import *  # noqa: F403

sys.modules[__name__] = rows
