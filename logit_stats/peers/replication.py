"""A script that fits the model again elsewhere, on the same rows, and stops where the numbers are not these.

The data go along as a table: the variables of the rows used, the outcome, weights, offset and clusters. A term that the other
language cannot say goes along as its columns, and the script says which and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from logit_stats.design.block import FloatArray
from logit_stats.design.design import Design
from logit_stats.design.factor import Factor
from logit_stats.design.factor_values import CategoricalValues
from logit_stats.errors import NotAvailableError, check_choice
from logit_stats.inference.cluster import read_groups
from logit_stats.inference.covariance import Covariance
from logit_stats.peers.other_languages import STATA, NoTranslationError, R, number, plain_name, quoted, translated
from logit_stats.version import __version__

LANGUAGES = {"R": "R", "stata": "do", "statsmodels": "py"}
# What another program's numbers may differ by, relative to the largest of their kind.
TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Replication:
    """A script and its data.

    Attributes
    ----------
    language : str
    script : str
        Reads ``replication.csv`` beside it, fits the model, and stops with an error where a number differs.
    data : DataFrame
        What it reads.
    notes : tuple of str
        What could not be said in the other language.
    """

    language: str
    script: str
    data: pd.DataFrame
    notes: tuple[str, ...]

    def save(self, folder: str | Path) -> Path:
        """Write ``replication.R`` (or .do, .py) and ``replication.csv`` into a folder; returns the script's path."""
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        self.data.to_csv(place / "replication.csv", index=False)
        path = place / f"replication.{LANGUAGES[self.language]}"
        path.write_text(self.script, encoding="utf-8")
        return path

    def __str__(self) -> str:
        return self.script


def replication(res: Any, language: str) -> Replication:
    """Write the script of a maximum-likelihood logit.

    Raises
    ------
    NotAvailableError
        If the result is of another model, or its rows are gone.
    """
    check_choice("language", language, tuple(LANGUAGES))
    fit = res.fit_
    facts = res.facts
    facts.require("replication()", "rows", "maximum", "binary", "finite", "unconstrained", "converged")
    design = fit.design
    design.require_rows()
    if (
        design.likelihood is not None
        or design.group is not None
        or not hasattr(res, "lr_test")
        or not facts_of_logit(res)
    ):
        raise NotAvailableError(
            "replication() writes scripts of binary logits by maximum likelihood; this is another model."
        )
    material = _Material(design, res.covariance_, fit.beta)
    script = {"R": _r, "stata": _stata, "statsmodels": _statsmodels}[language](material)
    return Replication(language, script, material.data, tuple(material.notes))


def facts_of_logit(res: Any) -> bool:
    """Whether a result is of independent rows: there is a likelihood, or there are sampling weights in its place."""
    plain = bool(res.facts.likelihood) or res.fit_.design.weight_kind == "sampling"
    return plain and type(res.fit_).__name__ == "Fit"


class _Material:
    """Data and numbers of a script."""

    def __init__(self, design: Design, cov: Covariance, beta: FloatArray) -> None:
        self.design, self.cov, self.beta = design, cov, beta
        self.notes: list[str] = []
        response = design.response
        columns: dict[str, Any] = {"success_": response.successes}
        columns["trials_"] = np.ones(design.rows) if response.trials is None else response.trials
        columns["weight_"] = np.ones(design.rows) if design.weight is None else design.weight.values
        columns["offset_"] = np.zeros(design.rows) if design.offset is None else design.offset.values
        if cov.cov_type == "cluster":
            found = read_groups(design, cov.settings.get("groups"))
            if len(found) == 1:
                columns["cluster_"] = found[0].codes
        if design.formula is not None and design.table is not None:
            for name in design.formula.columns:
                if plain_name(name):
                    values = design.table.column(name, "the script")[design.sample.used]
                    columns[name] = values.to_numpy()
        self.data = pd.DataFrame(columns)

    @property
    def errors(self) -> FloatArray | None:
        """Standard errors that another program can be asked for; None where it has no such covariance."""
        kind, settings = self.cov.cov_type, self.cov.settings
        weighted = self.design.weight is not None
        known = kind == "nonrobust" or (kind in ("HC0", "HC1") and not weighted and self.design.response.trials is None)
        clustered = kind == "cluster" and "cluster_" in self.data and settings.get("use_correction", True) is True
        if known or (clustered and not weighted and self.design.response.trials is None):
            return self.cov.standard_errors
        self.say(f"Standard errors of type {kind} have no translation here: the coefficients alone are compared.")
        return None

    def say(self, note: str) -> None:
        """Remember what could not be said."""
        if note not in self.notes:
            self.notes.append(note)

    def as_columns(self, j: int) -> str:
        """Hand a design column over as data; returns its name."""
        name = f"column_{j + 1}_"
        if name not in self.data:
            self.data = self.data.assign(**{name: np.asarray(self.design.X[:, j], dtype=np.float64)})
        return name

    def factor_columns(self, factor: Factor) -> tuple[list[str], tuple[Any, ...] | None]:
        """Hand a factor over as data: names of its columns, and its levels if it has levels."""
        assert self.design.formula is not None
        assert self.design.table is not None
        place = list(self.design.formula.factors).index(factor.name) + 1
        values = self.design.formula.values_of(self.design.table.where(self.design.sample.used))[factor.name]
        if isinstance(values, CategoricalValues):
            self.data = self.data.assign(**{f"factor_{place}_": values.codes + 1})
            return [f"factor_{place}_"], values.levels
        names = [f"factor_{place}_{c + 1}_" for c in range(values.values.shape[1])]
        self.data = self.data.assign(**dict(zip(names, values.values.T.astype(np.float64), strict=True)))
        return names, None

    def head(self, comment: str) -> list[str]:
        """First lines: what this is."""
        formula = "array fit" if self.design.formula is None else " ".join(self.design.formula.text.split())
        return [
            f"{comment} Written by logit_stats {__version__}: fits the model again and stops where a number differs.",
            f"{comment} {formula}",
            f"{comment} {self.design.sample.line()}",
            *(f"{comment} {note}" for note in self.notes),
        ]


