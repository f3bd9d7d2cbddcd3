"""From rows with random terms to a `MixedFit`: the marginal likelihood maximised, effects predicted."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.random_columns import RandomPart
from logit_stats.errors import (
    ConvergenceWarning,
    DataError,
    EstimationError,
    NotAvailableError,
    SeparationError,
    WeightError,
)
from logit_stats.estimation.clusters import clustered_rows
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.marginal_newton import Marginal, maximise
from logit_stats.estimation.maximum_likelihood import maximum_likelihood
from logit_stats.estimation.random_blocks import Grouping, RandomBlocks
from logit_stats.estimation.random_effect import MarginalPoint, RandomEffect

# A standard deviation (of what an effect adds to the log odds) below this is zero, one above has no bound.
ZERO_SD, ENDLESS_SD = 1e-4, 60.0
PERFECT_CORRELATION = 1.0 - 1e-6
# Effects beyond those of the grouping with the most levels that a dense matrix is worked out for.
MOST_EFFECTS = 5000


@dataclass(frozen=True, eq=False)
class RandomLayout:
    """Random terms gathered by grouping, and where their parameters stand.

    Attributes
    ----------
    names : tuple of str
        Groupings, the one with the most levels first.
    parts : tuple of tuple of RandomPart
        The terms of each.
    templates : tuple of (q, q) int
        Positions of the entries of each lower-triangular factor among theta; -1 where zero.
    """

    names: tuple[str, ...]
    parts: tuple[tuple[RandomPart, ...], ...]
    templates: tuple[NDArray[np.intp], ...]

    @property
    def parameters(self) -> int:
        """Number of parameters theta."""
        return 1 + max(int(t.max()) for t in self.templates)

    def columns(self, g: int) -> tuple[str, ...]:
        """Names of the effects of a grouping."""
        return tuple(name for part in self.parts[g] for name in part.names)

    def Z(self, g: int) -> FloatArray:
        """(n, q) columns of a grouping."""
        return np.column_stack([part.Z for part in self.parts[g]])

    def labels(self, g: int) -> tuple[object, ...]:
        """What the levels of a grouping are called."""
        return self.parts[g][0].labels

    def codes(self, g: int) -> NDArray[np.intp]:
        """(n,) level of each row."""
        return self.parts[g][0].codes

    def without_rows(self) -> RandomLayout:
        """Return the layout without rows."""
        return replace(self, parts=tuple(tuple(part.without_rows() for part in parts) for parts in self.parts))


def layout_of(parts: Sequence[RandomPart]) -> RandomLayout:
    """Gather terms by grouping."""
    by_name: dict[str, list[RandomPart]] = {}
    for part in parts:
        by_name.setdefault(part.term.grouping, []).append(part)
    order = sorted(by_name, key=lambda name: -len(by_name[name][0].labels))
    templates, used = [], 0
    for name in order:
        sizes = [len(part.names) for part in by_name[name]]
        template = np.full((sum(sizes), sum(sizes)), -1, dtype=np.intp)
        first = 0
        for part, q in zip(by_name[name], sizes, strict=True):
            for j in range(q):
                for i in range(j, q if part.term.correlated else j + 1):
                    template[first + i, first + j] = used
                    used += 1
            first += q
        templates.append(template)
    return RandomLayout(tuple(order), tuple(tuple(by_name[name]) for name in order), tuple(templates))


@dataclass(frozen=True, eq=False)
class GroupEffects:
    """Predicted effects of the levels of a grouping.

    Attributes
    ----------
    factor : (q, q)
        Lower-triangular factor of the covariance of the effects.
    modes : (levels, q)
        Conditional modes.
    covariances : (levels, q, q)
        Their conditional covariances.
    rows : (levels,)
        Number of rows of each level.
    """

    factor: FloatArray
    modes: FloatArray
    covariances: FloatArray
    rows: NDArray[np.intp]

    @property
    def covariance(self) -> FloatArray:
        """(q, q) covariance of the effects."""
        return np.asarray(self.factor @ self.factor.T)


@dataclass(frozen=True, eq=False)
class MixedFit(Fit):
    """A maximum of the marginal likelihood; `gamma` are the coefficients of the fixed part.

    Attributes
    ----------
    psi : (p,)
        Working coefficients, then theta.
    information_psi : (p, p)
        Observed information of psi.
    layout : RandomLayout
    effects : tuple of GroupEffects
        For each grouping.
    points : int
        Number of quadrature points; 1 for Laplace's approximation.
    loglik_independent : float
        Log-likelihood without random effects.
    marginal : Marginal or None
        The likelihood itself; None where the rows were taken out.
    sizes : tuple of (q,)
        Root mean square of what each effect multiplies.
    """

    psi: FloatArray = field(kw_only=True)
    information_psi: FloatArray = field(kw_only=True)
    layout: RandomLayout = field(kw_only=True)
    effects: tuple[GroupEffects, ...] = field(kw_only=True)
    points: int = field(kw_only=True)
    loglik_independent: float = field(kw_only=True)
    marginal: Marginal | None = field(kw_only=True)
    sizes: tuple[FloatArray, ...] = field(kw_only=True)

    @property
    def theta(self) -> FloatArray:
        """(t,) parameters of the random effects."""
        return self.psi[len(self.gamma) :]

    @property
    def deviance_of_counts(self) -> None:
        """None: the likelihood is that of groups, not of rows at their linear predictors."""

    @property
    def free_parameters(self) -> int:
        """Number of coefficients and of parameters of random effects."""
        return len(self.psi)

    @cached_property
    def covariance_psi(self) -> FloatArray:
        """(p, p) covariance of psi: the inverse of the observed information."""
        return inverse_information(self.information_psi)

    @cached_property
    def _ill_conditioned_root(self) -> FloatArray | None:
        return None

    def without_rows(self) -> Self:
        """Return the same fit without its rows."""
        kept = {"covariance_psi": self.covariance_psi}
        fit = replace(super().without_rows(), marginal=None, layout=self.layout.without_rows())
        values = {name: v for name, v in self.__dict__.items() if name not in ("design", "marginal", "layout", "facts")}
        fit.__dict__.update({**values, **kept})
        return fit


def inverse_information(information: FloatArray) -> FloatArray:
    """Inverse of an information matrix; zero in directions that the data say nothing of."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diag(information)), 1e-300))
    values, vectors = np.linalg.eigh(information * scale * scale[:, None])
    inverse = np.where(values > 1e-10 * values.max(), 1.0 / np.where(values > 0, values, 1.0), 0.0)
    return np.asarray((vectors * inverse) @ vectors.T * scale * scale[:, None])


