"""What goes from a result into a paper: paragraphs, and what other packages' tables ask."""

from __future__ import annotations

from typing import Any

from logit_stats.results.maketables import ForMaketables


class Published(ForMaketables):
    """Paragraphs on the methods and results of any fit."""

    def methods_text(self, alpha: float = 0.05, labels: Any = None) -> str:
        """Paragraph on the methods, with the sources it cites; see `report.paragraphs.methods_text`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ race + lwt", ls.datasets.load("birthwt")).fit()
        >>> res.methods_text().partition(". ")[0]
        'The odds of low = 1 were modelled by logistic regression (maximum likelihood) on race and lwt'
        """
        from logit_stats.report.paragraphs import methods_text

        return methods_text(self, alpha, labels)

    def results_text(self, alpha: float = 0.05, labels: Any = None) -> str:
        """Paragraph on the results, with the numbers; see `report.paragraphs.results_text`.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ race + lwt", ls.datasets.load("birthwt")).fit()
        >>> res.results_text().partition(". ")[0]
        'The analysis used 189 observations with 59 events (31.2%)'
        """
        from logit_stats.report.paragraphs import results_text

        return results_text(self, alpha, labels)