# R.


def _r(m: _Material) -> str:
    made: list[str] = []
    right = _r_terms(m, made)
    errors = m.errors
    family = "quasibinomial" if m.design.weight_kind == "sampling" else "binomial"
    lines = [
        'data <- read.csv("replication.csv", stringsAsFactors = FALSE)',
        *made,
        "model <- terms(cbind(success_, trials_ - success_) ~ " + right + ", keep.order = TRUE)",
        "climb <- function(start) suppressWarnings(glm(model, data = data, weights = weight_, offset = offset_, start = start,",
        f"  family = {family}, control = glm.control(epsilon = 1e-14, maxit = 100)))",
        "fit <- climb(coef(climb(NULL)))  # once more from the maximum: errors are those of the last step's start",
        "found <- coef(fit)",
        f"wanted <- c({_listed(m.beta)})",
        "stopifnot(length(found) == length(wanted), !anyNA(found))",
        f"stopifnot(max(abs(found - wanted) / pmax(abs(wanted), max(abs(wanted)) * 1e-6)) < {TOLERANCE!r})",
    ]
    if errors is not None:
        lines += [
            f"errors <- sqrt(diag({_r_covariance(m)}))",
            f"errors_wanted <- c({_listed(errors)})",
            f"stopifnot(max(abs(errors / errors_wanted - 1)) < {TOLERANCE!r})",
        ]
    lines += ['cat("Every number agrees.\\n")']
    return "\n".join([*m.head("#"), *lines, ""])


def _r_covariance(m: _Material) -> str:
    kind = m.cov.cov_type
    if kind == "nonrobust":
        return "vcov(fit)"
    if kind == "cluster":
        return 'sandwich::vcovCL(fit, cluster = data$cluster_, type = "HC1")'
    return f'sandwich::vcovHC(fit, type = "{kind}")'


def _listed(values: FloatArray) -> str:
    return ", ".join(number(float(v)) for v in values)


def _r_terms(m: _Material, made: list[str]) -> str:
    """Right-hand side of R's formula; factors are made before."""
    formula = m.design.formula
    if formula is None or m.design.left_out or not _usual(formula):
        if formula is not None:
            m.say("R would code these terms in other columns: the columns themselves are in the data.")
        return " + ".join(["0", *(m.as_columns(j) for j in range(m.design.columns))])
    names = {name: _r_factor(m, factor, j, made) for j, (name, factor) in enumerate(formula.factors.items(), 1)}
    terms = [":".join(names[f.name()] for f in term.factors) for term in formula.info.term_codings if term.factors]
    constant = "1" if any(not term.factors for term in formula.info.term_codings) else "0"
    return " + ".join([constant, *terms])


def _usual(formula: Any) -> bool:
    """Whether R codes every term in the same columns: each in one piece, levels in k - 1 columns but where R has k."""
    seen: list[set[str]] = []
    for term, subterms in formula.info.term_codings.items():
        names = [f.name() for f in term.factors]
        if len(subterms) != 1 or len(subterms[0].factors) != len(names):
            return False
        for factor, matrix in subterms[0].contrast_matrices.items():
            rest = {name for name in names if name != factor.name()}
            full = matrix.matrix.shape[0] == matrix.matrix.shape[1]
            if full == (rest in seen):
                return False
        seen.append(set(names))
    return True