def mixed_fit(
    design: Design,
    parts: Sequence[RandomPart],
    points: int = 1,
    *,
    start: FloatArray | None = None,
    maxiter: int = 60,
    check_rank: bool | str = True,
) -> MixedFit:
    """Fit the model.

    Parameters
    ----------
    design : Design
        The fixed part.
    parts : sequence of RandomPart
    points : int
        Number of quadrature points.
    start : (t,), optional
        Parameters of the random effects to start from.
    maxiter : int
    check_rank : bool or "drop"

    Raises
    ------
    SeparationError, EstimationError
        If there is no finite estimate.
    DataError
        If there is a single group, or nothing that repeats within groups.
    NotAvailableError
        If quadrature is asked for with more than one random effect.
    """
    layout = layout_of(parts)
    first = _independent(design, check_rank)
    check_groups(first.design, layout, points)
    marginal = marginal_likelihood(first, layout, points)
    theta = _start(layout) if start is None else np.asarray(start, dtype=np.float64)
    best = maximise(marginal, np.concatenate([first.gamma, theta]), maxiter=maxiter)
    _refuse_endless(layout, best.point.psi[len(first.gamma) :])
    if not best.converged:
        warnings.warn(
            f"The marginal likelihood was not maximised in {best.iterations} iterations: {best.decrement:.2g} standard errors "
            f"are left. Raise maxiter=, or leave a random term out.",
            ConvergenceWarning,
            stacklevel=3,
        )
    psi, information, modes = _signed(layout, best.point, best.information, len(first.gamma))
    point = replace(best.point, psi=psi, modes=modes)
    fixed = inverse_information(information)[: len(first.gamma), : len(first.gamma)]
    return MixedFit(
        design=first.design,
        working=first.working,
        gamma=psi[: len(first.gamma)],
        information_working=np.asarray(np.linalg.inv(fixed), dtype=np.float64),
        loglik=best.point.value,
        max_abs_eta=first.max_abs_eta,
        null=first.null,
        constant_in_span=first.constant_in_span,
        method="Laplace" if points == 1 else "quadrature",
        converged=best.converged,
        iterations=best.iterations,
        decrement=best.decrement,
        trace=first.trace,
        psi=psi,
        information_psi=information,
        layout=layout,
        effects=_effects(layout, marginal, point, len(first.gamma)),
        points=points,
        loglik_independent=first.loglik,
        marginal=marginal,
        sizes=tuple(_size(layout.Z(g)) for g in range(len(layout.names))),
    )


