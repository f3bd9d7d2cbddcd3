/* One tile of rows, for one instruction set.

   _kernel.c includes this file once per instruction set, so it has no include guard. Before each inclusion it defines
     NAME(f)  the name of f for this instruction set,
     TARGET   the attribute that lets the compiler use it,
     WIDTH    doubles per vector (1: no vectors, any C compiler),
     HIGH     rows of a register block of the Gram matrix: HIGH * WIDE accumulators and their operands fill the registers.
   Vectors are the compiler's own (GCC and Clang on every processor), sums have fixed accumulators: nothing relies on
   -ffast-math, so results are the same bits in every run and the processor's floating-point state is never touched.

   The number of rows given to a function here is a multiple of WIDTH: the caller pads with rows that add nothing. */

#if WIDTH > 1
typedef double NAME(vec) __attribute__((vector_size(8 * WIDTH)));
typedef int64_t NAME(bits) __attribute__((vector_size(8 * WIDTH)));
/* anywhere in memory: columns start where the caller's array has them */
typedef double NAME(loose) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
#define BITS(x) ((NAME(bits))(x))
#define VALUE(x) ((NAME(vec))(x))
#define LESS(a, b) ((NAME(bits))((a) < (b)))
#define AT_LEAST(a, b) ((NAME(bits))((a) >= (b)))
#define LANE(v, lane) ((v)[lane])
#else
typedef double NAME(vec);
typedef int64_t NAME(bits);
typedef double NAME(loose);
#define BITS(x) bits_of_double(x)
#define VALUE(x) double_of_bits(x)
#define LESS(a, b) (-(int64_t)((a) < (b)))
#define AT_LEAST(a, b) (-(int64_t)((a) >= (b)))
#define LANE(v, lane) (v)
#endif

#define VEC NAME(vec)
#define MASK NAME(bits)
#define LOAD(p) (*(const NAME(loose) *)(p))
#define STORE(p, v) (*(NAME(loose) *)(p) = (v))
/* c - 0 is c whatever its sign, so this costs one broadcast */
#define SPLAT(c) ((c) - (VEC){0})
#define CHOOSE(mask, a, b) VALUE((BITS(a) & (mask)) | (BITS(b) & ~(mask)))
#define WHERE(mask, a) VALUE(BITS(a) & (mask))
#define WHERE_NOT(mask, a) VALUE(BITS(a) & ~(mask))
#define ABS(x) VALUE(BITS(x) & INT64_MAX)

INLINE TARGET double NAME(lane_sum)(VEC v)
{
    double sum = LANE(v, 0);
    for (int lane = 1; lane < WIDTH; lane++) sum += LANE(v, lane);
    return sum;
}

/* exp(x) for x <= 0: x = n log 2 + r with |r| <= log(2)/2, exp(r) = 1 + r + r^2 Q(r) with Q of degree 9 (Chebyshev,
   1.3e-17), scaled by 2^n in two steps so that denormal results are rounded once. Below -746 the result is 0. */
INLINE TARGET VEC NAME(exp_nonpositive)(VEC x)
{
    /* the sum's low bits hold n + 64 as an integer; exact while |n| < 2^51 */
    const double shifter = 0x1.8p52 + 64.0;
    x = CHOOSE(LESS(x, SPLAT(-746.0)), SPLAT(-746.0), x); /* keeps a NaN */
    VEC shifted = x * 0x1.71547652b82fep+0 + shifter;
    VEC n = shifted - shifter;
    VEC r = (x - n * 0x1.62e42fefa3000p-1) - n * 0x1.3de6af278ece6p-42;
    VEC r2 = r * r, r4 = r2 * r2;
    VEC q01 = r * 0x1.5555555555556p-3 + 0x1.0000000000001p-1;
    VEC q23 = r * 0x1.11111111109b3p-7 + 0x1.5555555553d63p-5;
    VEC q45 = r * 0x1.a01a01a7c41d5p-13 + 0x1.6c16c1788bd90p-10;
    VEC q67 = r * 0x1.71de0dae63bb3p-19 + 0x1.a019b90d2ae7ap-16;
    VEC q89 = r * 0x1.af38a9b0ec855p-26 + 0x1.289185613a3d6p-22;
    VEC q = (q01 + r2 * q23) + r4 * ((q45 + r2 * q67) + r4 * q89);
    VEC mantissa = 1.0 + (r + r2 * q);
    return VALUE(BITS(mantissa) + (BITS(shifted) << 52)) * 0x1p-64;
}

/* log(1 + e) for 0 <= e <= 1: 2 atanh(s) with s = e / (2 + e), a series in s^2 <= 1/9 (Chebyshev, 5e-18). No digit is
   lost however small e is. */
INLINE TARGET VEC NAME(log1p_unit)(VEC e)
{
    VEC s = e / (2.0 + e);
    VEC z = s * s, z2 = z * z, z4 = z2 * z2;
    VEC c01 = z * 0.20000000000007298 + 0.3333333333333333;
    VEC c23 = z * 0.11111111358900891 + 0.1428571428355253;
    VEC c45 = z * 0.07692785296456121 + 0.09090894708663223;
    VEC c67 = z * 0.06000577591428889 + 0.06657067775440581;
    VEC c89 = z * 0.08082469084735669 + 0.04400158825434387;
    VEC series = (c01 + z2 * c23) + z4 * ((c45 + z2 * c67) + z4 * c89);
    VEC twice = s + s;
    return twice + twice * (z * series);
}