def _r_factor(m: _Material, factor: Factor, place: int, made: list[str]) -> str:
    formula = m.design.formula
    assert formula is not None
    info = formula.info.factor_infos[factor.term_factor]
    name = f"f{place}"
    try:
        expression = translated(factor, R)
        levels = None if info.type == "numerical" else [_r_level(level) for level in info.categories]
    except NoTranslationError:
        m.say(f"{factor.name} has no translation into R: its columns are in the data.")
        columns, found = m.factor_columns(factor)
        expression = columns[0] if len(columns) == 1 else f"cbind({', '.join(columns)})"
        levels = None if found is None else [str(j + 1) for j in range(len(found))]
    if levels is None:
        made.append(f"data${name} <- with(data, {expression})  # {factor.name}")
        return name
    made.append(f"data${name} <- with(data, factor({expression}, levels = c({', '.join(levels)})))  # {factor.name}")
    matrix = _contrast(formula, factor)
    if matrix is not None:
        numbers = ", ".join(number(float(v)) for v in matrix.T.ravel())
        made.append(f"contrasts(data${name}) <- matrix(c({numbers}), nrow = {len(levels)})")
    return name


def _r_level(level: Any) -> str:
    if isinstance(level, (bool, np.bool_)):
        return "TRUE" if level else "FALSE"
    return quoted(level) if isinstance(level, str) else number(level)


def _contrast(formula: Any, factor: Factor) -> FloatArray | None:
    """The coding in k - 1 columns that a factor has somewhere."""
    for subterms in formula.info.term_codings.values():
        for subterm in subterms:
            found = subterm.contrast_matrices.get(factor.term_factor)
            if found is not None and found.matrix.shape[1] < found.matrix.shape[0]:
                return np.asarray(found.matrix, dtype=np.float64)
    return None


# Stata.


def _stata(m: _Material) -> str:
    made = [f"generate double x{j + 1} = {_stata_column(m, j)}" for j in range(m.design.columns)]
    names = " ".join(f"x{j + 1}" for j in range(m.design.columns))
    errors = m.errors
    weight = {None: "", "frequency": " [fweight = weight_]", "sampling": " [pweight = weight_]"}[m.design.weight_kind]
    vce = {"nonrobust": "oim", "HC0": "oim", "HC1": "oim", "cluster": "cluster cluster_"}.get(m.cov.cov_type, "oim")
    if m.cov.cov_type in ("HC0", "HC1", "cluster"):
        m.say("Stata corrects robust errors by n/(n-1) and G/(G-1) alone: the coefficients alone are compared.")
        errors = None
    trials = "" if m.design.response.trials is None else " trials_"
    command = (
        f"glm success_ {names}{weight}, family(binomial{trials}) link(logit) noconstant offset(offset_) vce({vce})"
    )
    lines = ["clear", "import delimited replication.csv, asdouble case(preserve)", *made, f"{command} tolerance(1e-10)"]
    for j, value in enumerate(m.beta):
        lines.append(f"assert reldif(_b[x{j + 1}], {number(float(value))}) < {TOLERANCE!r}  // {m.design.names[j]}")
    if errors is not None:
        lines += [f"assert reldif(_se[x{j + 1}], {number(float(e))}) < {TOLERANCE!r}" for j, e in enumerate(errors)]
    return "\n".join([*m.head("*"), *lines, 'display "Every number agrees."', ""])


def _stata_column(m: _Material, j: int) -> str:
    """A design column from the variables, or from the data where that has no translation."""
    try:
        return _stata_product(m.design, j)
    except NoTranslationError:
        m.say(f"{m.design.names[j]} has no translation into Stata: the column is in the data.")
        return m.as_columns(j)


def _stata_product(design: Design, wanted: int) -> str:
    from logit_stats.design.formula import _column_picks

    formula = design.formula
    if formula is None:
        raise NoTranslationError
    place = formula.names.index(design.names[wanted])
    column = 0
    for subterms in formula.info.term_codings.values():
        for subterm in subterms:
            for picks in _column_picks(formula.info, subterm):
                if column == place:
                    parts = [
                        _stata_factor(formula, subterm, f, pick) for f, pick in zip(subterm.factors, picks, strict=True)
                    ]
                    return " * ".join(parts) or "1"
                column += 1
    raise NoTranslationError


