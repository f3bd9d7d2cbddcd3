"""Standard deviations and correlations of random effects, with errors and intervals; what follows from them."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy import stats

from logit_stats.design.block import FloatArray
from logit_stats.errors import NotAvailableError, check_alpha, check_choice
from logit_stats.estimation.mixed import PERFECT_CORRELATION, ZERO_SD, MixedFit
from logit_stats.estimation.outcome_terms import Numbers
from logit_stats.inference.mixed_profile import sd_profile_limits
from logit_stats.wording import printed, table

LATENT = np.pi**2 / 3.0
_STEP = 1e-30


@dataclass(frozen=True, eq=False)
class VarianceComponents:
    """Standard deviations and correlations of random effects.

    Attributes
    ----------
    frame : DataFrame
        One row for each: grouping, effect, with (the other effect of a correlation, else empty), what, estimate, std_error,
        conf_low, conf_high.
    alpha : float
        The limits have level ``1 - alpha``.
    method : str
        Whether limits of standard deviations are Wald's, on the log scale, or the profile likelihood's.
    """

    frame: pd.DataFrame
    alpha: float
    method: str

    def summary_frame(self) -> pd.DataFrame:
        """Return a copy of the table."""
        return self.frame.copy()

    @printed
    def __str__(self) -> str:
        limits = "profile likelihood" if self.method == "profile" else "Wald, on the log scale"
        shown = table(self.frame, "{:.4g}".format, list(self.frame).index("estimate"))
        return f"Random effects (limits of level {1 - self.alpha:.12g}: {limits})\n{shown}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(index=False, float_format=lambda v: f"{v:.4g}", escape=True))


def variance_components(fit: MixedFit, alpha: float = 0.05, method: str = "wald") -> VarianceComponents:
    """Standard deviations and correlations.

    Parameters
    ----------
    fit : MixedFit
    alpha : float
    method : {"wald", "profile"}
        Limits of standard deviations from the curvature of the likelihood (by the logarithm; correlations by Fisher's z), or from
        the profile likelihood, whose lower limit may be zero.
    """
    check_choice("method", method, ("wald", "profile"))
    quantile = stats.norm.isf(check_alpha(alpha) / 2.0)
    rows = []
    for g, name in enumerate(fit.layout.names):
        columns = fit.layout.columns(g)
        for i in range(len(columns)):
            for j in range(i + 1):
                if i != j and not _correlated(fit, g, i, j):
                    continue
                value, se = _with_error(fit, g, i, j)
                low, high = _limits(value, se, quantile, i == j)
                if method == "profile" and i == j:
                    low, high = sd_profile_limits(fit, g, i, alpha)
                what = "sd" if i == j else "correlation"
                rows.append((name, columns[j], "" if i == j else columns[i], what, value, se, low, high))
    heads = ["grouping", "effect", "with", "what", "estimate", "std_error", "conf_low", "conf_high"]
    frame = pd.DataFrame(rows, columns=heads)
    order = frame["what"].eq("correlation").argsort(kind="stable")
    return VarianceComponents(frame.iloc[order].reset_index(drop=True), alpha, method)


def _correlated(fit: MixedFit, g: int, i: int, j: int) -> bool:
    return bool(fit.layout.templates[g][max(i, j), min(i, j)] >= 0)


def _limits(value: float, se: float, quantile: float, is_sd: bool) -> tuple[float, float]:
    if not np.isfinite(se) or se <= 0.0:
        return float("nan"), float("nan")
    if is_sd:
        width = quantile * se / value
        return float(value * np.exp(-width)), float(value * np.exp(width))
    width = quantile * se / (1.0 - value**2)
    return float(np.tanh(np.arctanh(value) - width)), float(np.tanh(np.arctanh(value) + width))


def _entry(fit: MixedFit, theta: Numbers, g: int, i: int, j: int) -> Numbers:
    """Standard deviation i, or the correlation of i and j, from theta."""
    template = fit.layout.templates[g]
    factor = np.where(template >= 0, theta[np.maximum(template, 0)], 0.0)
    covariance = factor @ factor.T
    sd = np.sqrt(covariance[i, i])
    return np.asarray(sd if i == j else covariance[i, j] / sd / np.sqrt(covariance[j, j]))


def _with_error(fit: MixedFit, g: int, i: int, j: int) -> tuple[float, float]:
    """An entry and its delta-method error; NaN where the fit is singular there."""
    if any(is_zero(fit, g, a) for a in (i, j)):
        return (0.0 if i == j else float("nan")), float("nan")
    value = float(_entry(fit, fit.theta, g, i, j))
    if i != j and abs(value) > PERFECT_CORRELATION:
        return float(np.sign(value)), float("nan")
    gradient = np.zeros(len(fit.psi))
    for t in range(len(fit.theta)):
        theta = fit.theta.astype(np.complex128)
        theta[t] += 1j * _STEP
        gradient[len(fit.gamma) + t] = float(_entry(fit, theta, g, i, j).imag) / _STEP
    return value, float(np.sqrt(gradient @ fit.covariance_psi @ gradient))


def is_zero(fit: MixedFit, g: int, i: int) -> bool:
    """Whether a standard deviation is zero, measured by what the effect adds to the log odds."""
    return bool(np.sqrt(fit.effects[g].covariance[i, i]) * fit.sizes[g][i] < ZERO_SD)


def singular(fit: MixedFit) -> list[str]:
    """Say in words where the fit is singular: standard deviations of zero, correlations of one."""
    found = []
    for g, name in enumerate(fit.layout.names):
        columns = fit.layout.columns(g)
        for i, column in enumerate(columns):
            if is_zero(fit, g, i):
                found.append(
                    f"Singular fit: the standard deviation of {column} between groups of {name} is estimated as zero; the data "
                    f"do not show that groups differ in it. Leave it out unless the design demands it."
                )
        for i in range(len(columns)):
            for j in range(i):
                both = not is_zero(fit, g, i) and not is_zero(fit, g, j)
                if both and _correlated(fit, g, i, j):
                    value = float(_entry(fit, fit.theta, g, i, j))
                    if abs(value) > PERFECT_CORRELATION:
                        found.append(
                            f"Singular fit: the correlation of {columns[j]} and {columns[i]} between groups of {name} is "
                            f"estimated as {value:+.0f}; (... || {name}) leaves it out."
                        )
    return found


@dataclass(frozen=True, slots=True)
class LatentMeasure:
    """An intraclass correlation or median odds ratio, with its error and limits.

    Attributes
    ----------
    name, grouping : str
    estimate, std_error, conf_low, conf_high : float
    """

    name: str
    grouping: str
    estimate: float
    std_error: float
    conf_low: float
    conf_high: float

    def __float__(self) -> float:
        return float(self.estimate)

    @printed
    def __str__(self) -> str:
        return (
            f"{self.name} of {self.grouping}: {self.estimate:.4f} (SE {self.std_error:.3g}, {self.conf_low:.4f} to "
            f"{self.conf_high:.4f})"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(str(self))}</p>"


def intercept_sd(fit: MixedFit, grouping: str | None, alpha: float, method: str, what: str) -> tuple[str, FloatArray]:
    """Name of the grouping, and (4,) standard deviation of its random intercept, error and limits.

    Raises
    ------
    NotAvailableError
        If its effects are other than a random intercept, so that groups differ by more than one number.
    UnknownOptionError
        If there is no such grouping.
    """
    grouping = fit.layout.names[0] if grouping is None else grouping
    check_choice("grouping", grouping, fit.layout.names)
    g = fit.layout.names.index(grouping)
    if len(fit.layout.columns(g)) > 1 or fit.layout.columns(g)[0] not in ("Intercept", "const"):
        raise NotAvailableError(
            f"{what} is for random intercepts; groups of {grouping} differ in {', '.join(fit.layout.columns(g))}, so that it has "
            f"another value at every value of these columns."
        )
    frame = variance_components(fit, alpha, method).frame
    row = frame[(frame["grouping"] == grouping) & (frame["what"] == "sd")].iloc[0]
    return grouping, np.array(
        [row[name] for name in ("estimate", "std_error", "conf_low", "conf_high")], dtype=np.float64
    )


def icc(fit: MixedFit, grouping: str | None = None, alpha: float = 0.05, method: str = "wald") -> LatentMeasure:
    """Intraclass correlation of the latent response, ``s^2 / (s^2 + other variances + pi^2/3)`` (Goldstein et al. 2002).

    Of two rows that share this grouping and no other.
    """
    grouping, sd = intercept_sd(fit, grouping, alpha, method, "The intraclass correlation")
    others = 0.0
    for name in fit.layout.names:
        if name != grouping:
            _, other = intercept_sd(fit, name, alpha, "wald", "The intraclass correlation")
            others += other[0] ** 2
    rest = others + LATENT
    share = sd**2 / (sd**2 + rest)
    se = 2.0 * sd[0] * rest / (sd[0] ** 2 + rest) ** 2 * sd[1]
    if not others:
        return LatentMeasure("Intraclass correlation", grouping, share[0], se, share[2], share[3])
    se = _icc_error(fit, grouping)
    half = stats.norm.isf(alpha / 2.0) * se / (share[0] * (1.0 - share[0]))
    low, high = 1.0 / (1.0 + np.exp(-(np.log(share[0] / (1.0 - share[0])) + np.array([-half, half]))))
    return LatentMeasure("Intraclass correlation", grouping, share[0], se, float(low), float(high))


def _icc_error(fit: MixedFit, grouping: str) -> float:
    g, gradient = fit.layout.names.index(grouping), np.zeros(len(fit.psi))
    for t in range(len(fit.theta)):
        theta = fit.theta.astype(np.complex128)
        theta[t] += 1j * _STEP
        variances = [_entry(fit, theta, h, 0, 0) ** 2 for h in range(len(fit.layout.names))]
        gradient[len(fit.gamma) + t] = float((variances[g] / (sum(variances) + LATENT)).imag) / _STEP
    return float(np.sqrt(gradient @ fit.covariance_psi @ gradient))


def median_odds_ratio(
    fit: MixedFit, grouping: str | None = None, alpha: float = 0.05, method: str = "wald"
) -> LatentMeasure:
    """Median of the odds ratio between two groups, the larger odds over the smaller: ``exp(sqrt(2) s z_0.75)``.

    Larsen and Merlo (2005), American Journal of Epidemiology 161, 81-88.
    """
    grouping, sd = intercept_sd(fit, grouping, alpha, method, "The median odds ratio")
    rate = np.sqrt(2.0) * stats.norm.ppf(0.75)
    value = np.exp(rate * sd)
    return LatentMeasure("Median odds ratio", grouping, value[0], value[0] * rate * sd[1], value[2], value[3])
