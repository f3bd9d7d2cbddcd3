"""The picture of a path of penalized fits."""

from __future__ import annotations

from typing import Any

import pandas as pd


def penalty_path_plot(params: pd.DataFrame, chosen: float | None = None, ax: Any = None) -> Any:
    """Draw coefficients against the strength of the penalty (logarithmic).

    Parameters
    ----------
    params : DataFrame
        One row for each alpha (its index), one column for each coefficient.
    chosen : float, optional
        Alpha to mark.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots()
    for name in params.columns:
        ax.plot(params.index, params[name], label=str(name))
    if chosen is not None:
        ax.axvline(chosen, color="0.5", linestyle="--", label="one standard error")
    ax.axhline(0.0, color="0.8", linewidth=0.8, zorder=0)
    ax.set_xscale("log")
    ax.set_xlabel("alpha")
    ax.set_ylabel("coefficient")
    if params.shape[1] <= 15:
        ax.legend(fontsize="small")
    return ax
