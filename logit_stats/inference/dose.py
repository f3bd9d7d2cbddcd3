"""Effective dose: the value of a number at which the probability reaches p, with delta-method and Fieller limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.counterfactual import used_column, variables
from logit_stats.errors import DataError
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.wording import WIDTH


@dataclass(frozen=True, eq=False)
class EffectiveDose:
    """Doses at which given probabilities are reached.

    Attributes
    ----------
    variable : str
    frame : DataFrame
        prob, dose, std_error (delta method), conf_low and conf_high (delta), fieller_low and fieller_high (infinite where
        the slope is not significant at this level: Fieller 1954, J. Royal Statistical Society B 16, 175-185).
    """

    variable: str
    frame: pd.DataFrame

    def __str__(self) -> str:
        table = self.frame.to_string(line_width=WIDTH, index=False, float_format=lambda v: f"{v:.6g}")
        return f"Effective dose of {self.variable}\n{table}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(index=False, float_format=lambda v: f"{v:.6g}"))


def effective_dose(
    fit: Fit,
    cov: Covariance,
    p: float | list[float] | FloatArray = 0.5,
    variable: str | None = None,
    alpha: float = 0.05,
) -> EffectiveDose:
    """Values of a variable at which the probability is p, all other columns at zero contribution of their means.

    Parameters
    ----------
    fit : Fit
        A formula fit that is linear in the variable.
    cov : Covariance
    p : float or array_like
        Probabilities.
    variable : str, optional
        By default the only variable of the model. With several variables the others stand at their means.
    alpha : float
        The limits have level ``1 - alpha``.

    Raises
    ------
    DataError
        If the model is not linear in the variable, or a probability is not between 0 and 1.
    """
    known = variables(fit.design)
    name = next(iter(known)) if variable is None and len(known) == 1 else variable
    if name is None:
        raise DataError(f"The model has the variables {', '.join(known)}; say which one is the dose with variable=.")
    if name not in known:
        raise DataError(f"{name!r} is no variable of the model; its variables are {', '.join(known)}.")
    if any(v.kind == "factor" for other, v in known.items() if other != name):
        raise DataError(
            "The dose depends on the levels of the model's factors; fit it for one level, or code them as numbers."
        )
    if not (known[name].kind == "number" and known[name].linear):
        raise DataError(f"The model is not linear in {name!r}; a dose has no closed form there.")
    prob = np.atleast_1d(np.asarray(p, dtype=np.float64))
    if not ((prob > 0.0) & (prob < 1.0)).all():
        raise DataError("p must lie between 0 and 1.")
    rows = {other: np.full(2, _mean(fit, other)) for other in known}
    rows[name] = np.array([0.0, 1.0])
    formula = fit.design.formula
    assert formula is not None
    X = formula.design_matrix(rows)[0][:, [formula.names.index(n) for n in fit.design.names]]
    Z = fit.working.columns(X)
    # eta at dose x is (base + x slope) in working coefficients
    base, slope = Z[0], Z[1] - Z[0]
    offset = 0.0 if fit.design.offset is None else float(np.mean(fit.design.offset.values))
    a, b = float(base @ fit.gamma) + offset, float(slope @ fit.gamma)
    V = cov.working
    vaa, vab, vbb = float(base @ V @ base), float(base @ V @ slope), float(slope @ V @ slope)
    dose = (np.log(prob) - np.log1p(-prob) - a) / b
    se = np.sqrt(vaa + 2.0 * dose * vab + dose**2 * vbb) / abs(b)
    critical = np.broadcast_to(cov.reference.along(base + dose[:, None] * slope).critical(alpha), dose.shape)
    half = critical * se
    low, high = _fieller(np.log(prob) - np.log1p(-prob) - a, b, (vaa, vab, vbb), critical)
    frame = pd.DataFrame(
        {"prob": prob, "dose": dose, "std_error": se, "conf_low": dose - half, "conf_high": dose + half,
         "fieller_low": low, "fieller_high": high}
    )  # fmt: skip
    return EffectiveDose(name, frame)


def _mean(fit: Fit, name: str) -> float:
    values = np.asarray(used_column(fit.design, name), dtype=np.float64)
    return float(np.average(values, weights=fit.design.frequency))


def _fieller(
    target: FloatArray, b: float, V: tuple[float, float, float], critical: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Doses x that a test of ``target - b x = 0`` does not reject: roots of a quadratic in x."""
    vaa, vab, vbb = V
    q = critical**2
    A = b**2 - q * vbb
    B = -2.0 * (target * b + q * vab)
    C = target**2 - q * vaa
    significant = A > 0.0
    A = np.where(significant, A, 1.0)
    root = np.sqrt(np.maximum(B**2 - 4.0 * A * C, 0.0))
    low, high = (-B - root) / (2.0 * A), (-B + root) / (2.0 * A)
    return np.where(significant, low, -np.inf), np.where(significant, high, np.inf)
