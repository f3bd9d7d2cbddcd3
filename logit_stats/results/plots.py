"""`res.plot`: pictures of a result. Each method takes `ax` (None makes a new figure) and returns the Axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from logit_stats.results.refusals import NotAnsweredError
from logit_stats.wording import lines


@dataclass(frozen=True, slots=True, repr=False)
class LimitPlots:
    """Pictures of a limiting fit: those that need no finite coefficient."""

    result: Any

    def coefficients(
        self, alpha: float = 0.05, method: str | None = None, numbers: bool = False, ax: Any = None
    ) -> Any:
        """Coefficients with intervals (of `conf_int`), without the constant; an arrow is an interval without end.

        With `numbers` estimates and limits stand in figures beside the picture.
        """
        from logit_stats.report.plots.of_coefficients import forest

        return forest(self.result, ratios=False, alpha=alpha, method=method, numbers=numbers, ax=ax)

    def odds_ratios(self, alpha: float = 0.05, method: str | None = None, numbers: bool = False, ax: Any = None) -> Any:
        """Odds ratios with intervals on a logarithmic axis; arguments as for `coefficients`."""
        from logit_stats.report.plots.of_coefficients import forest

        return forest(self.result, ratios=True, alpha=alpha, method=method, numbers=numbers, ax=ax)

    def roc(self, label: str = "", thresholds: Sequence[float] = (), youden: bool = True, ax: Any = None) -> Any:
        """ROC curve with its area, its interval and the largest Youden index; `thresholds` are marked on it.

        Called again with the same `ax`, it adds a curve; `label` says whose it is.
        """
        from logit_stats.report.plots.of_predictions import roc

        return roc(self.result, label=label, thresholds=thresholds, youden=youden, ax=ax)

    def confusion(self, threshold: float = 0.5, ax: Any = None) -> Any:
        """Confusion matrix as a heat map; of other tables: `plot_confusion`."""
        from logit_stats.report.plots.of_predictions import confusion

        return confusion(self.result, threshold, ax=ax)

    def __repr__(self) -> str:
        return lines(f"<{type(self).__name__}: {', '.join(_pictures(type(self)))}; each takes ax and returns it>")

    def __call__(self, *arguments: Any, **options: Any) -> NoReturn:
        """There is no one picture of a result."""
        raise TypeError(f"plot holds several pictures; name one: plot.{', plot.'.join(_pictures(type(self)))}.")

    def __getattr__(self, name: str) -> NoReturn:
        raise NotAnsweredError(f"There is no picture {name!r}; there are {', '.join(_pictures(type(self)))}.")


def _pictures(plots: type) -> list[str]:
    names = [name for kind in reversed(plots.__mro__) for name in vars(kind)]
    return [name for name in names if not name.startswith("_") and callable(getattr(plots, name))]


@dataclass(frozen=True, slots=True, repr=False)
class PenalizedPlots(LimitPlots):
    """Pictures that need no standard errors; coefficients without intervals."""

    def precision_recall(self, label: str = "", ax: Any = None) -> Any:
        """Precision against recall, and the prevalence; called again with the same `ax`, it adds a curve."""
        from logit_stats.report.plots.of_predictions import precision_recall

        return precision_recall(self.result, label=label, ax=ax)

    def calibration(self, bins: int = 10, ax: Any = None) -> Any:
        """Share of events against predicted probability: bins, a smooth, and a rug of the predictions."""
        from logit_stats.report.plots.of_predictions import calibration

        return calibration(self.result, bins, ax=ax)

    def decision_curve(self, thresholds: Any = None, ax: Any = None) -> Any:
        """Net benefit by threshold, of this result, of treating all and of treating none; `res.decision_curve(...).plot()`."""
        return self.result.decision_curve(thresholds=thresholds).plot(ax=ax)

    def residuals(self, variable: str | int | None = None, bins: int | None = None, ax: Any = None) -> Any:
        """Binned mean residuals against the probability, or against a column of the data, by level if it is a factor.

        There are about as many bins as the square root of the rows, unless `bins` is given.
        """
        from logit_stats.report.plots.of_rows import residuals

        return residuals(self.result, variable, bins, ax=ax)


@dataclass(frozen=True, slots=True, repr=False)
class Plots(PenalizedPlots):
    """Pictures of a result; they need matplotlib (``pip install matplotlib``)."""

    def profile(self, name: str, alpha: float = 0.05, ax: Any = None) -> Any:
        """Profile likelihood of one coefficient and its limits, with Wald's parabola under the covariance in use."""
        from logit_stats.report.plots.of_coefficients import profile

        return profile(self.result, name, alpha=alpha, ax=ax)

    def trace(self, quantity: str = "cost", label: str | None = None, ax: Any = None) -> Any:
        """Cost (mean negative log-likelihood) after every iteration, or with ``quantity="distance"`` the distance to the maximum.

        Several results drawn on the same `ax` stand side by side, each with its `label` (by default its method). A fit that
        has not converged ends in a cross.
        """
        from logit_stats.report.plots.of_iterations import trace

        return trace(self.result, quantity=quantity, label=label, ax=ax)

    def influence(self, labels: int = 5, by: str = "row", ax: Any = None) -> Any:
        """Studentized residuals against leverage, Cook's distance as area, the largest labelled.

        Of rows, or of covariate patterns (``by="pattern"``); see `get_influence`.
        """
        from logit_stats.report.plots.of_rows import influence

        return influence(self.result, labels, by, ax=ax)

    def margins(
        self, variable: str | int, points: int = 25, alpha: float = 0.05, at: Mapping[str, Any] | None = None,
        over: str | None = None, ax: Any = None,
    ) -> Any:  # fmt: skip
        """Average probability along a number or at the levels of a factor, with intervals, other variables as observed.

        As in `margins()`, `at` sets other variables (``at={"smoke": [0, 1]}``, a line for each), and `over` takes the
        rows of each value of a column by themselves.
        """
        from logit_stats.report.plots.of_variables import margins

        return margins(self.result, variable, points, alpha, at=at, over=over, ax=ax)

    def curve(
        self, x: str | int, threshold: float = 0.5, alpha: float = 0.05, logit: bool = False, ax: Any = None
    ) -> Any:
        """Data, probability and interval along the only variable of a model; `logit` adds the line of the log odds."""
        from logit_stats.report.plots.of_variables import curve

        return curve(self.result, x, threshold, alpha, logit=logit, ax=ax)

    def boundary(self, x1: str | int, x2: str | int, threshold: float = 0.5, ax: Any = None) -> Any:
        """Where the probability crosses a threshold in the plane of two numbers."""
        from logit_stats.report.plots.of_variables import boundary

        return boundary(self.result, x1, x2, threshold, ax=ax)
