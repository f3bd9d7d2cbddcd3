"""Tables, tidy frames, pages and checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from logit_stats.results.needs import needs
from logit_stats.results.transport import Transport

if TYPE_CHECKING:
    from logit_stats.assess.certificate import Certificate
    from logit_stats.report.summary import Summary


class Reports(Transport):
    """What is shown of a fit."""

    def summary(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in statsmodels' layout; ``clock=False`` leaves date and time out, so that reports reproduce."""
        from logit_stats.report.summary import summary

        return summary(self, yname=yname, xname=xname, title=title, alpha=alpha, clock=clock)

    def summary2(
        self, yname: str | None = None, xname: list[str] | None = None, title: str | None = None,
        alpha: float = 0.05, float_format: str = "%.4f", *, clock: bool = True,
    ) -> Summary:  # fmt: skip
        """Summary in the layout of statsmodels' ``summary2``."""
        from logit_stats.report.summary import summary2

        return summary2(
            self, yname=yname, xname=xname, title=title, alpha=alpha, float_format=float_format, clock=clock
        )

    def tidy(self, conf_int: bool = True, exponentiate: bool = False, alpha: float = 0.05) -> pd.DataFrame:
        """One row a coefficient, as broom's ``tidy``."""
        from logit_stats.report.tidy import tidy

        return tidy(self, conf_int=conf_int, exponentiate=exponentiate, alpha=alpha)

    def glance(self) -> pd.DataFrame:
        """One row for the model, as broom's ``glance``."""
        from logit_stats.report.tidy import glance

        return glance(self)

    @needs("finite", "binary")
    def augment(self, data: Any = None) -> pd.DataFrame:
        """One row an observation with fitted values and residuals, as broom's ``augment``."""
        from logit_stats.report.tidy import augment

        return augment(self, data=data)

    @needs("finite", "maximum", "binary", "unconstrained")
    def certificate(self) -> Certificate:
        """Guaranteed digits, conditioning, versions and a hash of the data."""
        from logit_stats.assess.certificate import certificate

        self.fit_.refuse_constraints("The certificate")
        return certificate(self.fit_)
