"""`ImputedModel`: the same model on several imputed data sets; its fit is pooled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from logit_stats.results.pooled import PooledResults, pool
from logit_stats.wording import lines


@dataclass(frozen=True, eq=False)
class ImputedModel:
    """One model for each imputed data set.

    Attributes
    ----------
    models : tuple of models
    """

    models: tuple[Any, ...]

    def fit(self, *, dfcom: float | None = None, **settings: Any) -> PooledResults:
        """Fit every model and pool the results by Rubin's rules.

        Parameters
        ----------
        dfcom : float, optional
            As for `pool`.
        **settings
            As for the `fit` of one model, which checks them.
        """
        return pool([model.fit(**settings) for model in self.models], dfcom=dfcom)

    def __repr__(self) -> str:
        return lines(f"<ImputedModel of {len(self.models)} data sets: {self.models[0]!r}>")


def imputed_data_sets(data: Any) -> Sequence[Any] | None:
    """The tables of a list of tables; None where `data` is something else (one table, or paths of files)."""
    if not isinstance(data, (list, tuple)) or len(data) == 0:
        return None
    tables = all(hasattr(part, "columns") or hasattr(part, "column_names") or isinstance(part, dict) for part in data)
    return data if tables else None
