"""`sample_size`: what a study needs, in words, as a table and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import ceil
from typing import Any, overload

import numpy as np
import pandas as pd

from logit_stats.errors import DataError, check_choice
from logit_stats.planning.effect import DISTRIBUTIONS, METHODS, EffectDesign
from logit_stats.planning.prediction import PredictionDesign, largest_r2, r2_of_c_statistic
from logit_stats.wording import WIDTH, lines, printed

# An exact number that is whole but for rounding is not raised to the next.
_WHOLE = 1e-9


class _Printed:
    """Shows its sentences, in text and in notebooks."""

    @printed
    def __str__(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


@dataclass(frozen=True, repr=False)
class EffectSampleSize(_Printed):
    """Observations, power and odds ratio of a test of one covariate's effect.

    Attributes
    ----------
    design : EffectDesign
        The study.
    n : int
        Observations, rounded up.
    n_exact : float
        Observations before rounding.
    power : float
        Chance that the test finds the effect; with `n` observations it is at least so large.
    odds_ratio : float
        Of one standard deviation, or of 1 against 0 for a binary covariate.
    events : float
        Expected events among `n`.
    """

    design: EffectDesign
    n: int
    n_exact: float
    power: float
    odds_ratio: float

    @property
    def events(self) -> float:
        """Expected events among `n` observations."""
        return self.n * self.design.prevalence(self.odds_ratio)

    def curve(self, n: Any = None) -> pd.DataFrame:
        """Power at several numbers of observations.

        Parameters
        ----------
        n : (m,) array_like, optional
            By default from a fifth of `n` to twice `n`.

        Returns
        -------
        DataFrame
            n, power.
        """
        sizes = np.unique(np.linspace(self.n / 5.0, 2.0 * self.n, 46).round()) if n is None else _sizes(n)
        return pd.DataFrame({"n": sizes, "power": [self.design.power(self.odds_ratio, size) for size in sizes]})

    def plot(self, ax: Any = None) -> Any:
        """Draw the power by the number of observations, with this study marked; returns the Axes."""
        from logit_stats.report.plots.of_planning import power_curve

        return power_curve(self, ax=ax)

    @printed
    def __str__(self) -> str:
        d = self.design
        of_what = "1 against 0" if d.distribution == "binary" else "one standard deviation"
        kind = f"binary ({d.share:.4g} of them ones)" if d.distribution == "binary" else d.distribution
        where = "where it is 0" if d.distribution == "binary" else "at its mean"
        others = f"; R² of {d.r2_other:g} with the other covariates" if d.r2_other else ""
        source = "Hsieh, Bloch and Larsen (1998)" if d.method == "hsieh" else "Demidenko (2007)"
        return "\n".join(
            [
                f"{self.n:,} observations ({self.events:.0f} events expected): power {self.power:.4g}",
                lines(
                    f"to find an odds ratio of {self.odds_ratio:.4g} for {of_what}, two-sided test of size {d.alpha:g}."
                ),
                lines(f"Covariate {kind}, {d.probability:.4g} events {where}{others}. {source}."),
            ]
        )


@dataclass(frozen=True, repr=False)
class PredictionSampleSize(_Printed):
    """Observations that a prediction model needs.

    Attributes
    ----------
    design : PredictionDesign
        The model.
    n : int
        Observations that meet all criteria.
    table : DataFrame
        criterion, n, n_exact, shrinkage.
    """

    design: PredictionDesign
    table: pd.DataFrame

    @property
    def n(self) -> int:
        """Observations that meet all criteria."""
        return int(self.table["n"].max())

    @property
    def events(self) -> float:
        """Expected events among `n`."""
        return self.n * self.design.prevalence

    @property
    def events_per_parameter(self) -> float:
        """Expected events for each candidate parameter."""
        return self.events / self.design.parameters

    def curve(self, n: Any = None) -> pd.DataFrame:
        """Expected shrinkage at several numbers of observations.

        Parameters
        ----------
        n : (m,) array_like, optional
            By default from a fifth of `n` to twice `n`.

        Returns
        -------
        DataFrame
            n, shrinkage.
        """
        sizes = np.unique(np.linspace(self.n / 5.0, 2.0 * self.n, 46).round()) if n is None else _sizes(n)
        return pd.DataFrame({"n": sizes, "shrinkage": [self.design.expected_shrinkage(size) for size in sizes]})

    def plot(self, ax: Any = None) -> Any:
        """Draw the expected shrinkage by the number of observations, with the criteria marked; returns the Axes."""
        from logit_stats.report.plots.of_planning import shrinkage_curve

        return shrinkage_curve(self, ax=ax)

    @printed
    def __str__(self) -> str:
        d = self.design
        frame = self.table.drop(columns="n_exact").to_string(
            index=False, float_format="{:.3f}".format, line_width=WIDTH
        )
        return "\n".join(
            [
                f"{self.n:,} observations, {self.events:.0f} events: {self.events_per_parameter:.1f} for each parameter",
                lines(
                    f"{d.parameters} candidate parameters, prevalence {d.prevalence:g}, Cox-Snell R² {d.r2:.4g} of at most "
                    f"{d.max_r2:.4g} (Nagelkerke {d.nagelkerke:.4g}). Riley et al. (2019)."
                ),
                frame,
            ]
        )


@overload
def sample_size(
    odds_ratio: float | None = None, *, probability: float, n: float | None = None, power: float | None = None,
    distribution: str = "normal", share: float | None = None, r2_other: float = 0.0, alpha: float = 0.05,
    method: str = "hsieh",
) -> EffectSampleSize: ...  # fmt: skip


@overload
def sample_size(
    *, parameters: int, prevalence: float, csrsquared: float | None = None, nagrsquared: float | None = None,
    cstatistic: float | None = None, shrinkage: float = 0.9, optimism: float = 0.05, margin: float = 0.05,
) -> PredictionSampleSize: ...  # fmt: skip


def sample_size(
    odds_ratio: float | None = None,
    *,
    probability: float | None = None,
    n: float | None = None,
    power: float | None = None,
    distribution: str = "normal",
    share: float | None = None,
    r2_other: float = 0.0,
    alpha: float = 0.05,
    method: str = "hsieh",
    parameters: int | None = None,
    prevalence: float | None = None,
    csrsquared: float | None = None,
    nagrsquared: float | None = None,
    cstatistic: float | None = None,
    shrinkage: float = 0.9,
    optimism: float = 0.05,
    margin: float = 0.05,
) -> EffectSampleSize | PredictionSampleSize:
    """How many observations a test of one effect, or a prediction model, needs.

    With `probability`, the two-sided test of one covariate's coefficient: of `odds_ratio`, `n` and `power` two are given (power
    is 0.8 where only the odds ratio is) and the third is found. With `parameters`, a prediction model by the criteria of
    Riley et al., as ``pmsampsize`` in R and Stata.

    Parameters
    ----------
    odds_ratio : float, optional
        Effect of one standard deviation of the covariate, or of 1 against 0 of a binary one.
    probability : float
        Share of events at the covariate's mean, or where a binary covariate is 0.
    n : float, optional
        Observations there are.
    power : float, optional
        Chance of finding the effect.
    distribution : {"normal", "uniform", "binary"}
        Of the covariate.
    share : float, optional
        Of ones of a binary covariate.
    r2_other : float
        Squared multiple correlation of the covariate with the others: the variance grows by 1 / (1 - r2_other).
    alpha : float
        Size of the two-sided test.
    method : {"hsieh", "demidenko"}
        The approximations of Hsieh, Bloch and Larsen, or the exact large-sample variance (Demidenko).
    parameters : int
        Candidate parameters of the prediction model, the intercept left out.
    prevalence : float
        Share of events.
    csrsquared, nagrsquared, cstatistic : float, optional
        One of them: the Cox-Snell or Nagelkerke R² or the C-statistic that is anticipated.
    shrinkage, optimism, margin : float
        Smallest expected shrinkage, largest optimism in Nagelkerke's R², margin of error of the overall share.

    Returns
    -------
    EffectSampleSize or PredictionSampleSize

    Raises
    ------
    DataError
        If a number is out of its range, or too many or too few are given.

    References
    ----------
    Hsieh, Bloch and Larsen (1998), Statistics in Medicine 17, 1623-1634, formulas (1) and (2). Demidenko (2007), Statistics in
    Medicine 26, 3385-3397. Riley et al. (2019), Statistics in Medicine 38, 1276-1296.

    Examples
    --------
    >>> import logit_stats as ls
    >>> ls.sample_size(odds_ratio=1.5, probability=0.3, power=0.9)
    305 observations (93 events expected): power 0.9006
    to find an odds ratio of 1.5 for one standard deviation, two-sided test of size
      0.05.
    Covariate normal, 0.3 events at its mean. Hsieh, Bloch and Larsen (1998).
    >>> ls.sample_size(parameters=24, prevalence=0.174, csrsquared=0.288).n
    662
    """
    of_test = {"odds_ratio": odds_ratio, "probability": probability, "n": n, "power": power, "share": share}
    of_model = {"parameters": parameters, "prevalence": prevalence, "csrsquared": csrsquared, "nagrsquared": nagrsquared,
                "cstatistic": cstatistic}  # fmt: skip
    tested = [name for name, value in of_test.items() if value is not None]
    modelled = [name for name, value in of_model.items() if value is not None]
    if tested and modelled:
        raise DataError(
            f"{tested[0]}= belongs to the test of one effect, {modelled[0]}= to a prediction model; ask for one of them."
        )
    if modelled:
        return _for_prediction(parameters, prevalence, csrsquared, nagrsquared, cstatistic, shrinkage, optimism, margin)
    return _for_effect(odds_ratio, probability, n, power, distribution, share, r2_other, alpha, method)


def _for_effect(
    odds_ratio: float | None, probability: float | None, n: float | None, power: float | None, distribution: str,
    share: float | None, r2_other: float, alpha: float, method: str,
) -> EffectSampleSize:  # fmt: skip
    check_choice("distribution", distribution, DISTRIBUTIONS)
    check_choice("method", method, METHODS)
    if distribution == "uniform" and method == "hsieh":
        raise DataError("Hsieh's formula is for a normal or a binary covariate; ask method='demidenko'.")
    if (share is not None) != (distribution == "binary"):
        raise DataError("share= is the share of ones of distribution='binary', which needs it; no other takes it.")
    design = EffectDesign(
        probability=_fraction("probability", probability),
        distribution=distribution,
        share=0.5 if share is None else _fraction("share", share),
        r2_other=0.0 if r2_other == 0.0 else _fraction("r2_other", r2_other),
        alpha=_fraction("alpha", alpha),
        method=method,
    )
    if odds_ratio is not None:
        odds_ratio = _positive("odds_ratio", odds_ratio)
        if odds_ratio == 1.0:
            raise DataError("odds_ratio=1 is no effect: no number of observations finds it.")
    if n is not None:
        n = _positive("n", n)
    if n is not None and odds_ratio is not None and power is not None:
        raise DataError("Of odds_ratio, n and power two are given, and the third is found; leave one out.")
    wanted = 0.8 if power is None else _fraction("power", power)
    if n is None:
        if odds_ratio is None:
            raise DataError("Give the odds_ratio that is to be found, or n and the power with which.")
        exact = design.observations(odds_ratio, wanted)
        size = ceil(exact - _WHOLE)
        return EffectSampleSize(design, size, exact, design.power(odds_ratio, size), odds_ratio)
    if odds_ratio is None:
        odds_ratio = design.detectable(wanted, n)
    return EffectSampleSize(design, ceil(n - _WHOLE), n, design.power(odds_ratio, n), odds_ratio)


def _for_prediction(
    parameters: int | None, prevalence: float | None, csrsquared: float | None, nagrsquared: float | None,
    cstatistic: float | None, shrinkage: float, optimism: float, margin: float,
) -> PredictionSampleSize:  # fmt: skip
    if parameters is None or parameters != int(parameters) or parameters < 1:
        raise DataError(f"parameters={parameters!r} must be the number of candidate parameters, 1 or more.")
    phi = _fraction("prevalence", prevalence)
    given = [value for value in (csrsquared, nagrsquared, cstatistic) if value is not None]
    if len(given) != 1:
        raise DataError("Give one of csrsquared, nagrsquared and cstatistic: how good the model is expected to be.")
    most = largest_r2(phi)
    if csrsquared is not None:
        r2 = _fraction("csrsquared", csrsquared)
        if r2 >= most:
            raise DataError(f"csrsquared={csrsquared:g} is above {most:.4g}, the largest with prevalence {phi:g}.")
    elif nagrsquared is not None:
        r2 = _fraction("nagrsquared", nagrsquared) * most
    else:
        if not 0.5 < float(cstatistic or 0.0) < 1.0:
            raise DataError(f"cstatistic={cstatistic!r} must lie between 0.5 and 1.")
        r2 = r2_of_c_statistic(float(cstatistic or 0.0), phi)
    design = PredictionDesign(
        int(parameters),
        phi,
        r2,
        _fraction("shrinkage", shrinkage),
        _fraction("optimism", optimism),
        _fraction("margin", margin),
    )
    if design.shrinkage <= r2:
        raise DataError(f"shrinkage={shrinkage:g} must be above the R² of {r2:.4g}.")
    exact = design.exact
    table = pd.DataFrame(
        {
            "criterion": ["shrinkage", "optimism in R²", "overall share"],
            "n": [ceil(value - _WHOLE) for value in exact],
            "n_exact": exact,
            "shrinkage": [design.shrinkage, design.shrinkage_for_optimism, design.expected_shrinkage(exact[2])],
        }
    )
    return PredictionSampleSize(design, table)


def _number(argument: str, value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not np.isfinite(value)
    ):
        raise DataError(f"{argument}={value!r} must be a number.")
    return float(value)


def _fraction(argument: str, value: Any) -> float:
    if value is None:
        raise DataError(f"{argument}= is needed: a number between 0 and 1.")
    number = _number(argument, value)
    if not 0.0 < number < 1.0:
        raise DataError(f"{argument}={value!r} must lie between 0 and 1.")
    return number


def _positive(argument: str, value: Any) -> float:
    number = _number(argument, value)
    if number <= 0.0:
        raise DataError(f"{argument}={value!r} must be above zero.")
    return number


def _sizes(n: Any) -> Any:
    sizes = np.atleast_1d(np.asarray(n, dtype=np.float64))
    if sizes.ndim != 1 or not (sizes > 0.0).all():
        raise DataError("n must be numbers of observations, above zero.")
    return sizes
