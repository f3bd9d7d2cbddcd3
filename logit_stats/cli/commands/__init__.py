"""The commands, one in each file."""

from logit_stats.cli.commands.compare import compare
from logit_stats.cli.commands.datasets import datasets
from logit_stats.cli.commands.fit import fit
from logit_stats.cli.commands.margins import margins
from logit_stats.cli.commands.predict import predict
from logit_stats.cli.commands.report import report
from logit_stats.cli.commands.sample_size import sample_size
from logit_stats.cli.commands.table import table
from logit_stats.cli.commands.validate import validate

__all__ = ["compare", "datasets", "fit", "margins", "predict", "report", "sample_size", "table", "validate"]
