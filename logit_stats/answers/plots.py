"""`res.plot`: pictures of a result. Each method takes `ax` (None makes a new figure) and returns the Axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Plots:
    """Pictures of a result; they need matplotlib (``pip install 'logit-stats[plot]'``)."""

    result: Any

    def coefficients(self, alpha: float = 0.05, method: str | None = None, ax: Any = None) -> Any:
        """Coefficients with intervals (of `conf_int`), without the constant; an arrow is an interval without end."""
        from logit_stats.report.plots.of_coefficients import forest

        return forest(self.result, ratios=False, alpha=alpha, method=method, ax=ax)

    def odds_ratios(self, alpha: float = 0.05, method: str | None = None, ax: Any = None) -> Any:
        """Odds ratios with intervals on a logarithmic axis."""
        from logit_stats.report.plots.of_coefficients import forest

        return forest(self.result, ratios=True, alpha=alpha, method=method, ax=ax)

    def profile(self, name: str, alpha: float = 0.05, ax: Any = None) -> Any:
        """Profile likelihood of one coefficient, with Wald's parabola and both intervals."""
        from logit_stats.report.plots.of_coefficients import profile

        return profile(self.result, name, alpha=alpha, ax=ax)

    def trace(self, quantity: str = "cost", label: str | None = None, ax: Any = None) -> Any:
        """Cost (mean negative log-likelihood) after every iteration, or with ``quantity="distance"`` the distance to the maximum.

        Several results drawn on the same `ax` stand side by side, each with its `label` (by default its method). A fit that
        has not converged ends in a cross.
        """
        from logit_stats.report.plots.of_iterations import trace

        return trace(self.result, quantity=quantity, label=label, ax=ax)

    def roc(self, ax: Any = None) -> Any:
        """ROC curve with its area, its interval and the largest Youden index."""
        from logit_stats.report.plots.of_predictions import roc

        return roc(self.result, ax=ax)

    def precision_recall(self, ax: Any = None) -> Any:
        """Precision against recall."""
        from logit_stats.report.plots.of_predictions import precision_recall

        return precision_recall(self.result, ax=ax)

    def calibration(self, bins: int = 10, ax: Any = None) -> Any:
        """Share of events against predicted probability: bins, a smooth, and a rug of the predictions."""
        from logit_stats.report.plots.of_predictions import calibration

        return calibration(self.result, bins, ax=ax)

    def confusion(self, threshold: float = 0.5, ax: Any = None) -> Any:
        """Confusion matrix as a heat map."""
        from logit_stats.report.plots.of_predictions import confusion

        return confusion(self.result, threshold, ax=ax)

    def residuals(self, variable: str | None = None, bins: int = 40, ax: Any = None) -> Any:
        """Binned mean residuals against the probability, or against a variable."""
        from logit_stats.report.plots.of_rows import residuals

        return residuals(self.result, variable, bins, ax=ax)

    def influence(self, labels: int = 5, ax: Any = None) -> Any:
        """Studentized residuals against leverage, Cook's distance as size, the largest labelled."""
        from logit_stats.report.plots.of_rows import influence

        return influence(self.result, labels, ax=ax)

    def margins(self, variable: str, points: int = 25, alpha: float = 0.05, ax: Any = None) -> Any:
        """Average probability along a number or at the levels of a factor, with intervals."""
        from logit_stats.report.plots.of_rows import margins

        return margins(self.result, variable, points, alpha, ax=ax)

    def curve(self, x: str, threshold: float = 0.5, alpha: float = 0.05, ax: Any = None) -> Any:
        """Data, probability and interval along the only variable of a model."""
        from logit_stats.report.plots.of_rows import curve

        return curve(self.result, x, threshold, alpha, ax=ax)

    def boundary(self, x1: str, x2: str, threshold: float = 0.5, ax: Any = None) -> Any:
        """Where the probability crosses a threshold in the plane of two numbers."""
        from logit_stats.report.plots.of_rows import boundary

        return boundary(self.result, x1, x2, threshold, ax=ax)