def _stata_factor(formula: Any, subterm: Any, factor: Any, pick: int) -> str:
    expression = translated(formula.factors[factor.name()], STATA)
    info = formula.info.factor_infos[factor]
    if factor not in subterm.contrast_matrices:
        if info.num_columns != 1:
            raise NoTranslationError
        return f"({expression})"
    weights = np.asarray(subterm.contrast_matrices[factor].matrix)[:, pick]
    parts = [
        f"{'' if w == 1.0 else number(float(w)) + ' * '}({expression} == {_stata_level(level)})"
        for level, w in zip(info.categories, weights, strict=True)
        if w != 0.0
    ]
    return f"({' + '.join(parts)})"


def _stata_level(level: Any) -> str:
    if isinstance(level, (bool, np.bool_)):
        raise NoTranslationError
    return quoted(level) if isinstance(level, str) else number(level)


# statsmodels.


def _statsmodels(m: _Material) -> str:
    formula = m.design.formula
    direct = formula is not None and not m.design.left_out and _same_in_patsy(m)
    if direct and formula is not None:
        right = formula.text.partition("~")[2].strip()
        columns = f"X = patsy.dmatrix({right!r}, data)"
    else:
        names = [m.as_columns(j) for j in range(m.design.columns)]
        columns = f"X = data[{names!r}].to_numpy()"
        if formula is not None:
            m.say("The formula means something else without this package: the columns themselves are in the data.")
    errors = m.errors
    if m.cov.cov_type == "HC1":
        m.say("statsmodels has no HC1 of a logit: the coefficients alone are compared.")
        errors = None
    weights = "" if m.design.weight is None else ', freq_weights=data["weight_"]'
    cov = {"HC0": 'cov_type="HC0"', "cluster": 'cov_type="cluster", cov_kwds={"groups": data["cluster_"]}'}.get(
        m.cov.cov_type, ""
    )
    lines = [
        "import numpy as np", "import pandas as pd", "import patsy", "import statsmodels.api as sm", "",
        'data = pd.read_csv("replication.csv")', *_categories(m), columns,
        'y = np.column_stack([data["success_"], data["trials_"] - data["success_"]])',
        f'model = sm.GLM(y, np.asarray(X), family=sm.families.Binomial(), offset=data["offset_"]{weights})',
        f"fit = model.fit(tol=1e-14, maxiter=100{', ' + cov if cov and errors is not None else ''})",
        f"wanted = np.array([{_listed(m.beta)}])",
        "found = np.asarray(fit.params)",
        f"assert np.max(np.abs(found - wanted) / np.maximum(np.abs(wanted), np.abs(wanted).max() * 1e-6)) < {TOLERANCE!r}, found",
    ]  # fmt: skip
    if errors is not None:
        lines += [
            f"errors = np.array([{_listed(errors)}])",
            f"assert np.max(np.abs(np.asarray(fit.bse) / errors - 1.0)) < {TOLERANCE!r}, np.asarray(fit.bse)",
        ]
    return "\n".join([*m.head("#"), *lines, 'print("Every number agrees.")', ""])


def _same_in_patsy(m: _Material) -> bool:
    """Whether patsy alone codes the formula so: its own transforms, learned of the same rows, and no variable of the caller's."""
    formula = m.design.formula
    assert formula is not None
    from logit_stats.design.formula_pickle import formula_state
    from logit_stats.design.transforms import OrthogonalPolynomial

    for kept in formula_state(formula)["factors"].values():
        transforms = [kind for name, (kind, _) in kept["transforms"].items() if not name.startswith("_logit")]
        memory = any(
            t.get("memory") or t.get("limits") for n, (_, t) in kept["transforms"].items() if n.startswith("_logit")
        )
        foreign = set(kept["scope"]) - {"np"} or memory or kept["looked_after"]
        if foreign or any(kind.__module__.startswith(OrthogonalPolynomial.__module__) for kind in transforms):
            return False
        if not all(plain_name(name) for name in kept["columns"]) or (transforms and m.design.sample.dropped):
            return False
    return "." not in formula.text.partition("~")[2].replace("np.", "") or not any(
        f".{name}" in formula.text for name in ("str", "dt", "clip", "isin")
    )


def _categories(m: _Material) -> list[str]:
    """Columns of categories, whose order a file of texts forgets."""
    assert m.design.table is not None or m.design.formula is None
    if m.design.formula is None or m.design.table is None:
        return []
    lines = []
    for name in m.design.formula.columns:
        dtype = m.design.table.column(name, "the script").dtype
        if isinstance(dtype, pd.CategoricalDtype) and plain_name(name):
            levels = [level.item() if isinstance(level, np.generic) else level for level in dtype.categories]
            lines.append(f"data[{name!r}] = pd.Categorical(data[{name!r}], categories={levels!r})")
    return lines