static TARGET double NAME(sum_log1p_exp)(const double *eta, ptrdiff_t rows)
{
    VEC sum = {0};
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) sum += NAME(log1p_unit)(NAME(exp_nonpositive)(-ABS(LOAD(eta + i))));
    return NAME(lane_sum)(sum);
}

/* Rows of one trial: information weight, score residual and log-likelihood in one sweep. With t = eta for a success and
   -eta for a failure, the other outcome had probability missed = 1 / (1 + exp(t)), computed as the small number it is.
   Without weights the factors 1 + e are multiplied, at most TILE of them up to 2 each, and one logarithm is taken per
   lane. A factor is rounded to half a unit: where the sum is so small that this would show, terms are summed. */
INLINE TARGET double NAME(binary_rows)(const struct terms *row, const double *weight, ptrdiff_t rows)
{
    VEC behind = {0}, product = SPLAT(1.0);
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC sign = 2.0 * LOAD(row->successes + i) - 1.0;
        VEC t = sign * LOAD(row->eta + i);
        VEC e = NAME(exp_nonpositive)(-ABS(t));
        VEC factor = 1.0 + e;
        VEC likelier = 1.0 / factor;
        MASK ahead = AT_LEAST(t, SPLAT(0.0));
        VEC residual = sign * likelier * CHOOSE(ahead, e, SPLAT(1.0));
        VEC information = (e * likelier) * likelier;
        if (weight) {
            VEC a = LOAD(weight + i);
            behind += a * (WHERE_NOT(ahead, t) - NAME(log1p_unit)(e));
            residual *= a;
            information *= a;
        } else {
            behind += WHERE_NOT(ahead, t);
            product *= factor;
        }
        STORE(row->residual + i, residual);
        STORE(row->information + i, information);
    }
    if (weight) return NAME(lane_sum)(behind);
    double total = 0.0;
    for (int lane = 0; lane < WIDTH; lane++) total += log(LANE(product, lane));
    if (total < rows * 0x1p-5) total = NAME(sum_log1p_exp)(row->eta, rows);
    return NAME(lane_sum)(behind) - total;
}

/* Rows of several trials: y (1 - p) - (m - y) p keeps the digits of rows of one outcome. */
INLINE TARGET double NAME(grouped_rows)(const struct terms *row, const double *weight, ptrdiff_t rows)
{
    VEC loglik = {0};
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC eta = LOAD(row->eta + i), y = LOAD(row->successes + i), trials = LOAD(row->trials + i);
        VEC failures = trials - y;
        VEC e = NAME(exp_nonpositive)(-ABS(eta));
        VEC likelier = 1.0 / (1.0 + e), other = e * likelier;
        MASK positive = AT_LEAST(eta, SPLAT(0.0));
        VEC prob = CHOOSE(positive, likelier, other), complement = CHOOSE(positive, other, likelier);
        VEC residual = y * complement - failures * prob;
        VEC information = trials * (other * likelier);
        VEC term = y * WHERE_NOT(positive, eta) - failures * WHERE(positive, eta) - trials * NAME(log1p_unit)(e);
        if (weight) {
            VEC a = LOAD(weight + i);
            term *= a;
            residual *= a;
            information *= a;
        }
        loglik += term;
        STORE(row->residual + i, residual);
        STORE(row->information + i, information);
    }
    return NAME(lane_sum)(loglik);
}

/* Fills residual and information of the tile; returns its log-likelihood. */
static TARGET double NAME(row_terms)(const struct terms *row, ptrdiff_t rows)
{
    if (row->trials)
        return row->weight ? NAME(grouped_rows)(row, row->weight, rows) : NAME(grouped_rows)(row, NULL, rows);
    return row->weight ? NAME(binary_rows)(row, row->weight, rows) : NAME(binary_rows)(row, NULL, rows);
}

static TARGET double NAME(largest)(const double *eta, ptrdiff_t rows)
{
    VEC most = {0};
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC size = ABS(LOAD(eta + i));
        most = CHOOSE(LESS(most, size), size, most);
    }
    double result = 0.0;
    for (int lane = 0; lane < WIDTH; lane++)
        if (LANE(most, lane) > result) result = LANE(most, lane);
    return result;
}

/* eta += gamma_0 column_0 + ... for a few columns at once: eta is read and written once for all of them. */
INLINE TARGET void NAME(add_columns)(const int wide, double *eta, const double *const *columns, const double *gamma,
                                     ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC sum = LOAD(eta + i);
        for (int j = 0; j < wide; j++) sum += gamma[j] * LOAD(columns[j] + i);
        STORE(eta + i, sum);
    }
}

