"""Texts that mean something else in R, in Stata or to a reader: refused by name, and the remedy that is offered works."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import logit_stats as ls
from logit_stats.errors import DataError, FormulaError, MissingColumnError

RNG = np.random.default_rng(1)
ROWS = 240
DATA = pd.DataFrame(
    {
        "y": RNG.integers(0, 2, ROWS),
        "f": RNG.integers(1, 9, ROWS),
        "x": RNG.uniform(1, 9, ROWS),
        "age": RNG.integers(20, 80, ROWS),
        "k": RNG.integers(0, 4, ROWS),
        "b": RNG.integers(0, 2, ROWS) == 1,
        "firm": RNG.choice(["r", "s", "t"], ROWS),
        "class": RNG.normal(size=ROWS),
        "lambda": RNG.normal(size=ROWS),
        "blood pressure": RNG.normal(120, 10, ROWS),
        "3x": RNG.normal(size=ROWS),
        "1st": RNG.normal(size=ROWS),
        "follow-up": RNG.normal(size=ROWS),
        "blood.sugar": RNG.normal(size=ROWS),
        "a$b": RNG.normal(size=ROWS),
    }
)

# formula, what the message says, the remedy that it offers
FOREIGN = [
    ("y ~ age + age^2", r"\^ is no power", "y ~ age + I(age**2)"),
    ("y ~ age + I(age^2)", r"\^ is no power", "y ~ age + I(age**2)"),
    ("y ~ x^2", r"\^ is no power", "y ~ I(x**2)"),
    ("y ~ np.log(x^2)", r"\^ is no power", "y ~ np.log(x**2)"),
    ("y ~ b^2", r"\^ is no power", None),
    ("y ~ (age + x)^2", r"\(\.\.\.\)\*\*2", "y ~ (age + x)**2"),
    ("y ~ x + x**2", r"I\(x\*\*2\)", "y ~ x + I(x**2)"),
    ("y ~ x + (1|firm)", r"C\(firm\)", "y ~ x + C(firm)"),
    ("y ~ x + (1 | k)", r"C\(k\)", "y ~ x + C(k)"),
    ("y ~ x + k | firm", r"k \+ C\(firm\)", "y ~ x + k + C(firm)"),
    ("y ~ b | k", r"b \+ C\(k\)", "y ~ b + C(k)"),
    ("y ~ x & k", "x:k", "y ~ x:k"),
    ("y ~ x + -1", "'- 1'", "y ~ x - 1"),
    ("y ~ x + (-1)", "'- 1'", "y ~ x - 1"),
    ("y ~ .", r"write them out: 'y ~ f \+ x", None),
    ("y ~ class", r'Q\("class"\)', 'y ~ Q("class")'),
    ("y ~ lambda + x", r'Q\("lambda"\)', 'y ~ Q("lambda") + x'),
    ("y ~ blood pressure", r'Q\("blood pressure"\)', 'y ~ Q("blood pressure")'),
    ("y ~ 'blood pressure'", r'Q\("blood pressure"\)', 'y ~ Q("blood pressure")'),
    ("y ~ `blood pressure`", r'Q\("blood pressure"\)', 'y ~ Q("blood pressure")'),
    ("y ~ blood presure", r'Q\("blood pressure"\)', 'y ~ Q("blood pressure")'),
    ("y ~ Q('blood presure')", "did you mean 'blood pressure'", 'y ~ Q("blood pressure")'),
    ("y ~ 3x", r'Q\("3x"\)', 'y ~ Q("3x")'),
    ("y ~ 1st + x", r'Q\("1st"\)', 'y ~ Q("1st") + x'),
    ("y ~ follow-up", r'Q\("follow-up"\)', 'y ~ Q("follow-up")'),
    ("y ~ x + follow-up", r'Q\("follow-up"\)', 'y ~ x + Q("follow-up")'),
    ("y ~ blood.sugar", r'Q\("blood\.sugar"\)', 'y ~ Q("blood.sugar")'),
    ("y ~ a$b", r'Q\("a\$b"\)', 'y ~ Q("a$b")'),
    ("y ~ df$x", "write x", "y ~ x"),
    ("y ~ x %in% firm", "x:firm", "y ~ x:firm"),
    ("y ~ k %in% c(1, 2)", r"k\.isin\(\[1, 2\]\)", "y ~ k.isin([1, 2])"),
    ("y ~ as.factor(k)", r"C\(k\)", "y ~ C(k)"),
    ("y ~ factor(k)", r"C\(k\)", "y ~ C(k)"),
    ("y ~ i.k", r"C\(k\)", "y ~ C(k)"),
    ("y ~ c.age##i.k", "age.*k", None),
    ("y ~ age#k", "age:k", "y ~ age:k"),
    ("y ~ is.na(x)", r"x\.isna\(\)", None),
    ("y ~ log(x)", r"np\.log\(x\)", "y ~ np.log(x)"),
    ("y ~ x + sqrt(age)", r"np\.sqrt\(age\)", "y ~ x + np.sqrt(age)"),
    ("y ~ I(log(x) + 1)", r"np\.log\(x\)", "y ~ I(np.log(x) + 1)"),
    ("y ~ relevel(firm, ref='s')", r"C\(firm, Treatment", "y ~ C(firm, Treatment('s'))"),
    ("y ~ rcs(x, 4)", r"ns\(x, df=3\)", "y ~ ns(x, df=3)"),
    ("y ~ rcs(x, 4)", r"cr\(x, df=3, constraints='center'\)", "y ~ cr(x, df=3, constraints='center')"),
    ("y ~ s(x)", r"ns\(x, df=4\)", "y ~ ns(x, df=4)"),
    ("y ~ ifelse(x > 3, 1, 0)", r"np\.where", "y ~ np.where(x > 3, 1, 0)"),
    ("cbind(y, f) ~ x", r"successes \+ failures ~", "y + f ~ x"),
    ("y ~ x²", r"I\(x\*\*2\)", "y ~ I(x**2)"),
    ("y ~ x − age", "character of print", "y ~ x - age"),
    ("y ~ 2 * x", r"I\(2 \* x\)", "y ~ I(2 * x)"),
    ("y ~ k %% 2", "I\\(a % b\\)", "y ~ I(k % 2)"),
    ("y = x", "set off by ~", "y ~ x"),
    ("y ~ x, age", r"x \+ age", "y ~ x + age"),
    ("y ~ (x > 3) and (k == 1)", "joined by &", "y ~ I((x > 3) & (k == 1))"),
    ("y ~ I(not b)", r"~\(b\)", "y ~ I(~(b))"),
    ("y ~ I(30 < age < 50)", r"\(30 < age\) & \(age < 50\)", "y ~ I((30 < age) & (age < 50))"),
    ("y ~ I(x > 3 | k > 2)", r"\(x > 3\) \| \(k > 2\)", "y ~ I((x > 3) | (k > 2))"),
    ("y ~ I(k in [1, 2])", r"k\.isin\(\[1, 2\]\)", "y ~ k.isin([1, 2])"),
    ("y ~ (x > 3) & (k == 1)", r"I\(", "y ~ I((x > 3) & (k == 1))"),
    ("y ~ 30 < age < 50", r"I\(\(30 < age\) & \(age < 50\)\)", "y ~ I((30 < age) & (age < 50))"),
    ("y ~ (1 if b else 0)", r"np\.where\(b, 1, 0\)", "y ~ np.where(b, 1, 0)"),
    ("y ~ ^", "cannot be read", None),
    ("y ~ x ~ k", "only be used once", None),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "said", "remedy"), FOREIGN)
def test_the_text_is_refused_and_its_remedy_fits(formula, said, remedy):
    with pytest.raises(DataError, match=said):
        ls.logit(formula, DATA)
    if remedy is not None:
        assert ls.logit(remedy, DATA, check_rank="drop").fit().converged


def test_the_columns_written_out_for_the_dot_are_a_formula_that_fits():
    with pytest.raises(FormulaError) as refused:
        ls.logit("y ~ .", DATA)
    offered = re.search(r"out: '(y ~ .*)'\.$", str(refused.value)).group(1)
    names = ls.logit(offered, DATA).fit().params.index
    assert len(names) == 1 + len(DATA.columns) - 1 + 1  # firm has two columns
    wide = pd.DataFrame(RNG.normal(size=(200, 40)), columns=[f"v {j}" for j in range(40)]).assign(y=DATA["y"])
    with pytest.raises(FormulaError) as refused:
        ls.logit("y ~ .", wide)
    offered = re.search(r"for example (.*)\.$", str(refused.value)).group(1)
    assert len(ls.logit(eval(offered, {"df": wide}), wide).exog_names) == 41


@pytest.mark.parametrize("name", ["id", "type", "sum", "max", "len", "input"])
def test_a_builtin_is_no_column(name):
    with pytest.raises(MissingColumnError, match=f"no column '{name}'"):
        ls.logit(f"y ~ x + {name}", DATA)
    assert ls.logit(f"y ~ x + {name}", DATA.rename(columns={"age": name})).exog_names[-1] == name


@pytest.mark.parametrize("dtype", ["int64", "int8", "Int64", "float64", "boolean", "str", "category"])
@pytest.mark.parametrize("formula", ["y ~ x + k | firm", "y ~ x + (1 | k)", "y ~ k^2", "y ~ I(k^2)", "y ~ k & x"])
def test_bit_operators_are_refused_for_every_dtype(formula, dtype):
    values = DATA["k"].clip(upper=1) if dtype == "boolean" else DATA["k"]
    with pytest.raises(FormulaError, match=r"\^ is no power|does not set off|random intercept|combines conditions"):
        ls.logit(formula, DATA.assign(k=values.astype(dtype)))


def test_a_formula_of_very_many_terms():
    rows = 4000
    wide = pd.DataFrame(RNG.normal(size=(rows, 1500)), columns=[f"v{j}" for j in range(1500)])
    wide["y"] = RNG.integers(0, 2, rows)
    formula = "y ~ " + " + ".join(wide.columns[:1500]) + " - v3 - 1"
    model = ls.logit(formula, wide, check_rank=False)
    assert list(model.exog_names) == [f"v{j}" for j in range(1500) if j != 3]


@pytest.mark.parametrize(
    "right",
    ["x", "0 + x", "x - 1", "-1 + x", "x + 1 - 1", "a * b - a:b", "(a + b)**2 - a", "a / b + 0", "-1", "x + 0 + 1"],
)
def test_sums_are_read_as_patsy_reads_them(right):
    import patsy

    from logit_stats.design.reading import right_hand_terms

    expected = patsy.ModelDesc.from_formula(f"y ~ {right}").rhs_termlist
    assert [t.name() for t in right_hand_terms(f"y ~ {right}")] == [t.name() for t in expected]


def test_polynomials_and_natural_splines_are_those_of_r():
    x = [1, 2.5, 3, 4, 4.2, 5, 6.1, 7, 8, 9.5, 10, 12, 13.3, 15]
    data = pd.DataFrame({"x": x, "y": [0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0]})
    new = pd.DataFrame({"x": [0, 1, 5.5, 15, 20.0]})
    for text, key in [
        ("ns(x, df=4)", "ns4"),
        ("poly(x, 3)", "poly3"),
        ("ns(x, knots=[4, 9])", "ns_knots"),
        ("ns(x, df=1)", "ns1"),
    ]:
        model = ls.logit(f"y ~ {text}", data, check_rank=False)
        expected, at_new = R_BASES[key]
        assert_allclose(model.exog[:, 1:].T.ravel(), expected, rtol=0, atol=1e-14)
        coded = model.design.formula.design_matrix(new)[0]
        assert_allclose(coded[:, 1:].T.ravel(), at_new, rtol=1e-13, atol=1e-14)


# R 4.2, splines::ns and stats::poly; on the rows of the fit, and by predict() on the new ones
R_BASES: dict[str, tuple[list[float], list[float]]] = {
    "ns4": (
        [
            0.00000000000000000,
            0.02246531916354129,
            0.05325112690617194,
            0.17972255330833031,
            0.21801946376955969,
            0.40132879934310672,
            0.63498373331825220,
            0.70205338916613202,
            0.61856149284989970,
            0.35001347262421828,
            0.26359994490761157,
            0.05693758810004410,
            0.01036053223464875,
            0.00000000000000000,
            0.00000000000000000,
            -0.13738933439611198,
            -0.16956794305192910,
            -0.19598975967980714,
            -0.19363447855359806,
            -0.15681508627149421,
            -0.04024603581281717,
            0.10479991637502166,
            0.29162106184284375,
            0.51769113917893550,
            0.55363715967186233,
            0.44912033802801016,
            0.22654311583419190,
            -0.15359617661011085,
            0.00000000000000000,
            0.36391418818092092,
            0.44914825891315846,
            0.51913385124944023,
            0.51295129070117962,
            0.42961060118782785,
            0.24970879949212893,
            0.14478280362827795,
            0.11515806163710587,
            0.17132012922485940,
            0.19894378704298488,
            0.29400918304706003,
            0.34548002916996740,
            0.40684255560629357,
            0.00000000000000000,
            -0.22652485378480897,
            -0.27958031586122939,
            -0.32314409156963314,
            -0.31929564688213391,
            -0.26741875359389650,
            -0.15543567997852592,
            -0.08988371088544266,
            -0.06368907164270669,
            -0.03933152867051584,
            -0.01618089162245863,
            0.19993289082488591,
            0.41761632276119204,
            0.74675362100381726,
        ],
        [
            0.0000000000000000,
            0.0000000000000000,
            0.5188065412036317,
            0.0000000000000000,
            0.0000000000000000,
            0.1003472128321210,
            0.0000000000000000,
            -0.1127931976875910,
            -0.1535961766101109,
            -1.3253516818216076,
            -0.2657977393553252,
            0.0000000000000000,
            0.3494051465468788,
            0.4068425556062936,
            0.5837364059957695,
            0.1654505265232043,
            0.0000000000000000,
            -0.2174934429702487,
            0.7467536210038173,
            1.7416152758258381,
        ],
    ),
    "poly3": (
        [
            -0.40065980087752007,
            -0.30350211244301745,
            -0.27111621629818333,
            -0.20634442400851497,
            -0.19339006555058130,
            -0.14157263171884663,
            -0.07032366020021143,
            -0.01202904713950987,
            0.05274274515015851,
            0.14990043358466110,
            0.18228632972949524,
            0.31182991430883195,
            0.39603324428540088,
            0.50614529117783713,
            0.51456855410230917,
            0.20346748287750013,
            0.11646682165741913,
            -0.03248495700045893,
            -0.05826738572686928,
            -0.14803734394862608,
            -0.23656867216689373,
            -0.27894394271582723,
            -0.29429815453486124,
            -0.25470561280770398,
            -0.22480840304379601,
            -0.02172108471388663,
            0.18192736741788473,
            0.53340533060381023,
            -0.51735130167663523,
            0.01738977695792352,
            0.12144930153919842,
            0.23750579452376389,
            0.24772957926044190,
            0.25216631956810653,
            0.18176390613941940,
            0.07979917926215820,
            -0.05597862937511588,
            -0.24956802943372142,
            -0.29859808183572079,
            -0.33180312550101154,
            -0.14398226115997378,
            0.45947757173116660,
        ],
        [
            -0.4654315931671885,
            -0.4006598008775201,
            -0.1091867355740124,
            0.5061452911778372,
            0.8300042526261791,
            0.7637185078893203,
            0.5145685541023090,
            -0.1932887655315679,
            0.5334053306038105,
            2.1266038569941932,
            -1.0913452686209191,
            -0.5173513016766345,
            0.2294808842241033,
            0.4594775717311669,
            5.7295093248323399,
        ],
    ),
    "ns_knots": (
        [
            0.000000000000000000,
            -0.096639572512149385,
            -0.112787856846506385,
            -0.100332185971076543,
            -0.088888266453331560,
            -0.015292256603262167,
            0.134683507405021052,
            0.271959262500672039,
            0.408827403683315049,
            0.514754372994678522,
            0.513377868145307947,
            0.356486032075440329,
            0.161178664716130154,
            -0.147982062780269041,
            0.000000000000000000,
            0.302271943546327970,
            0.387025911858752236,
            0.511953098346621616,
            0.528005932440283710,
            0.562808579856428959,
            0.549890641356769350,
            0.505422782222122002,
            0.441087507745759055,
            0.361221736832537998,
            0.346475549634470081,
            0.338982216478893150,
            0.365855435540949792,
            0.419282511210762265,
            0.000000000000000000,
            -0.195587728177035763,
            -0.250428531202722016,
            -0.331263769518402196,
            -0.341642341311627407,
            -0.363100738837582426,
            -0.345906778631920264,
            -0.298161265502014772,
            -0.216960365974528585,
            -0.056035633636740273,
            0.004865196938836628,
            0.275310972224887318,
            0.467648800175820445,
            0.728699551569506720,
        ],
        [
            0.07475382156956871,
            0.00000000000000000,
            0.04800011392857170,
            -0.14798206278026904,
            -1.08968609865470833,
            -0.21180249444711133,
            0.00000000000000000,
            0.56423303759199084,
            0.41928251121076227,
            0.58744394618834006,
            0.13704867287754263,
            0.00000000000000000,
            -0.36148233983225075,
            0.72869955156950672,
            1.50224215246636805,
        ],
    ),
    "ns1": (
        [
            0.00000000000000000,
            0.08590539918613641,
            0.11454053224818185,
            0.17181079837227281,
            0.18326485159709102,
            0.22908106449636373,
            0.29207835723286379,
            0.34362159674454562,
            0.40089186286863654,
            0.48679726205477292,
            0.51543239511681838,
            0.62997292736500021,
            0.70442427332631852,
            0.80178372573727319,
        ],
        [-0.05727026612409093, 0.00000000000000000, 0.25771619755840913, 0.80178372573727319, 1.08813505635772767],
    ),
}
