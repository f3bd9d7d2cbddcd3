"""From a design with absorbed effects to its `Fit`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.matched import without_rows_of
from logit_stats.errors import ConvergenceWarning, DataError, OneClassError, SeparationError, listed, listed_rows
from logit_stats.estimation.fit import Fit
from logit_stats.estimation.trace import Step, Trace
from logit_stats.likelihoods.absorbed import AbsorbedEffects
from logit_stats.likelihoods.absorbed_maximum import Absorbed, bias_correction, maximum, without_variation
from logit_stats.likelihoods.group_effects import Grouping, IntArray
from logit_stats.likelihoods.null import NullModel
from logit_stats.likelihoods.working import WorkingColumns

# Share of a row's step that the columns must make for them to take part in a separation.
TAKES_PART = 1e-3


@dataclass(frozen=True, eq=False)
class AbsorbedFit(Fit):
    """A maximum-likelihood fit with absorbed effects, its coefficients corrected for their bias or not.

    Attributes
    ----------
    absorbed : Absorbed
        The maximum, effects included, rows in the likelihood's order.
    correction : (k,) or None
        What the analytical bias correction added to the coefficients.
    """

    absorbed: Absorbed = field(kw_only=True)
    correction: FloatArray | None = field(default=None, kw_only=True)

    @property
    def effects(self) -> AbsorbedEffects:
        """The likelihood, which knows the groups."""
        return cast(AbsorbedEffects, self.design.likelihood)

    @property
    def absorbed_parameters(self) -> int:
        """Number of effects that are told apart."""
        return self.effects.grouping.independent

    @property
    def eta(self) -> FloatArray:
        """(n,) linear predictor at the maximum, effects included."""
        return self.effects.in_rows_order(self.absorbed.terms.eta)

    @property
    def plain(self) -> Fit:
        """The same fit in columns cleared of the groups, everything else a known part: what sums over rows are made of."""
        from logit_stats.design.row_numbers import RowNumbers

        design = self.design
        within = self.effects.in_rows_order(self.absorbed.within)
        known = RowNumbers("offset", None, self.eta - within @ self.gamma)
        cleared = replace(design, X=within, likelihood=None, offset=known, constant=None, formula=None)
        values = {name: getattr(self, name) for name in Fit.__dataclass_fields__ if name != "design"}
        return Fit(design=cleared, **values)


def absorbed_fit(
    design: Design,
    *,
    start: FloatArray | None = None,
    maxiter: int = 35,
    tol: float = 1e-9,
    corrected: bool = False,
    stacklevel: int = 3,
) -> AbsorbedFit:
    """Fit a logit with absorbed effects.

    Parameters
    ----------
    design : Design
        Whose likelihood is `AbsorbedEffects`, of groups with variation.
    start : (k,), optional
    maxiter : int
    tol : float
        Distance to the maximum, in standard errors.
    corrected : bool
        Whether Fernandez-Val and Weidner's correction is added.

    Raises
    ------
    SeparationError
        If columns and groups together predict some outcomes perfectly.

    Warns
    -----
    ConvergenceWarning
    """
    effects = cast(AbsorbedEffects, design.likelihood)
    rows = effects.rows_of(design)
    if start is not None and np.shape(start) != (design.columns,):
        raise DataError(f"start_params must be {design.columns} numbers, one for each column.")
    found = maximum(rows, beta=start, maxiter=maxiter, tol=tol)
    if found.separated is not None and (found.moving > TAKES_PART).any():
        raise _separation(design, effects, found)
    if found.separated is not None:
        predicted = effects.in_rows_order(found.separated)
        left = absorbing(*_without_predicted(design, effects, predicted), effects.factors)
        return absorbed_fit(left, start=start, maxiter=maxiter, tol=tol, corrected=corrected, stacklevel=stacklevel + 1)
    if not found.converged:
        warnings.warn(
            f"The iterations stopped after {found.iterations} steps, {found.decrement:.2g} standard errors from the maximum: "
            f"raise maxiter.",
            ConvergenceWarning,
            stacklevel=stacklevel,
        )
    effects.remember(design, found.beta, found)
    null = effects.null(design, False)
    correction = bias_correction(rows, found) if corrected else None
    return AbsorbedFit(
        design=design,
        working=WorkingColumns(),
        gamma=found.beta if correction is None else found.beta + correction,
        information_working=found.information,
        loglik=found.terms.loglik,
        max_abs_eta=float(np.abs(found.terms.eta).max()),
        null=cast(NullModel, null),
        constant_in_span=False,
        method="newton",
        converged=found.converged,
        iterations=found.iterations,
        decrement=found.decrement,
        trace=Trace(tuple(Step(*part) for part in found.path), "", design.outcomes),
        maximum=not corrected,
        absorbed=found,
        correction=correction,
    )


def _separation(design: Design, effects: AbsorbedEffects, found: Absorbed) -> SeparationError:
    assert found.separated is not None
    rows = np.asarray(design.index)[np.sort(effects.order[found.separated])]
    names = [name for name, moved in zip(design.names, found.moving, strict=True) if moved > TAKES_PART]
    return SeparationError(
        f"Separation: {listed(names)} and the effects of {' and '.join(effects.factors)} together predict {len(rows)} of "
        f"{design.rows} rows perfectly (row {listed_rows(rows)}), so that there is no finite maximum-likelihood estimate. Leave "
        f"such columns out or join their levels; for one grouping clogit() has exact() one-sided limits."
    )


def absorbing(design: Design, codes: Sequence[IntArray], factors: tuple[str, ...]) -> Design:
    """The design with the effects of groups absorbed: rows of groups without variation left out, the constant too.

    Parameters
    ----------
    design : Design
    codes : sequence of (n,) int
        Group of every row, factor by factor.
    factors : tuple of str
        Their names.

    Raises
    ------
    OneClassError
        If no group has both outcomes.
    """
    weight = np.ones(design.rows) if design.weight is None else design.weight.values
    trials = weight if design.response.trials is None else weight * design.response.trials
    lost = without_variation(codes, weight * design.response.successes, trials)
    idle = np.logical_or.reduce(lost)
    if idle.all():
        raise OneClassError(
            f"No group of {' and '.join(factors)} has both outcomes: a group of only events, or of none, says nothing. Check "
            f"that {factors[0]!r} joins rows."
        )
    design = without_rows_of(design, lost, "uninformative", factors)
    kept = [pd.factorize(of_factor[~idle])[0].astype(np.intp) for of_factor in codes]
    by_size = sorted(range(len(kept)), key=lambda f: -int(kept[f].max()))
    order = np.argsort(kept[by_size[0]], kind="stable").astype(np.intp)
    grouping = Grouping(tuple(kept[f][order] for f in by_size), tuple(int(kept[f].max()) + 1 for f in by_size))
    likelihood = AbsorbedEffects(tuple(factors[f] for f in by_size), grouping, order)
    return replace(design, likelihood=likelihood).without_constant()


def _without_predicted(
    design: Design, effects: AbsorbedEffects, predicted: NDArray[np.bool_]
) -> tuple[Design, list[IntArray]]:
    """The design without rows that effects alone predict perfectly (no coefficient depends on them), and the others' groups."""
    name = f"groups of {' and '.join(effects.factors)} that together predict them, thus"
    codes = [effects.in_rows_order(of_factor)[~predicted] for of_factor in effects.grouping.codes]
    return without_rows_of(replace(design, likelihood=None), [predicted], "uninformative", (name,)), codes
