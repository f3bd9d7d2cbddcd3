"""`Certificate`: what is guaranteed about the numbers of a fit.

The score is evaluated anew at the reported coefficients in extended precision. With r the largest |z_i'v| over rows for
a direction v of one standard error, the logit's third derivative along v is at most r times its second (self-concordance
in the sense of Bach 2010, Electronic J. Statistics 4, 384-414). A decrement lambda with r lambda < 1 then bounds the
distance to the maximum, in standard errors, by

    -log(1 - r lambda) / r,

and the log-likelihood is short of its maximum by at most lambda times that distance (its slope along the way is never
steeper than at the start).
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass

import numpy as np
import pandas as pd

from logit_stats.assess.conditioning import NearDependence, condition_indices
from logit_stats.design.block import Block, FloatArray
from logit_stats.design.design import Design
from logit_stats.errors import NotAvailableError
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.likelihood import TALL_ROWS
from logit_stats.likelihoods.kernel import description as kernel_name
from logit_stats.likelihoods.moments import working_columns
from logit_stats.version import versions
from logit_stats.wording import WIDTH, lines, printed


@dataclass(frozen=True, eq=False)
class Certificate:
    """Guaranteed accuracy of a fit, its conditioning, and where it came from.

    Attributes
    ----------
    decrement : float
        Newton decrement at the reported coefficients, score in extended precision.
    distance_bound : float
        Upper bound of the distance to the exact maximum in standard errors (of any coefficient, or combination).
    coefficient_digits : Series
        Decimal digits of each coefficient that are guaranteed.
    loglik_error_bound : float
        Upper bound of the distance of the log-likelihood to its maximum.
    loglik_digits : int
        Decimal digits of the log-likelihood that are guaranteed.
    condition_number : float
        Of the design columns, each scaled to unit length.
    near_dependences : tuple of NearDependence
        Condition indexes of 30 and more, with the columns that take part (variance-decomposition proportions).
    arithmetic : str
        In which the score was evaluated.
    kernel : str
        Which implementation summed over the rows.
    versions : dict of str to str
    data_hash : str
        SHA-256 of response, weights, offset and design columns, rows in order.
    """

    decrement: float
    distance_bound: float
    coefficient_digits: pd.Series
    loglik_error_bound: float
    loglik_digits: int
    condition_number: float
    near_dependences: tuple[NearDependence, ...]
    arithmetic: str
    kernel: str
    versions: dict[str, str]
    data_hash: str

    def rows(self) -> list[tuple[str, str]]:
        """Return the certificate as pairs of a label and a text."""
        digits = self.coefficient_digits
        found = [
            ("Newton decrement", f"{self.decrement:.2e}"),
            ("Error of every coefficient", f"at most {self.distance_bound:.2e} standard errors"),
            ("Guaranteed digits, coefficients", f"{int(digits.min())} or more (fewest: {digits.idxmin()})"),
            (
                "Guaranteed digits, log-likelihood",
                f"{self.loglik_digits} (error at most {self.loglik_error_bound:.1e})",
            ),
            ("Condition number", f"{self.condition_number:.4g}"),
        ]
        for near in self.near_dependences:
            shares = ", ".join(f"{name} {share:.3f}" for name, share in near.shares.items())
            found.append((f"Near-dependence, index {near.condition_index:.3g}", shares))
        found += [
            ("Score evaluated in", self.arithmetic),
            ("Kernel", self.kernel),
            ("Versions", ", ".join(f"{name} {version}" for name, version in self.versions.items())),
            ("Data (SHA-256)", self.data_hash),
        ]
        return found

    @printed
    def __str__(self) -> str:
        rows = self.rows()
        width = max(len(label) for label, _ in rows)
        return "\n".join(["Certificate of the fit", *[_line(label, text, width) for label, text in rows]])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from html import escape

        body = "".join(f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>" for label, text in self.rows())
        return f"<table><caption>Certificate of the fit</caption>{body}</table>"


def _line(label: str, text: str, width: int) -> str:
    # what has no place beside its label, such as the hash, stands below it
    place = width + 4 if width + 4 + max(map(len, text.split())) <= WIDTH else 4
    return lines(f"  {label:<{width}}  {text}", " " * place)


def certificate(fit: Fit) -> Certificate:
    """Certify a fit.

    The guarantee covers the solution of the likelihood equations for the design columns as the numbers they are; it
    says nothing about whether the model is right.
    """
    score, loglik = _score_in_extended_precision(fit)
    V = fit.covariance_working
    step = V @ score
    decrement = float(np.sqrt(max(float(score @ step), 0.0)))
    reach = fit.design.reduce(lambda block: _Largest.of(block, fit, V), rows=TALL_ROWS).value
    # the information itself is known to about eps times its condition number squared
    slack = 1.0 + fit.condition**2 * np.finfo(np.float64).eps
    scaled = reach * decrement * slack
    distance = float(-np.log1p(-scaled) / reach) if 0.0 < scaled < 1.0 else (0.0 if scaled == 0.0 else float("inf"))
    beta = fit.beta
    se = fit.standard_errors
    # coefficients are stored in double precision: no more than 15 digits are theirs to give
    rounding = np.abs(beta) * np.finfo(np.float64).eps
    digits = _digits(np.abs(beta), se * distance + rounding)
    error = decrement * distance if np.isfinite(distance) else float("inf")
    error += abs(fit.loglik - loglik) + abs(loglik) * np.finfo(np.float64).eps
    condition, near = _conditioning(fit.design)
    return Certificate(
        decrement=decrement,
        distance_bound=distance,
        coefficient_digits=pd.Series(digits, index=list(fit.design.names), name="digits"),
        loglik_error_bound=error,
        loglik_digits=int(_digits(np.array([abs(fit.loglik)]), np.array([error]))[0]),
        condition_number=condition,
        near_dependences=near,
        arithmetic=_arithmetic(),
        kernel=kernel_name(),
        versions=_versions(),
        data_hash=data_hash(fit.design),
    )


@dataclass(frozen=True, slots=True)
class _Largest:
    """A maximum over rows, as a sum is: adding two takes the larger."""

    value: float

    def __add__(self, other: _Largest) -> _Largest:
        return _Largest(max(self.value, other.value))

    @classmethod
    def of(cls, block: Block, fit: Fit, V: FloatArray) -> _Largest:
        """Largest length of a row in standard errors, sqrt(z' V z)."""
        Z = working_columns(block.X, fit.working.center, fit.working.scale)
        return cls(float(np.sqrt(np.einsum("ij,ij->i", Z @ V, Z).max(initial=0.0))))


def _arithmetic() -> str:
    bits = np.finfo(np.longdouble).nmant + 1
    return f"{bits}-bit significands" + (" (this platform has no longer type)" if bits <= 53 else "")


def _score_in_extended_precision(fit: Fit) -> tuple[FloatArray, float]:
    """Score in the working columns, and the log-likelihood, summed in the longest type the platform has."""
    long = np.longdouble
    gamma = fit.gamma.astype(long)
    score = np.zeros(len(gamma), dtype=long)
    loglik = long(0)
    center = None if fit.working.center is None else fit.working.center.astype(long)
    scale = None if fit.working.scale is None else fit.working.scale.astype(long)
    for block in fit.design.blocks(TALL_ROWS):
        Z = working_columns(block.X.astype(long), center, scale)  # type: ignore[arg-type]
        eta = Z @ gamma
        if block.offset is not None:
            eta += block.offset
        e = np.exp(-np.abs(eta))
        prob, complement = np.where(eta >= 0, 1, e) / (1 + e), np.where(eta >= 0, e, 1) / (1 + e)
        m = long(1) if block.trials is None else block.trials
        failures = m - block.successes
        u = block.successes * complement - failures * prob
        terms = block.successes * np.minimum(eta, 0) - failures * np.maximum(eta, 0) - m * np.log1p(e)
        if block.weight is not None:
            u, terms = u * block.weight, terms * block.weight
        score += u @ Z
        loglik += terms.sum()
    return score.astype(np.float64), float(loglik)


def _digits(size: FloatArray, error: FloatArray) -> FloatArray:
    """Whole decimal digits that an absolute error leaves of numbers of some size, between 0 and 15."""
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = np.floor(-np.log10(2.0 * error / size))
    return np.asarray(np.clip(np.nan_to_num(digits, nan=0.0, posinf=15.0, neginf=0.0), 0, 15).astype(int))


def _conditioning(design: Design) -> tuple[float, tuple[NearDependence, ...]]:
    """Condition number of the columns at unit length, and the near-dependences."""
    try:
        found = condition_indices(design)
    except NotAvailableError:
        return float("nan"), ()
    return float(found.index[-1]), found.near_dependences


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), **versions()}


def data_hash(design: Design) -> str:
    """SHA-256 of the rows: outcomes, weights, offset and columns."""
    digest = hashlib.sha256()
    digest.update(repr((design.rows, design.names)).encode())
    for block in design.blocks(TALL_ROWS):
        for part in (block.successes, block.trials, block.weight, block.offset):
            digest.update(b"-" if part is None else np.ascontiguousarray(part).data)
        digest.update(np.ascontiguousarray(block.X).data)
    return digest.hexdigest()
