"""What `maketables` asks of a result, so that ``maketables.ETable([ours, statsmodels', pyfixest's])`` works."""

from __future__ import annotations

from typing import Any

import pandas as pd

from logit_stats.errors import LogitStatsError
from logit_stats.report.coefficients import CoefficientTable

# maketables' names of statistics, and ours.
_STATISTICS = {
    "N": "nobs", "pseudo_r2": "prsquared", "ll": "llf", "llnull": "llnull", "aic": "aic", "bic": "bic", "df_model": "df_model",
    "df_resid": "df_resid", "deviance": "deviance", "null_deviance": "null_deviance", "se_type": "cov_type",
}  # fmt: skip
_LABELS = {"pseudo_r2": "McFadden R²", "ll": "Log-likelihood", "llnull": "Log-likelihood (null)"}


class ForMaketables:
    """The protocol of maketables' plug-ins, made of the coefficient table."""

    @property
    def __maketables_coef_table__(self) -> pd.DataFrame:
        """Coefficients by name: b, se, t, p and limits of 95 % and 90 %."""
        table, narrow = CoefficientTable.of(self), CoefficientTable.of(self, 0.10)
        columns = dict(zip(("b", "se", "t", "p", "ci95l", "ci95u"), table.numbers.T, strict=True))
        columns |= {"ci90l": narrow.numbers[:, 4], "ci90u": narrow.numbers[:, 5]}
        return pd.DataFrame(columns, index=pd.Index(table.row_names, name="Coefficient"))

    def __maketables_stat__(self, key: str) -> Any:
        """A statistic by maketables' name; None where there is none."""
        if key not in _STATISTICS:
            return None
        try:
            value = getattr(self, _STATISTICS[key])
        except (LogitStatsError, AttributeError):
            return None
        return int(value) if key == "N" and value == int(value) else value

    @property
    def __maketables_depvar__(self) -> str:
        return str(self.model.endog_names)  # type: ignore[attr-defined]

    @property
    def __maketables_fixef_string__(self) -> str | None:
        absorbed = getattr(self.model, "absorb_name", None)  # type: ignore[attr-defined]
        return None if absorbed is None else str(absorbed)

    @property
    def __maketables_vcov_info__(self) -> dict[str, Any]:
        return {"vcov_type": self.__maketables_stat__("se_type"), "clustervar": None}

    @property
    def __maketables_var_labels__(self) -> dict[str, str] | None:
        from logit_stats.report.publication.labels import Labels

        design = getattr(getattr(self, "fit_", None), "design", None)
        return (Labels.read(None, [design]).names or None) if design is not None else None

    @property
    def __maketables_default_stat_keys__(self) -> list[str]:
        return [key for key in ("N", "pseudo_r2", "ll") if self.__maketables_stat__(key) is not None]

    @property
    def __maketables_stat_labels__(self) -> dict[str, str]:
        return dict(_LABELS)
