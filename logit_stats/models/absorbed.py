"""`AbsorbedLogit`: the logit with fixed effects of very many groups, which never stand as columns."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.formula import capture_scope, scope_of
from logit_stats.design.from_arrays import design_from_arrays
from logit_stats.design.from_formula import design_from_formula
from logit_stats.design.matched import group_codes
from logit_stats.design.row_arguments import RowArguments
from logit_stats.errors import DataError, RankDeficientError, RankWarning, WeightError, check_choice, listed
from logit_stats.estimation.absorbed import absorbed_fit, absorbing
from logit_stats.estimation.likelihood import moments
from logit_stats.estimation.rank import dependent_columns, rank_error
from logit_stats.inference.absorbed_covariance import ABSORBED_COV_TYPES, absorbed_covariance
from logit_stats.likelihoods.absorbed import AbsorbedEffects
from logit_stats.likelihoods.group_effects import EffectsSolver
from logit_stats.likelihoods.moments import Moments
from logit_stats.likelihoods.working import WorkingColumns
from logit_stats.models.base import DesignModel

if TYPE_CHECKING:
    from logit_stats.results.absorbed import AbsorbedLogitResults

CORRECTIONS = (None, "analytical")
# A column of which the groups leave no more than this does not vary within them.
CONSTANT = 1e-9


class AbsorbedLogit(DesignModel):
    """Logit with a fixed effect for every group of one factor or several, by unconditional maximum likelihood.

    Parameters
    ----------
    endog, exog, offset, freq_weights, trials, missing, check_rank
        As for `Logit`. A constant is one of the effects.
    absorb : (n,) array_like, or a table or list of several
        Groups of each row.
    bias_correction : {None, "analytical"}
        With few rows a group the coefficients are biased away from zero (the incidental-parameters problem); the analytical
        correction of Fernandez-Val and Weidner removes the leading term.

    References
    ----------
    Stammann (2018), Fast and feasible estimation of generalized linear models with high-dimensional k-way fixed effects;
    Fernandez-Val and Weidner (2016), Journal of Econometrics 192, 291-312.
    """

    def __init__(
        self,
        endog: Any,
        exog: Any,
        *,
        absorb: Any,
        bias_correction: str | None = None,
        offset: Any = None,
        freq_weights: Any = None,
        trials: Any = None,
        missing: str = "none",
        check_rank: bool | str = True,
    ) -> None:
        arguments = RowArguments(offset=offset, freq_weights=freq_weights, trials=trials, missing=missing)
        design = design_from_arrays(endog, exog, arguments, refuse_wide=False)
        self._absorb(design, absorb, bias_correction, missing, check_rank)

    @classmethod
    def from_formula(
        cls,
        formula: str,
        data: Any,
        *,
        absorb: Any,
        bias_correction: str | None = None,
        subset: Any = None,
        missing: str = "drop",
        offset: Any = None,
        freq_weights: Any = None,
        sampling_weights: Any = None,
        trials: Any = None,
        check_rank: bool | str = True,
        names: Mapping[str, Any] | None = None,
        depth: int = 0,
    ) -> Self:
        """Model from a formula and a table; arguments as for `logit`.

        What is no column the formula looks up in `names`; without them in the variables `depth` calls above the caller.
        """
        model = cls.__new__(cls)
        arguments = RowArguments(
            offset=offset, freq_weights=freq_weights, sampling_weights=sampling_weights, trials=trials, subset=subset,
            missing=missing,
        )  # fmt: skip
        design = design_from_formula(
            formula, data, capture_scope(depth + 1) if names is None else scope_of(names), arguments, refuse_wide=False
        )
        model._absorb(design, absorb, bias_correction, missing, check_rank)
        return model

    def _absorb(
        self, design: Design, absorb: Any, bias_correction: str | None, missing: str, check_rank: bool | str
    ) -> None:
        check_choice("bias_correction", bias_correction, CORRECTIONS)  # type: ignore[arg-type]
        self.bias_correction = bias_correction
        if design.weight_kind == "sampling":
            raise WeightError("absorb= takes no sampling weights: there is no likelihood of the groups under them.")
        design, codes, names = _read(design, absorb, missing)
        design = absorbing(design, codes, names)
        self._adopt(design, check_rank)
        if not design.columns:
            raise DataError("The model has nothing but a constant, which is one of the absorbed effects.")
        self.design = self._of_full_rank(design)

    def _of_full_rank(self, design: Design) -> Design:
        """The design, or an error or warning about columns that do not vary within groups, or depend on others there."""
        if self.check_rank is False:
            return design
        effects = cast(AbsorbedEffects, design.likelihood)
        X = effects.rows_of(design).X
        solver = EffectsSolver(effects.grouping, np.ones(len(X)))
        centred = X - X.mean(axis=0)
        within = centred - effects.grouping.spread(solver.solve(effects.grouping.sums(centred)))
        size = np.sqrt((centred**2).sum(axis=0))
        left = np.sqrt((within**2).sum(axis=0))
        fixed = np.flatnonzero(left <= CONSTANT * size).tolist()
        others = [j for j in range(design.columns) if j not in fixed]
        plain = replace(
            design.with_columns(others, ()),
            X=within[:, others],
            likelihood=None,
            weight=None,
            offset=None,
            constant=None,
        )
        found = dependent_columns(plain) if others else []
        if self.check_rank is True and fixed:
            names = [repr(design.names[j]) for j in fixed]
            raise RankDeficientError(
                f"{listed(names)}: nothing is left that the effects of {' and '.join(effects.factors)} do not explain, so "
                f'there is no coefficient. Leave it out of the model, or pass check_rank="drop" to have that done.',
                {design.names[j]: {} for j in fixed},
            )
        if self.check_rank is True and found:
            raise rank_error(plain, found)
        out = {*fixed, *(others[d.column] for d in found)}
        if not out:
            return design
        dropped = tuple(design.names[j] for j in sorted(out))
        warnings.warn(
            f"Left out, being explained by the absorbed effects or others: {listed(dropped)}.", RankWarning, 5
        )
        return design.with_columns([j for j in range(design.columns) if j not in out], dropped)

    @property
    def effects(self) -> AbsorbedEffects:
        """The absorbed groups."""
        return cast(AbsorbedEffects, self.design.likelihood)

    @property
    def endog(self) -> FloatArray:
        """(n,) outcome: 0/1, or the proportion of successes of grouped rows."""
        return self.design.response.proportions

    @property
    def df_resid(self) -> float:
        """Observations minus coefficients and effects."""
        return self.design.observations - self.design.columns - self.effects.grouping.independent

    def loglike(self, params: Any) -> float:
        """Log-likelihood at `params`, the effects at their best."""
        return self._moments(params).loglik

    def score(self, params: Any) -> FloatArray:
        """(k,) its gradient."""
        return self._moments(params).score

    def information(self, params: Any) -> FloatArray:
        """(k, k) minus its second derivatives."""
        return self._moments(params).information

    def hessian(self, params: Any) -> FloatArray:
        """(k, k) its second derivatives."""
        return -self.information(params)

    def _moments(self, params: Any) -> Moments:
        return moments(self.design, np.asarray(params, dtype=np.float64).ravel(), WorkingColumns())

    def fit(
        self,
        start_params: Any = None,
        maxiter: int = 35,
        tol: float = 1e-9,
        cov_type: str = "nonrobust",
        cov_kwds: dict[str, Any] | None = None,
        use_t: bool | None = None,
        disp: bool = False,
    ) -> AbsorbedLogitResults:
        """Fit by maximum likelihood over coefficients and effects.

        Parameters
        ----------
        start_params : (k,) array_like, optional
        maxiter : int
        tol : float
            Distance to the maximum, in standard errors of all parameters together, that counts as reached.
        cov_type : {"nonrobust", "opg", "HC0", "HC1", "cluster"}
        cov_kwds : dict, optional
            Settings of the covariance.
        use_t : bool, optional
            Use Student's t for p-values and intervals.
        disp : bool
            Print how the iterations went.

        Raises
        ------
        SeparationError
            If columns and groups together predict some outcomes perfectly. Rows that groups alone predict are left out and
            counted.

        Warns
        -----
        ConvergenceWarning
            If the iterations end before the tolerance is met.
        """
        from logit_stats.results.absorbed import AbsorbedLogitResults

        check_choice("cov_type", cov_type, ABSORBED_COV_TYPES)
        start = None if start_params is None else np.asarray(start_params, dtype=np.float64).ravel()
        corrected = self.bias_correction is not None
        fitted = absorbed_fit(self.design, start=start, maxiter=maxiter, tol=tol, corrected=corrected)
        cov = absorbed_covariance(fitted, cov_type, use_t, **(cov_kwds or {}))
        results = AbsorbedLogitResults(self.with_design(fitted.design), fitted, cov)
        if disp:
            print(results.convergence_message())
        return results

    def with_design(self, design: Design) -> Self:
        """Return the model of another design, this one where it is the same."""
        if design is self.design:
            return self
        model = type(self).__new__(type(self))
        model.bias_correction = self.bias_correction
        model._adopt(design, self.check_rank)
        return model


def refuse_without_absorb(absorb: Any, sets: Any) -> None:
    """Raise `DataError` for a bias correction without absorbed effects, or several imputed tables with them."""
    if absorb is None:
        raise DataError(
            "bias_correction= is for absorbed effects (absorb=); fit_firth() reduces the bias of other fits."
        )
    if sets is not None:
        raise DataError("absorb= takes one table; fit each imputed table by itself and pool() the results.")


def _read(design: Design, absorb: Any, missing: str) -> tuple[Design, list[Any], tuple[str, ...]]:
    """Codes of every factor, with the design of the rows that have a group in each."""
    codes: list[Any] = []
    names: list[str] = []
    for argument, given in _factors(design, absorb):
        before = design
        design, of_factor, name = _crossed(design, argument, given, missing)
        if design is not before:
            kept = design.sample.used[before.sample.used]
            codes = [earlier[kept] for earlier in codes]
        codes.append(of_factor)
        names.append(name)
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise DataError(f"absorb= names {sorted(repeated)[0]!r} twice.")
    return design, codes, tuple(names)


def _factors(design: Design, absorb: Any) -> list[tuple[str, Any]]:
    """Factors as they were given: names between plus signs, or columns of labels."""
    if isinstance(absorb, str):
        parts = [part.strip() for part in absorb.split("+")]
        if not all(parts):
            raise DataError(
                f'absorb={absorb!r} cannot be read; write names with plus signs between: absorb="firm + year".'
            )
        return [(part, part) for part in parts]
    if isinstance(absorb, (pd.DataFrame, Mapping)):
        return [(str(name), absorb[name]) for name in absorb]
    sequence = absorb if isinstance(absorb, (list, tuple)) else []
    named = design.table is not None and all(isinstance(part, str) and part in design.table for part in sequence)
    if not (sequence and (named or all(np.ndim(part) == 1 for part in sequence))):
        sequence = list(np.asarray(absorb).T) if np.ndim(absorb) == 2 else [absorb]
    return [(_name(part, i if len(sequence) > 1 else None), part) for i, part in enumerate(sequence)]


def _name(part: Any, place: int | None) -> str:
    if isinstance(part, str):
        return part
    own = getattr(part, "name", None)
    return str(own) if own is not None else "absorb" if place is None else f"absorb {place + 1}"


def _crossed(design: Design, argument: str, given: Any, missing: str) -> tuple[Design, Any, str]:
    """Codes of a factor; ``a:b`` has a group for each pair of levels of a and b."""
    parts: Sequence[str] = [part.strip() for part in given.split(":")] if isinstance(given, str) else []
    if len(parts) < 2 or (design.table is not None and given in design.table):
        return group_codes(design, argument, given, missing)
    design, codes, _ = group_codes(design, argument, parts[0], missing)
    for part in parts[1:]:
        before = design
        design, other, _ = group_codes(design, argument, part, missing)
        codes = codes[design.sample.used[before.sample.used]].astype(np.int64)
        codes = pd.factorize(codes * (int(other.max()) + 1) + other)[0].astype(np.intp)
    return design, codes, ":".join(parts)