static TARGET void NAME(linear_predictor)(double *eta, const double *const *columns, const double *gamma, ptrdiff_t k,
                                          ptrdiff_t rows)
{
    ptrdiff_t j = 0;
    for (; j + 4 <= k; j += 4) NAME(add_columns)(4, eta, columns + j, gamma + j, rows);
    switch (k - j) {
    case 3: NAME(add_columns)(3, eta, columns + j, gamma + j, rows); break;
    case 2: NAME(add_columns)(2, eta, columns + j, gamma + j, rows); break;
    case 1: NAME(add_columns)(1, eta, columns + j, gamma + j, rows); break;
    }
}

/* product = weight * column */
INLINE TARGET void NAME(weigh)(double *product, const double *weight, const double *column, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) STORE(product + i, LOAD(weight + i) * LOAD(column + i));
}

/* out[a][b] += left_a . right_b for a register block: every load is used several times. */
INLINE TARGET void NAME(dots)(const int high, const int wide, const double *const *left, const double *const *right,
                              ptrdiff_t rows, const char *next, double *out, ptrdiff_t stride)
{
    VEC sum[HIGH][WIDE];
    for (int p = 0; p < high; p++)
        for (int q = 0; q < wide; q++) sum[p][q] = SPLAT(0.0);
    for (ptrdiff_t l = 0; l < rows; l += LANES) {
        PREFETCH(next + l * (ptrdiff_t)sizeof(double));
        for (ptrdiff_t i = l; i < l + LANES; i += WIDTH) {
            VEC a[HIGH];
            for (int p = 0; p < high; p++) a[p] = LOAD(left[p] + i);
            for (int q = 0; q < wide; q++) {
                VEC b = LOAD(right[q] + i);
                for (int p = 0; p < high; p++) sum[p][q] += a[p] * b;
            }
        }
    }
    for (int p = 0; p < high; p++)
        for (int q = 0; q < wide; q++) out[p * stride + q] += NAME(lane_sum)(sum[p][q]);
}

static TARGET void NAME(dot_block)(int high, int wide, const double *const *left, const double *const *right,
                                   ptrdiff_t rows, const char *next, double *out, ptrdiff_t stride)
{
#define DOTS(h, w) case 4 * (h) + (w) - 5: NAME(dots)(h, w, left, right, rows, next, out, stride); break;
    switch (4 * high + wide - 5) {
        DOTS(1, 1) DOTS(1, 2) DOTS(1, 3) DOTS(1, 4)
#if HIGH >= 2
        DOTS(2, 1) DOTS(2, 2) DOTS(2, 3) DOTS(2, 4)
#endif
#if HIGH >= 3
        DOTS(3, 1) DOTS(3, 2) DOTS(3, 3) DOTS(3, 4)
#endif
#if HIGH >= 4
        DOTS(4, 1) DOTS(4, 2) DOTS(4, 3) DOTS(4, 4)
#endif
    }
#undef DOTS
}

/* Lower triangle of X' diag(weight) X added to the first k rows of sums (k + 1, k), and X' residual to the last. */
static TARGET void NAME(gram)(const struct tile *tile, double *sums)
{
    const ptrdiff_t k = tile->k, rows = tile->rows, all = k + (tile->residual != NULL);
    ptrdiff_t called = 0;
    for (ptrdiff_t top = 0; top < all; top += PANEL) {
        const double *left[PANEL];
        const ptrdiff_t high = all - top < PANEL ? all - top : PANEL;
        for (ptrdiff_t p = 0; p < high; p++) {
            double *product = tile->panel + p * COLUMN;
            if (top + p < k) {
                NAME(weigh)(product, tile->weight, tile->columns[top + p], rows);
                left[p] = product;
            } else
                left[p] = tile->residual;
        }
        const ptrdiff_t end = top + high < k ? top + high : k;
        for (ptrdiff_t j = 0; j < end; j += WIDE) {
            const int wide = end - j < WIDE ? (int)(end - j) : WIDE;
            for (ptrdiff_t p = 0; p < high; p += HIGH) {
                const int some = high - p < HIGH ? (int)(high - p) : HIGH;
                const ptrdiff_t last = top + p + some; /* columns at or past it are above the diagonal */
                const int use = last - j < wide ? (int)(last - j) : wide;
                if (use > 0) {
                    NAME(dot_block)(some, use, left + p, tile->columns + j, rows, tile->next[called], sums + (top + p) * k + j, k);
                    if (called + 1 < k) called++;
                }
            }
        }
    }
}

static TARGET void NAME(map_exp)(const double *x, double *out, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) STORE(out + i, NAME(exp_nonpositive)(LOAD(x + i)));
}

static TARGET void NAME(map_log1p)(const double *x, double *out, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) STORE(out + i, NAME(log1p_unit)(LOAD(x + i)));
}

#undef BITS
#undef VALUE
#undef LESS
#undef AT_LEAST
#undef LANE
#undef VEC
#undef MASK
#undef LOAD
#undef STORE
#undef SPLAT
#undef CHOOSE
#undef WHERE
#undef WHERE_NOT
#undef ABS
#undef NAME
#undef TARGET
#undef WIDTH
#undef HIGH
