"""A model carried as a text predicts as the original, to the last bit, and a text from a stranger runs nothing."""

import json
import pathlib

import numpy as np
import pandas as pd
import pytest

import logit_stats as ls
from logit_stats.errors import DataError, NotAvailableError, UnseenLevelError
from tests.cases import STANDARD_CASES, load_case

BIRTHS = ls.datasets.load("birthwt")
WOMEN = ls.datasets.load("womenlf")
SCHEMA = pathlib.Path(ls.__file__).parent / "results" / "model.schema.json"
CUTOFF = 25

FORMULAS = [
    "low ~ age + lwt + C(race) + smoke",
    "low ~ bs(age, df=4) + cr(lwt, df=3) + cc(ftv, df=3)",
    "low ~ ns(age, df=3) * smoke + poly(lwt, 2)",
    "low ~ standardize(age) + center(lwt) + np.log(lwt)",
    "low ~ te(cr(age, df=3), cr(lwt, df=3))",
    "low ~ C(race, Sum) * smoke + C(ht, levels=[0, 1])",
    "low ~ C(race, Treatment('other')):age + I(age > CUTOFF)",
    "low ~ I(age - age.mean()) + I((lwt > 120) & (age < 30)) + I(lwt**2)",
    "low ~ race.str.upper() + age.clip(15, 35) + 0",
    "low ~ (age + lwt + C(race)) ** 2 - age:lwt",
    "low ~ np.where(age > 25, lwt, 100) + age.isin([20, 21]) + Q('lwt'):smoke",
    "low ~ bs(np.log(lwt), knots=[4.8], degree=2) + age // 10",
]


def carried(res):
    text = res.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return ls.from_json(text)


def same_predictions(res, new, **given):
    other = carried(res)
    ours, theirs = (r.get_prediction(new, **given).summary_frame() for r in (res, other))
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)
    pd.testing.assert_frame_equal(
        pd.DataFrame(res.predict(new, **given)), pd.DataFrame(other.predict(new, **given)), check_exact=True
    )
    return other


@pytest.mark.parametrize("formula", FORMULAS)
def test_predictions_with_limits_are_those_of_the_original(formula):
    res = ls.logit(formula, BIRTHS, check_rank="drop").fit()
    new = BIRTHS.sample(60, random_state=1)
    other = same_predictions(res, new)
    holes = new[["age", "lwt", "race", "smoke", "ftv", "ht"]].astype({"age": float})
    holes.loc[holes.index[::7], "age"] = np.nan
    same_predictions(res, holes)
    assert ls.from_json(other.to_json()).predict(new).equals(other.predict(new))


@pytest.mark.parametrize("name", STANDARD_CASES)
def test_reference_cases(name):
    case = load_case(name)
    formula, arguments = case.model_arguments()
    res = ls.logit(formula, case.data, **arguments).fit()
    if res.fit_.design.offset is not None and res.fit_.design.offset.column is None:
        arguments = {"offset": 0.5}
        same_predictions(res, case.data.head(50), **arguments)
    else:
        same_predictions(res, case.data.head(50))


def test_statistics_and_tests_are_those_of_the_original():
    res = ls.logit("low ~ age + lwt + C(race)", BIRTHS).fit(cov_type="HC1", use_t=True)
    other = carried(res)
    assert other.params.equals(res.params)
    assert other.bse.equals(res.bse)
    assert other.pvalues.equals(res.pvalues)
    np.testing.assert_array_equal(other.conf_int(0.1), res.conf_int(0.1))
    np.testing.assert_array_equal(other.cov_params(), res.cov_params())
    assert other.wald_test("age = lwt").pvalue == res.wald_test("age = lwt").pvalue
    assert other.t_test("age = 0.1").pvalue == res.t_test("age = 0.1").pvalue
    pd.testing.assert_frame_equal(other.glance(), res.glance())
    assert "189 rows read" in str(other)