def _independent(design: Design, check_rank: bool | str) -> Fit:
    try:
        return maximum_likelihood(design, check_rank=check_rank, stacklevel=4)
    except SeparationError as error:
        said = str(error).split(" Use the limit itself")[0]
        raise SeparationError(
            f"{said} Random effects do not change that: join sparse levels, leave the columns out, or see what logit() has "
            f"(fit_firth(), fit_limit()) for independent rows.",
            error.separation,
        ) from None


def marginal_likelihood(first: Fit, layout: RandomLayout, points: int, X: FloatArray | None = None) -> Marginal:
    """The marginal likelihood of a design in the solver's columns, or in others."""
    design, response = first.design, first.design.response
    X = np.asarray(first.working.columns(design.X)) if X is None else X
    trials = np.ones(design.rows) if response.trials is None else response.trials
    offset = np.zeros(design.rows) if design.offset is None else design.offset.values
    copies = np.ones(design.rows) if design.frequency is None else design.frequency
    if len(layout.names) == 1 and layout.Z(0).shape[1] == 1:
        rows = clustered_rows(
            X, response.successes / trials, layout.codes(0), trials=trials, offset=offset, copies=copies
        )
        return RandomEffect(rows, layout.Z(0)[rows.order, 0], points)
    groupings = tuple(
        Grouping(layout.codes(g), len(layout.labels(g)), layout.Z(g), layout.templates[g])
        for g in range(len(layout.names))
    )
    return RandomBlocks(X, response.successes, trials, offset, groupings, copies)


def check_groups(design: Design, layout: RandomLayout, points: int) -> None:
    """Refuse groups that say nothing of an effect."""
    if points < 1:
        raise DataError(f"quadrature={points} must be 1 (Laplace's approximation) or a larger whole number.")
    several = len(layout.names) > 1 or layout.Z(0).shape[1] > 1
    if points > 1 and several:
        raise NotAvailableError(
            f"quadrature={points} is for one random effect of one grouping; with several, Laplace's approximation is used "
            f"(quadrature=1)."
        )
    if sum(len(layout.labels(g)) * layout.Z(g).shape[1] for g in range(1, len(layout.names))) > MOST_EFFECTS:
        raise NotAvailableError(
            f"The groupings {', '.join(layout.names[1:])} have more than {MOST_EFFECTS} levels together, beside those of "
            f"{layout.names[0]}: their joint covariance would need too much memory."
        )
    for g, name in enumerate(layout.names):
        _check_grouping(design, name, layout.codes(g), len(layout.labels(g)))
    if design.frequency is not None:
        _check_copies(design, layout)


