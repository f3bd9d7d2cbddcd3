"""Messages of the package in the words of the command line: its options in place of Python's arguments."""

from __future__ import annotations

import re

from logit_stats.errors import SeparationError
from logit_stats.report.escaping import one_line

_ROWS = "offset|trials|freq_weights|sampling_weights|strata|psu|fpc|subset"
_OPTIONS = (
    (re.compile(r"""\b(check_rank|missing|lonely)=["'](\w+)["']"""), lambda m: f"--{m[1].replace('_', '-')} {m[2]}"),
    (re.compile(rf"\b({_ROWS})="), lambda m: f"--{m[1].replace('_', '-')} "),
    (re.compile(r"\blevels=\[\.\.\.\]"), lambda m: "--levels"),
    (re.compile(r"\b(levels|nonparallel)="), lambda m: f"--{m[1]} "),
    (re.compile(r"""\bkind=["'](\w+)["']"""), lambda m: f"--logits {m[1]}"),
    (re.compile(r"\bgroups="), lambda m: "--cluster "),
    (re.compile(r"\bfit_firth\(\)"), lambda m: "--firth"),
    (re.compile(r"""\bcov_type=["'](\w+)["']"""), lambda m: f"--cov {m[1]}"),
    (re.compile(r"""\bmethod=["']profile["']"""), lambda m: "--profile"),
    (re.compile(r"""\bwith_cov\(["'](\w+)["']\)"""), lambda m: f"--cov {m[1]}"),
    (re.compile(r"\bmaxiter=?"), lambda m: "--maxiter"),
    (re.compile(r"--(\S+) +([:;,.)])"), lambda m: f"--{m[1]}{m[2]}"),
)


def on_the_command_line(message: object) -> str:
    """Say a message in one line, without characters that a terminal would obey.

    Examples
    --------
    >>> on_the_command_line('leave it out, or give check_rank="drop"; subset= takes rows')
    'leave it out, or give --check-rank drop; --subset takes rows'
    """
    text = one_line(" ".join(str(message).split()))
    for pattern, option in _OPTIONS:
        text = pattern.sub(option, text)
    of_two = isinstance(message, SeparationError) and getattr(getattr(message.separation, "words", None), "sides", True)
    if of_two and "--firth" not in text:
        text += " On the command line: --firth."
    return re.sub(r"  +", " ", text)
