"""Standardized coefficients: changes of the log odds (or of the latent variable) for a standard deviation of a column.

With s_j the standard deviation of column j and b_j its coefficient:

    x        b_j s_j                              log odds per standard deviation of x (its exponential: an odds ratio)
    logistic b_j s_j / (pi / sqrt 3)              as SAS's PROC LOGISTIC prints: the logistic error has that standard deviation
    latent   b_j s_j / sqrt(var(eta) + pi² / 3)   standard deviations of the latent response (McKelvey and Zavoina 1975, J. of
                                                  Mathematical Sociology 4, 103-120; Long 1997, section 3.3)
    menard   b_j s_j R / sd(eta)                  R the correlation of outcome and probability (Menard 2004, The American
                                                  Statistician 58, 218-223)

Standard errors take the standard deviations and the denominators as fixed: they are those of b_j in other units.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.estimation.fit import Fit
from logit_stats.inference.covariance import Covariance
from logit_stats.likelihoods.rows import probability

LOGISTIC_SD = float(np.pi / np.sqrt(3.0))


def standardized_coefficients(fit: Fit, cov: Covariance) -> pd.DataFrame:
    """Standardized coefficients of all columns but the constant.

    Returns
    -------
    DataFrame
        By column: coef, sd (of the column), x, std_error (of `x`), odds_ratio (exp(x)), logistic, latent, menard.
    """
    fit.facts.require("standardized()", "binary")
    design = fit.design
    weight = design.row_weight
    columns = [j for j in range(design.columns) if j != design.constant]
    sd = np.array([_sd(np.asarray(design.X[:, j]), weight) for j in columns])
    eta = fit.eta
    proportion = design.response.proportions
    latent = float(np.sqrt(_variance(eta, weight) + np.pi**2 / 3.0))
    menard = _correlation(proportion, probability(eta), weight, _outcome_variance(proportion, weight)) / _sd(
        eta, weight
    )
    x = fit.beta[columns] * sd
    values = {
        "coef": fit.beta[columns],
        "sd": sd,
        "x": x,
        "std_error": cov.standard_errors[columns] * sd,
        "odds_ratio": np.exp(x),
        "logistic": x / LOGISTIC_SD,
        "latent": x / latent,
        "menard": x * menard,
    }
    return pd.DataFrame(values, index=[design.names[j] for j in columns])


def _variance(values: FloatArray, weight: FloatArray) -> float:
    """Variance over the observations, divisor n - 1."""
    size = float(weight.sum())
    mean = float(weight @ values) / size
    return float(weight @ (values - mean) ** 2) / (size - 1.0)


def _sd(values: FloatArray, weight: FloatArray) -> float:
    return float(np.sqrt(_variance(values, weight)))


def _outcome_variance(proportion: FloatArray, weight: FloatArray) -> float:
    """Variance of the single outcomes, of grouped rows too."""
    size = float(weight.sum())
    mean = float(weight @ proportion) / size
    return mean * (1.0 - mean) * size / (size - 1.0)


def _correlation(y: FloatArray, p: FloatArray, weight: FloatArray, variance_y: float) -> float:
    size = float(weight.sum())
    product = float(weight @ ((y - weight @ y / size) * (p - weight @ p / size))) / (size - 1.0)
    return float(product / np.sqrt(variance_y * _variance(p, weight)))
