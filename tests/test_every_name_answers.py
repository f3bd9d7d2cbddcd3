"""Every public name of a result answers, or says in words what is missing, on the results of every kind of fit."""

import inspect

import pytest

import logit_stats as ls
from logit_stats.errors import DataError, LogitStatsError, NotAvailableError
from logit_stats.results.logit import LogitResults

BIRTHS = ls.datasets.load("birthwt")
ENDOMETRIAL = ls.datasets.load("endometrial")
WOMEN = ls.datasets.load("womenlf")
NAMES = sorted(name for name in dir(LogitResults) if not name.startswith("_"))
# What is asked beside the name.
ARGUMENTS = {
    "replication": ("statsmodels",),
    "add1": ("lwt",), "evidence": ("age",), "f_test": ("age = 0",), "info_criteria": ("aic",), "t_test": ("age = 0",),
    "t_test_pairwise": ("C(race)",), "wald_test": ("age = 0",), "score_test": ("lwt",), "with_cov": ("HC1",),
    "interaction": ("smoke", "smoke"), "update": (BIRTHS,), "means": ("race",), "refit_without": ([85],), "dose": (0.5, "age"),
}  # fmt: skip
OF_WOMEN = {
    "add1": ("C(region)",), "evidence": ("hincome",), "f_test": ("parttime:hincome = 0",), "t_test": ("parttime:hincome = 0",),
    "t_test_pairwise": ("children",), "wald_test": ("parttime:hincome = 0",), "score_test": ("C(region)",),
    "means": ("children",), "refit_without": ([0],), "dose": (0.5, "hincome"),
}  # fmt: skip


def binary():
    return ls.logit("low ~ age + C(race) + smoke", BIRTHS)


def limit():
    return ls.logit("HG ~ NV + PI + EH", ENDOMETRIAL).fit_limit()


KINDS = {
    "maximum": lambda: binary().fit(),
    "quasi": lambda: binary().fit(cov_type="quasi"),
    "firth": lambda: binary().fit_firth(),
    "median": lambda: binary().fit_firth(kind="median"),
    "correction": lambda: binary().fit_firth(kind="correction"),
    "flic": lambda: binary().fit_firth().flic(),
    "flac": lambda: binary().fit_firth().flac(),
    "constrained": lambda: binary().fit_constrained("smoke = 0.5"),
    "penalized": lambda: binary().fit_regularized(alpha=0.01),
    "l1": lambda: binary().fit_regularized(method="l1", alpha=1.0),
    "limit": limit,
    "multinomial": lambda: ls.mnlogit("partic ~ hincome + children", WOMEN).fit(),
    "multinomial penalized": lambda: ls.mnlogit("partic ~ hincome + children", WOMEN).fit_regularized(alpha=0.01),
    "multinomial without rows": lambda: ls.mnlogit("partic ~ hincome + children", WOMEN).fit().remove_data(),
    "without rows": lambda: binary().fit().remove_data(),
}


def asked(kind, name, res):
    """Ask a name of a result, with arguments where it needs some."""
    given = dict(ARGUMENTS)
    if "multinomial" in kind:
        given |= OF_WOMEN
    if kind == "limit":
        given |= {"evidence": ("PI",), "t_test": ("PI = 0",), "f_test": ("PI = 0",), "wald_test": ("PI = 0",),
                  "means": ("NV",), "add1": ("I(PI**2)",), "score_test": ("I(PI**2)",), "refit_without": ([0],)}  # fmt: skip
    found = getattr(res, name)
    if not callable(found) or name in ("plot",):
        return found
    if name == "lr_test":
        return found(res)
    if name == "save":
        pytest.skip("asked of a file in another test")
    if name == "validate":
        return found(WOMEN if "multinomial" in kind else ENDOMETRIAL if kind == "limit" else BIRTHS)
    if name in ("bootstrap", "optimism"):
        return found(reps=20, seed=1) if name == "bootstrap" else found(reps=5, seed=1)
    return found(*given.get(name, ()))


