"""The command line: one small file for each command.

Exit status 0; 1 where something is refused, with one line on standard error that says why and what to do; 2 for wrong usage.
"""

from logit_stats.cli.main import main

__all__ = ["main"]