@pytest.mark.parametrize(
    "fit",
    [
        lambda: ls.logit("low ~ age + C(race)", BIRTHS).fit_firth(),
        lambda: ls.logit("low ~ age + C(race)", BIRTHS).fit_constrained("age = 0.01"),
        lambda: ls.logit("low ~ age + C(race)", BIRTHS, population_prevalence=0.1).fit(),
        lambda: ls.gee("low ~ age + C(race)", BIRTHS, groups="ftv", corr="exchangeable").fit(),
        lambda: ls.logit("low ~ age + smoke + I(2 * smoke)", BIRTHS, check_rank="drop").fit(),
        lambda: ls.logit("low ~ age", BIRTHS, offset="lwt").fit(),
        lambda: ls.logit("low ~ age", BIRTHS).fit().remove_data(),
    ],
)
def test_the_family(fit):
    res = fit()
    other = same_predictions(res, BIRTHS.drop(columns="low").head(40))
    np.testing.assert_array_equal(other.pvalues, res.pvalues)
    assert np.array_equal(other.tidy()["p_value"], res.pvalues, equal_nan=True)


def test_array_fits():
    X = np.column_stack([np.ones(len(BIRTHS)), BIRTHS["age"]])
    res = ls.Logit(BIRTHS["low"].to_numpy(), X).fit()
    np.testing.assert_array_equal(carried(res).predict(X[:5]), res.predict(X[:5]))


def test_multinomial():
    res = ls.mnlogit("partic ~ hincome + children", WOMEN).fit()
    other = same_predictions(res, WOMEN.head(30))
    np.testing.assert_array_equal(other.predict(WOMEN, which="linear"), res.predict(WOMEN, which="linear"))


@pytest.mark.parametrize("kind", ["cumulative", "adjacent", "continuation"])
@pytest.mark.parametrize("own", [None, ["hincome"]])
def test_ordinal(kind, own):
    levels = ["not_work", "parttime", "fulltime"]
    res = ls.ologit("partic ~ hincome + children", WOMEN, levels=levels, kind=kind, nonparallel=own).fit()
    same_predictions(res, WOMEN.head(30))


def test_random_effects_carry_their_fixed_part():
    frame = ls.datasets.load("birthwt").assign(g=np.arange(189) % 12)
    res = ls.melogit("low ~ age + smoke + (1 | g)", frame).fit()
    other = carried(res)
    np.testing.assert_array_equal(other.predict(frame), res.predict(frame, effects="zero"))
    ours = res.get_prediction(frame, effects="zero").conf_int()
    np.testing.assert_allclose(other.get_prediction(frame).conf_int(), ours, rtol=1e-12)


def test_pooled():
    rng = np.random.default_rng(1)
    frames = [BIRTHS.assign(lwt=BIRTHS["lwt"] + rng.normal(0, 5, len(BIRTHS))) for _ in range(3)]
    res = ls.pool([ls.logit("low ~ age + ns(lwt, df=2)", frame).fit() for frame in frames])
    other = ls.from_json(res.to_json())
    np.testing.assert_array_equal(other.predict(BIRTHS), res.predict(BIRTHS))
    np.testing.assert_array_equal(other.get_prediction(BIRTHS).conf_int(), res.get_prediction(BIRTHS).conf_int())
    np.testing.assert_array_equal(other.pvalues, res.pvalues)


def test_levels_of_many_kinds():
    frame = BIRTHS.assign(
        day=pd.to_datetime("2020-01-01") + pd.to_timedelta(np.arange(189) % 3, unit="D"),
        band=pd.cut(BIRTHS["age"], [0, 20, 25, 60]),
        half=(np.arange(189) % 2) + 0.5,
        yes=BIRTHS["smoke"] == 1,
    )
    frame["day"] = frame["day"].astype("category")
    res = ls.logit("low ~ day + band + C(half) + yes", frame).fit()
    same_predictions(res, frame.head(30))


def test_unseen_levels_are_errors():
    other = carried(ls.logit("low ~ C(race)", BIRTHS).fit())
    with pytest.raises(UnseenLevelError, match="'green'"):
        other.predict({"race": ["green"]})


def shout(x):
    return x


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ls.logit("low ~ shout(age)", BIRTHS).fit(), "shout"),
        (lambda: ls.logit("low ~ pd.cut(age, 2)", BIRTHS).fit(), "pd.cut"),
        (lambda: ls.logit("low ~ age", BIRTHS).fit_regularized(alpha=0.1), "to_json"),
        (lambda: ls.clogit("low ~ age", BIRTHS, groups="ftv").fit(), "groups"),
        (lambda: ls.logit("low ~ age", BIRTHS, absorb="race").fit(), "groups"),
        (
            lambda: ls.logit("low ~ age", BIRTHS).fit(
                cov_type="cluster", cov_kwds={"groups": "ftv", "use_correction": "CR2"}
            ),
            "CR2",
        ),
        (lambda: ls.logit("HG ~ NV + PI + EH", ls.datasets.load("endometrial")).fit_limit(), "finite|infinite"),
    ],
)
@pytest.mark.filterwarnings("ignore::logit_stats.errors.LogitStatsWarning")
def test_what_cannot_be_carried_says_so(make, words):
    with pytest.raises(NotAvailableError, match=words):
        make().to_json()


