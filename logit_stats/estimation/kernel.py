"""Moved to `logit_stats.likelihoods.kernel`."""

import sys

from logit_stats.likelihoods import kernel
from logit_stats.likelihoods.kernel import *  # noqa: F403

sys.modules[__name__] = kernel
