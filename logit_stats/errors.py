"""Every error and warning of the package, one class per cause, grouped by the stage that raises it.

All errors derive from `LogitStatsError`; those about what the user handed in are `ValueError` as well, so that code
written for other packages keeps catching them. Each message says what is wrong, in which column or row, and what to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class LogitStatsError(Exception):
    """Base class of every error that logit_stats raises on purpose."""


# What the user gave cannot become a design.


class DataError(LogitStatsError, ValueError):
    """The data, or an argument that describes them, cannot be used as they are."""


class FormulaError(DataError):
    """The formula cannot be read, or one of its terms cannot be evaluated."""


class MissingColumnError(DataError):
    """A column that the formula or an argument names is not in the data."""


class UnseenLevelError(DataError):
    """New data hold a level of a factor that the fit never saw."""


class MissingDataError(DataError):
    """There are missing values, and dropping their rows was not asked for."""


class NonFiniteError(DataError):
    """A column holds infinite values."""


class ResponseError(DataError):
    """The response is not binary, or not counts of successes."""


class OneClassError(ResponseError):
    """Every outcome is the same: nothing can be estimated from it."""


class NoRowsError(DataError):
    """No row is left to fit."""


class WeightError(DataError):
    """Weights, trials or offsets are negative, of the wrong length, or not of the kind they claim to be."""


# The design is sound, but has no (unique, finite) estimate.


class EstimationError(LogitStatsError, ValueError):
    """The model has no unique, finite maximum-likelihood estimate on these data."""


class TooFewRowsError(EstimationError):
    """There are more coefficients than rows."""


class RankDeficientError(EstimationError, np.linalg.LinAlgError):
    """Some design columns are linear combinations of others; code that waits for a singular matrix catches it too.

    Attributes
    ----------
    dependent : dict of str to dict of str to float
        For each dependent column, the columns and factors that it is the sum of.
    """

    def __init__(self, message: str, dependent: dict[str, dict[str, float]] | None = None) -> None:
        super().__init__(message)
        self.dependent = dependent or {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.dependent)


class SeparationError(EstimationError):
    """A combination of columns predicts some outcomes perfectly, so that the estimate is infinite.

    Attributes
    ----------
    separation : logit_stats.estimation.separation.Separation
        The kind of separation, its direction, and the rows that it separates.
    """

    def __init__(self, message: str, separation: Any = None) -> None:
        super().__init__(message)
        self.separation = separation

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.args[0], self.separation)


class DivergenceError(EstimationError):
    """The steps of gradient descent are too long: the cost is no longer a number."""


# What a result is asked for is not there.


class NotAvailableError(LogitStatsError, NotImplementedError):
    """The result cannot answer this question (the message says why, and what can)."""


class UnknownOptionError(LogitStatsError, ValueError):
    """An argument has a value that is not among its choices."""


def check_choice(argument: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise `UnknownOptionError` unless `value` is one of `choices`."""
    if value not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise UnknownOptionError(f"{argument}={value!r} is not known; choose one of {listed}.")


def check_alpha(alpha: Any, argument: str = "alpha") -> float:
    """Return `alpha` as a float; raise `DataError` unless it is a number between 0 and 1."""
    if isinstance(alpha, (bool, np.bool_)) or not isinstance(alpha, (int, float, np.integer, np.floating)):
        raise DataError(f"{argument}={alpha!r} must be a number between 0 and 1 (0.05 gives 95 % intervals).")
    if not 0.0 < alpha < 1.0:
        raise DataError(f"{argument}={alpha} must lie between 0 and 1 (0.05 gives 95 % intervals).")
    return float(alpha)


def whole_number(argument: str, value: Any) -> int:
    """Return `value` as an int; raise `DataError` unless it is a whole number (10.0 is one)."""
    if not isinstance(value, (int, float, np.integer, np.floating)) or not float(value).is_integer():
        raise DataError(f"{argument}={value!r} must be a whole number.")
    return int(value)


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Names as a phrase for a message: ``a, b and 3 more``."""
    names = [str(name) for name in names]
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return ", ".join(names)


def counted(number: int, noun: str) -> str:
    """A number of things for a message: ``1 row``, ``2 rows``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed_rows(labels: Any, most: int = 5) -> str:
    """Row labels as a phrase for a message: ``3, 17 and 40 more``."""
    labels = np.asarray(labels, dtype=object)
    return listed([str(label) for label in labels[: most + 1]] + [""] * max(0, len(labels) - most - 1), most)


# Warnings: only those that a user can act on.


class LogitStatsWarning(UserWarning):
    """Base class of the package's warnings."""


class ConvergenceWarning(LogitStatsWarning):
    """The iterations stopped before the estimate was reached."""


class NearSeparationWarning(LogitStatsWarning):
    """The estimate is finite only because of very few observations; without these the data are separated."""


class SeparatedTestWarning(LogitStatsWarning):
    """A Wald test was asked of coefficients for which the likelihood has no maximum: the data are separated along them."""


class RankWarning(LogitStatsWarning):
    """Dependent columns were left out of the model, as asked for with ``check_rank="drop"``."""


class CrossingWarning(LogitStatsWarning):
    """Slopes that differ between the cuts of an ordered response make cumulative probabilities cross."""


class NotEstimableWarning(LogitStatsWarning):
    """A prediction was asked for that the data do not determine; it is NaN."""


class ShrunkErrorsWarning(LogitStatsWarning):
    """Standard errors of a penalized fit were asked for as statsmodels gives them; they are too small."""