# Texts from strangers.


def text_of(change):
    document = json.loads(ls.logit("low ~ center(age) + C(race)", BIRTHS).fit().to_json())
    change(document)
    return json.dumps(document)


def set_expression(document, code):
    document["formula"]["factors"][0]["expression"] = code


HOSTILE = {
    "not json": "{",
    "other json": "[1, 2]",
    "no format": "{}",
    "deep": "[" * 100_000 + "]" * 100_000,
    "import": text_of(lambda d: set_expression(d, "__import__('os').system('false')")),
    "attribute": text_of(lambda d: set_expression(d, "age.__class__")),
    "lambda": text_of(lambda d: set_expression(d, "(lambda: age)()")),
    "eval": text_of(lambda d: set_expression(d, "eval('1')")),
    "open": text_of(lambda d: set_expression(d, "np.load('x')")),
    "statement": text_of(lambda d: set_expression(d, "import os")),
    "nested": text_of(lambda d: set_expression(d, "(" * 5000 + "age" + ")" * 5000)),
    "unary": text_of(lambda d: set_expression(d, "-" * 50_000 + "age")),
    "power": text_of(lambda d: set_expression(d, "age + 9**9**9**9")),
    "transform": text_of(lambda d: d["formula"]["factors"][0]["remembers"][0].update(kind="Popen")),
    "remembered": text_of(lambda d: d["formula"]["factors"][0]["remembers"][0]["state"].update(__class__=1)),
    "shape": text_of(lambda d: d["working"]["covariance"]["array"].update(shape=[10**9, 10**9])),
    "shorter": text_of(lambda d: d["working"]["estimate"]["array"].update(shape=[2], data=[0.0, 1.0])),
    "texts": text_of(lambda d: d["working"]["estimate"]["array"].update(data=["a", "b", "c", "d"])),
    "edited": text_of(lambda d: d["coefficients"]["estimate"].__setitem__(0, 5.0)),
    "model": text_of(lambda d: d.update(model="other")),
    "version": text_of(lambda d: d.update(version=99)),
    "constant": text_of(lambda d: d["columns"].update(constant=7)),
    "shadowed": text_of(lambda d: d["formula"]["factors"][0]["constants"].update(np=1)),
    "shadowed transform": text_of(lambda d: d["formula"]["factors"][0]["constants"].update(center=1)),
    "tag": text_of(lambda d: d["formula"]["factors"][0].update(numbers={"pickle": "gASV"})),
    "missing": text_of(lambda d: d.pop("working")),
    "names": text_of(lambda d: d["columns"].update(names=["a", "b", "c", "d"])),
    "null": text_of(lambda d: d.update(formula={"text": None})),
    "digits": text_of(lambda d: d["data"].update(rows_used=1)).replace('"rows_used": 1', '"rows_used": ' + "9" * 6000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_refused(name):
    with pytest.raises(DataError):
        ls.from_json(HOSTILE[name])


@pytest.mark.parametrize("key", ["formula", "columns", "coefficients", "working", "reference", "response", "data"])
@pytest.mark.parametrize("junk", [None, 1, "x", [], {}, [None], {"a": {"b": 1}}, True, -1e308])
def test_junk_in_any_place_is_an_error_or_does_no_harm(key, junk):
    text = text_of(lambda d: d.update({key: junk}))
    try:
        ls.from_json(text)
    except DataError:
        return
    assert key == "formula"
    assert junk is None


def test_the_schema_describes_what_is_written():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    results = [
        ls.logit("low ~ ns(age, df=3) + C(race) + I(lwt > 120)", BIRTHS).fit(use_t=True),
        ls.logit("low ~ age", BIRTHS, offset="lwt").fit_firth(),
        ls.mnlogit("partic ~ hincome", WOMEN).fit(),
        ls.pool([ls.logit("low ~ age", BIRTHS).fit(), ls.logit("low ~ age", BIRTHS.assign(age=BIRTHS.age + 1)).fit()]),
    ]
    for res in results:
        jsonschema.validate(json.loads(res.to_json()), schema)
    broken = json.loads(results[0].to_json()) | {"model": "other"}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, schema)