@pytest.mark.filterwarnings("ignore::logit_stats.errors.LogitStatsWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_every_name_answers_or_refuses_in_words(kind):
    res = KINDS[kind]()
    silent = {}
    for name in NAMES:
        try:
            answer = "" if name in ("save", "load") else asked(kind, name, res)
            str(answer)
        except LogitStatsError as error:
            silent |= {name: str(error)} if len(str(error)) < 30 else {}
        except Exception as error:
            silent[name] = f"{type(error).__name__}: {error}"
        else:
            assert answer is not None, name
    assert not silent


@pytest.mark.parametrize("kind", KINDS)
def test_names_have_the_signatures_of_logit(kind):
    res = KINDS[kind]()
    for name in NAMES:
        theirs = inspect.getattr_static(LogitResults, name)
        if not callable(theirs) or name in ("get_influence",):
            continue
        wanted = [p for p in inspect.signature(theirs).parameters.values() if p.name != "self"]
        mine = inspect.signature(getattr(type(res), name)).parameters
        taken = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in mine.values())
        missing = [p.name for p in wanted if p.name not in mine and not taken]
        assert not missing, (name, missing)


BY_GROUP = BIRTHS.assign(ward=[i // 3 for i in range(len(BIRTHS))])
GROUPED = {
    "gee": lambda: ls.gee("low ~ age + smoke", BY_GROUP, groups="ward").fit(),
    "mixed": lambda: ls.melogit("low ~ age + smoke + (1 | ward)", BY_GROUP).fit(),
    "absorbed": lambda: ls.logit("low ~ age + smoke", BIRTHS, absorb="race").fit(),
    "conditional": lambda: ls.clogit("low ~ age + smoke", BIRTHS, groups="race").fit(),
}


@pytest.mark.filterwarnings("ignore::logit_stats.errors.LogitStatsWarning")
@pytest.mark.parametrize("kind", GROUPED)
def test_what_results_of_groups_lack_is_refused_in_words(kind):
    res = GROUPED[kind]()
    lacking = [name for name in NAMES if _lacks(res, name)]
    assert "vif" in lacking
    for name in lacking:
        with pytest.raises(NotAvailableError, match=r".{30}"):
            getattr(res, name)
    with pytest.raises(AttributeError, match="no attribute 'vifs'"):
        _ = res.vifs
    assert not hasattr(res, "_nothing")


def _lacks(res, name):
    try:
        getattr(res, name)
    except AttributeError:
        return True
    except NotAvailableError:
        return False
    return False


def test_a_penalized_fit_says_what_it_minimised():
    model = binary()
    lasso, l1 = model.fit_regularized(alpha=0.01), model.fit_regularized(method="l1", alpha=1.0)
    assert lasso.penalized_cost == pytest.approx(-lasso.llf / 189 + 0.01 * abs(lasso.params.iloc[1:]).sum(), rel=1e-12)
    assert l1.objective == pytest.approx(-l1.llf + abs(l1.params).sum(), rel=1e-12)
    assert lasso.objective == lasso.penalized_cost
    assert "Penalized cost" in str(lasso.summary(clock=False))
    assert lasso.roc().auc > 0.5
    assert lasso.classification().table.sum() == 189
    with pytest.raises(NotAvailableError, match="standard errors"):
        lasso.conf_int()


def test_penalized_and_multinomial_results_draw_what_they_have():
    pytest.importorskip("matplotlib")
    lasso = binary().fit_regularized(alpha=0.01)
    for draw in (lasso.plot.coefficients, lasso.plot.roc, lasso.plot.confusion, lasso.plot.calibration):
        assert draw() is not None
    women = ls.mnlogit("partic ~ hincome + children", WOMEN).fit()
    labels = [text.get_text() for text in women.plot.coefficients().get_yticklabels()]
    assert len(labels) == 4
    assert any("fulltime" in label for label in labels)


def test_a_failed_save_leaves_the_older_file(tmp_path, monkeypatch):
    path, res = tmp_path / "res.pkl", binary().fit()
    res.save(path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        res.save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["res.pkl"]
    monkeypatch.undo()
    res.save(path, remove_data=True)
    assert path.stat().st_size < len(before)
    with pytest.raises(NotAvailableError, match="remove_data"):
        _ = ls.load(path).resid_dev
    lasso = binary().fit_regularized(alpha=0.01)
    lasso.save(path)
    assert ls.load(path).params.equals(lasso.params)


def test_a_file_of_another_version_says_so(tmp_path):
    path = tmp_path / "old.pkl"
    path.write_bytes(b"clogit_stats.results_of_old\nLogitResults\n.")
    with pytest.raises(DataError, match="another version"):
        ls.load(path)
