"""`Answers`: everything that can be asked of a result, under one set of names.

Each result is put together from a model, a fit, a covariance and an inference. What an answer takes for granted stands beside it
(`needs`), so that every name on every result answers, or says in words what is missing and what can be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from logit_stats.results.accuracy import Accuracy
from logit_stats.results.diagnosis import Diagnosis
from logit_stats.results.effects import Effects
from logit_stats.results.estimates import Estimates
from logit_stats.results.fitted import Fitted
from logit_stats.results.hypotheses import Hypotheses
from logit_stats.results.likelihood import Likelihood
from logit_stats.results.needs import needs
from logit_stats.results.reports import Reports
from logit_stats.results.statsmodels_names import StatsmodelsNames
from logit_stats.wording import lines, printed, table

if TYPE_CHECKING:
    from logit_stats.peers.crosscheck import Crosscheck


@dataclass(frozen=True, eq=False, repr=False)
class Answers(Estimates, Likelihood, Fitted, Hypotheses, Effects, Accuracy, Diagnosis, Reports, StatsmodelsNames):
    """What can be asked of a result; see the module."""

    @needs("finite", "wald")
    def with_cov(self, cov_type: str, use_t: bool | None = None, **settings: Any) -> Self:
        """Return the same fit with another covariance, without fitting again.

        Parameters
        ----------
        cov_type : str
            ``"nonrobust"``; ``"quasi"`` (times a dispersion); ``"opg"``; ``"HC0"`` to ``"HC3"``; ``"HAC"``; ``"cluster"``;
            ``"survey"``; ``"bootstrap"``.
        **settings
            For "cluster": `groups`, a column name, one label for each row, or a list of several groupings; and
            `use_correction`: True (as statsmodels), "G", False, or for one grouping the bias-reduced "CR2" (with
            Satterthwaite's degrees of freedom) and "CR3". For "HAC": `maxlags`, `kernel` ("bartlett", "uniform"), `time`,
            `use_correction`. For "survey": `strata`, `psu`, `fpc`, `lonely`. For "quasi": `dispersion` ("pearson",
            "deviance"). For "bootstrap": `reps`, `seed`, `groups`, `progress`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + smoke", ls.datasets.load("birthwt")).fit()
        >>> res.with_cov("HC3").bse.round(4).tolist()
        [0.7321, 0.0299, 0.3284]
        """
        return self._carried_to(replace(self, covariance_=self._covariance(cov_type, use_t, settings)))

    def summary_notes(self) -> list[str]:
        """Return the sentences that stand under the summary."""
        from logit_stats.report.notes import notes

        return notes(self)

    @needs("finite", "maximum", "unconstrained", "rows")
    def crosscheck(self, rtol: float = 1e-6) -> Crosscheck:
        """Fit the same model in statsmodels and compare, quantity by quantity."""
        from logit_stats.peers.crosscheck import crosscheck

        return crosscheck(self, rtol=rtol)

    def report(
        self, path: str | Path | None = None, alpha: float = 0.05, sections: Sequence[str] | None = None, labels: Any = None
    ) -> str:  # fmt: skip
        """One self-contained page of HTML, written to `path` where it is given; without a clock, so it reproduces.

        Sections are chosen by name: "methods", "results", "sample", "table", "tests", "margins", "calibration", "influence",
        "summary", "notes", "crosscheck", "certificate"; see `report.page.page`.
        """
        from logit_stats.report.page import page

        text = page(self, alpha=alpha, sections=sections, labels=labels)
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @property
    def plot(self) -> Any:
        """Pictures: ``res.plot.roc()``, ``res.plot.odds_ratios()``, ...; each takes `ax` and returns the Axes."""
        from logit_stats.results.plots import Plots

        return Plots(self)

    @needs("finite", "wald")
    def remove_data(self) -> Self:
        """Return the same result without its rows, small enough to keep anywhere; this one keeps them, but does not save them.

        It prints, predicts new data and tests hypotheses as before; what needs rows (residuals, influence, margins, another
        robust covariance) raises `NotAvailableError`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> small = ls.logit("low ~ age + smoke", ls.datasets.load("birthwt")).fit().remove_data()
        >>> small.predict({"age": [20], "smoke": [1]}).round(4).tolist()
        [0.4396]
        """
        found = self._without_rows()
        self.__dict__["_rows_given_away"] = True  # scripts of statsmodels, where it works in place, go on with save()
        return found

    def save(self, path: Any, remove_data: bool | None = None) -> None:
        """Write the result to a path or an open binary file; `logit_stats.load` reads it back.

        Parameters
        ----------
        path : str, Path or open binary file
        remove_data : bool, optional
            Leave the rows out; by default where `remove_data` was called on this result.
        """
        from logit_stats.results.keep import save

        save(self, path, "_rows_given_away" in self.__dict__ if remove_data is None else remove_data)

    @printed
    def __str__(self) -> str:
        return f"{self.model!r}\n{table(self.tidy(), '{:.5g}'.format)}"

    def __repr__(self) -> str:
        state = "" if self.converged else "NOT CONVERGED, "
        what = f"{state}llf={self.llf:.6g}, {self.fit_.parameters} coefficients; {self.sample_line()}"
        return lines(f"<{type(self).__name__} {what}>")

    def _repr_html_(self) -> str:
        return str(self.summary(clock=False)._repr_html_())