def _check_grouping(design: Design, name: str, codes: NDArray[np.intp], levels: int) -> None:
    if levels < 2:
        raise DataError(
            f"{name!r} has a single group: a variance between groups needs two at the least, better 10. Use logit()."
        )
    trials = design.response.trials
    sizes = np.bincount(codes, minlength=levels)
    if sizes.max() == 1 and (trials is None or (trials == 1).all()):
        raise DataError(
            f"Every {name} has a single row: nothing repeats within groups, and a variance between groups cannot be told from "
            f"the outcomes' own. Use logit()."
        )
    outcomes = trials if trials is not None else np.ones(design.rows)
    successes = np.bincount(codes, design.response.successes, levels)
    total = np.bincount(codes, outcomes, levels)
    if ((successes == 0) | (successes == total)).all():
        raise EstimationError(
            f"In every {name} all outcomes are the same: the larger the variance between groups, the larger the likelihood, so "
            f"there is no finite estimate. Take the group as the observation: logit() on one row for each."
        )


def _check_copies(design: Design, layout: RandomLayout) -> None:
    if len(layout.names) > 1:
        raise WeightError(
            "freq_weights stand for identical groups, which crossed or nested groupings cannot have: expand the rows, or "
            "give trials=."
        )
    copies, codes = design.frequency, layout.codes(0)
    assert copies is not None
    first = np.zeros(len(layout.labels(0)))
    first[codes] = copies
    if (first[codes] != copies).any():
        label = layout.labels(0)[int(codes[first[codes] != copies][0])]
        raise WeightError(
            f"freq_weights vary within {layout.names[0]} {label!r}: a frequency weight stands for that many identical groups, "
            f"and must be the same in all rows of a group. Expand the rows, or give trials=."
        )


def _start(layout: RandomLayout) -> FloatArray:
    """Standard deviations that move the log odds by one; no correlations."""
    theta = np.zeros(layout.parameters)
    for g, template in enumerate(layout.templates):
        size = _size(layout.Z(g))
        theta[np.diag(template)] = 1.0 / np.where(size > 0, size, 1.0)
    return theta


def _size(Z: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((Z**2).mean(axis=0)))


def _refuse_endless(layout: RandomLayout, theta: FloatArray) -> None:
    for g, template in enumerate(layout.templates):
        factor = np.where(template >= 0, theta[np.maximum(template, 0)], 0.0)
        sd = np.sqrt((factor**2).sum(axis=1)) * _size(layout.Z(g))
        if (sd > ENDLESS_SD).any():
            name = layout.columns(g)[int(sd.argmax())]
            raise EstimationError(
                f"The standard deviation of the random effect {name} of {layout.names[g]} grows without an end: within groups "
                f"the outcomes are predicted perfectly, or nearly. Leave it out, or join groups."
            )


def _signed(
    layout: RandomLayout, point: MarginalPoint, information: FloatArray, k: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Parameters, information and modes with standard deviations that are not negative: a factor's columns have no sign."""
    sign = np.ones(len(point.psi))
    modes, start = point.modes.copy(), 0
    for g, template in enumerate(layout.templates):
        q, levels = len(template), len(layout.labels(g))
        for j in range(q):
            if point.psi[k + template[j, j]] < 0.0:
                sign[k + template[template[:, j] >= 0, j]] = -1.0
                modes[start + j : start + levels * q : q] *= -1.0
        start += levels * q
    return point.psi * sign, information * sign * sign[:, None], modes


def _effects(layout: RandomLayout, marginal: Marginal, point: MarginalPoint, k: int) -> tuple[GroupEffects, ...]:
    theta = point.psi[k:]
    if isinstance(marginal, RandomEffect):
        spread = [marginal.mode_errors(point)[:, None, None] ** 2]
    else:
        assert isinstance(marginal, RandomBlocks)
        spread = marginal.mode_covariances(point)
    found, start = [], 0
    for g, template in enumerate(layout.templates):
        q, levels = len(template), len(layout.labels(g))
        factor = np.where(template >= 0, theta[np.maximum(template, 0)], 0.0)
        u = point.modes[start : start + levels * q].reshape(levels, q)
        rows = np.bincount(layout.codes(g), minlength=levels)
        found.append(GroupEffects(factor, u @ factor.T, factor @ spread[g] @ factor.T, rows))
        start += levels * q
    return tuple(found)
