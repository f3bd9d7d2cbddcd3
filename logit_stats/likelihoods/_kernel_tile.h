/* One tile of rows, for one instruction set.

   _kernel.c includes this file once per instruction set, so it has no include guard. Before each inclusion it defines
     NAME(f)  the name of f for this instruction set,
     TARGET   the attribute that lets the compiler use it,
     WIDTH    doubles per vector (1: no vectors, any C compiler),
     SIDE     3 or 5: register blocks of the Gram matrix are SIDE x SIDE dot products, what 16 or 32 registers hold with
              ease (3 x 4 of 16 is no faster, and GCC then keeps a sum in memory when it likes to).
   Vectors are the compiler's own (GCC and Clang on every processor), sums have fixed accumulators: nothing relies on
   -ffast-math, so results are the same bits in every run and the processor's floating-point state is never touched.

   The number of rows given to a function here is a multiple of LANES: the caller pads with rows that add nothing.
   Pointers and constants are copied to locals before a loop that stores, as a store may change anything in memory. */

#if WIDTH > 1
typedef double NAME(vec) __attribute__((vector_size(8 * WIDTH)));
typedef uint64_t NAME(bits) __attribute__((vector_size(8 * WIDTH)));
/* anywhere in memory: columns start where the caller's array has them */
typedef double NAME(loose) __attribute__((vector_size(8 * WIDTH), aligned(8), may_alias));
typedef double NAME(quad) __attribute__((vector_size(32), aligned(8), may_alias));
#define BITS(x) ((NAME(bits))(x))
#define VALUE(x) ((NAME(vec))(x))
#define LESS(a, b) ((NAME(bits))((a) < (b)))
#define AT_LEAST(a, b) ((NAME(bits))((a) >= (b)))
#define LANE(v, lane) ((v)[lane])
#else
typedef double NAME(vec);
typedef uint64_t NAME(bits);
typedef double NAME(loose);
#define BITS(x) bits_of_double(x)
#define VALUE(x) double_of_bits(x)
#define LESS(a, b) ((uint64_t)0 - ((a) < (b)))
#define AT_LEAST(a, b) ((uint64_t)0 - ((a) >= (b)))
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

/* out[q] += sum of the lanes of v[q] for four vectors at once: a tile has many such sums. */
INLINE TARGET void NAME(add_lane_sums)(const VEC *v, double *out)
{
#if WIDTH == 4
    const VEC pair01 = SHUFFLE(v[0], v[1], 0, 4, 2, 6) + SHUFFLE(v[0], v[1], 1, 5, 3, 7);
    const VEC pair23 = SHUFFLE(v[2], v[3], 0, 4, 2, 6) + SHUFFLE(v[2], v[3], 1, 5, 3, 7);
    STORE(out, LOAD(out) + (SHUFFLE(pair01, pair23, 0, 1, 4, 5) + SHUFFLE(pair01, pair23, 2, 3, 6, 7)));
#elif WIDTH == 8
    const VEC pair01 = SHUFFLE(v[0], v[1], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(v[0], v[1], 1, 9, 3, 11, 5, 13, 7, 15);
    const VEC pair23 = SHUFFLE(v[2], v[3], 0, 8, 2, 10, 4, 12, 6, 14) + SHUFFLE(v[2], v[3], 1, 9, 3, 11, 5, 13, 7, 15);
    double half[8];
    STORE(half, SHUFFLE(pair01, pair23, 0, 1, 8, 9, 4, 5, 12, 13) + SHUFFLE(pair01, pair23, 2, 3, 10, 11, 6, 7, 14, 15));
    *(NAME(quad) *)out += *(const NAME(quad) *)half + *(const NAME(quad) *)(half + 4);
#else
    for (int q = 0; q < 4; q++) out[q] += NAME(lane_sum)(v[q]);
#endif
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
    /* log 2 in two parts: n times the first one, of 42 bits, is exact */
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

/* e = exp(-|eta|); returns the largest |eta|. A sweep of its own: the processor overlaps more rows of a shorter chain of
   operations, which takes a third off the time of the row terms. It needs no memory, so meanwhile the first columns of the
   next tile are called into the cache. */
static TARGET double NAME(exponentials)(const double *eta, double *e, ptrdiff_t rows, const char *const *next)
{
    const char *early[EARLY];
    for (int j = 0; j < EARLY; j++) early[j] = next[j];
    VEC most = {0};
    for (ptrdiff_t line = 0; line < rows; line += LANES) {
        UNROLL for (int j = 0; j < EARLY; j++) PREFETCH(early[j] + line * (ptrdiff_t)sizeof(double));
        for (ptrdiff_t i = line; i < line + LANES; i += WIDTH) {
            VEC size = ABS(LOAD(eta + i));
            most = CHOOSE(LESS(most, size), size, most);
            STORE(e + i, NAME(exp_nonpositive)(-size));
        }
    }
    double result = 0.0;
    for (int lane = 0; lane < WIDTH; lane++)
        if (LANE(most, lane) > result) result = LANE(most, lane);
    return result;
}

static TARGET double NAME(sum_log1p)(const double *e, ptrdiff_t rows)
{
    VEC sum = {0};
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) sum += NAME(log1p_unit)(LOAD(e + i));
    return NAME(lane_sum)(sum);
}

/* Rows of one trial. With t = eta for a success and -eta for a failure, the other outcome had probability
   1 / (1 + exp(t)), computed as the small number it is. Without weights the factors 1 + e are multiplied, at most TILE of
   them up to 2 each, and one logarithm is taken per lane. A factor is rounded to half a unit of 1: where the sum is so
   small that this would show, the terms are summed instead. */
INLINE TARGET double NAME(binary_rows)(const struct terms *row, const double *weight, ptrdiff_t rows)
{
    const double *eta = row->eta, *exponential = row->e, *successes = row->successes;
    double *out_residual = row->residual, *out_information = row->information;
    VEC behind = {0}, product = SPLAT(1.0);
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC e = LOAD(exponential + i), sign = 2.0 * LOAD(successes + i) - 1.0;
        VEC t = sign * LOAD(eta + i);
        MASK ahead = AT_LEAST(t, SPLAT(0.0));
        VEC factor = 1.0 + e, likelier = 1.0 / factor;
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
        STORE(out_residual + i, residual);
        STORE(out_information + i, information);
    }
    if (weight) return NAME(lane_sum)(behind);
    double total = 0.0;
    for (int lane = 0; lane < WIDTH; lane++) total += log(LANE(product, lane));
    if (total < (double)rows * 0x1p-5) total = NAME(sum_log1p)(exponential, rows);
    return NAME(lane_sum)(behind) - total;
}

/* Rows of several trials: y (1 - p) - (m - y) p keeps the digits of rows of one outcome. */
INLINE TARGET double NAME(grouped_rows)(const struct terms *row, const double *weight, ptrdiff_t rows)
{
    const double *exponential = row->e, *linear = row->eta, *successes = row->successes, *all_trials = row->trials;
    double *out_residual = row->residual, *out_information = row->information;
    VEC loglik = {0};
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC e = LOAD(exponential + i), eta = LOAD(linear + i), y = LOAD(successes + i), trials = LOAD(all_trials + i);
        VEC failures = trials - y;
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
        STORE(out_residual + i, residual);
        STORE(out_information + i, information);
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

/* Log-likelihood of every row, without its weight. */
static TARGET void NAME(loglik_terms)(const struct terms *row, double *out, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC eta = LOAD(row->eta + i), y = LOAD(row->successes + i), trials = SPLAT(1.0);
        if (row->trials) trials = LOAD(row->trials + i);
        MASK positive = AT_LEAST(eta, SPLAT(0.0));
        VEC tail = NAME(log1p_unit)(LOAD(row->e + i));
        STORE(out + i, y * WHERE_NOT(positive, eta) - (trials - y) * WHERE(positive, eta) - trials * tail);
    }
}

/* eta += gamma_0 column_0 + ... for a few columns at once: eta is read and written once for all of them. */
INLINE TARGET void NAME(add_columns)(const int wide, double *eta, const double *const *columns, const double *gamma,
                                     ptrdiff_t rows)
{
    const double *column[8];
    VEC g[8];
    for (int j = 0; j < wide; j++) column[j] = columns[j];
    for (int j = 0; j < wide; j++) g[j] = SPLAT(gamma[j]);
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        VEC sum = LOAD(eta + i);
        for (int j = 0; j < wide; j++) sum += g[j] * LOAD(column[j] + i);
        STORE(eta + i, sum);
    }
}

static TARGET void NAME(linear_predictor)(double *eta, const double *const *columns, const double *gamma, ptrdiff_t k,
                                          ptrdiff_t rows)
{
    ptrdiff_t j = 0;
    for (; j + 8 <= k; j += 8) NAME(add_columns)(8, eta, columns + j, gamma + j, rows);
    for (; j + 4 <= k; j += 4) NAME(add_columns)(4, eta, columns + j, gamma + j, rows);
    switch (k - j) {
    case 3: NAME(add_columns)(3, eta, columns + j, gamma + j, rows); break;
    case 2: NAME(add_columns)(2, eta, columns + j, gamma + j, rows); break;
    case 1: NAME(add_columns)(1, eta, columns + j, gamma + j, rows); break;
    }
}

/* Sum of the squares of r linear combinations of the columns; zeros at either end of a row of root cost nothing. */
static TARGET void NAME(quadratic_form)(const struct tile *tile, const double *root, ptrdiff_t r, double *part, double *out)
{
    const ptrdiff_t rows = tile->rows, k = tile->k;
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) STORE(out + i, SPLAT(0.0));
    for (ptrdiff_t q = 0; q < r; q++, root += k) {
        ptrdiff_t first = 0, end = k;
        while (first < end && root[first] == 0.0) first++;
        while (end > first && root[end - 1] == 0.0) end--;
        for (ptrdiff_t i = 0; i < rows; i += WIDTH) STORE(part + i, SPLAT(0.0));
        NAME(linear_predictor)(part, tile->columns + first, root + first, end - first, rows);
        for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
            VEC z = LOAD(part + i);
            STORE(out + i, LOAD(out + i) + z * z);
        }
    }
}

/* Lower triangle of X' diag(weight) X of a few columns added to out, and X' residual to score. Weighted columns that many
   rectangles will need are kept in panel; for few, weighting them again costs less than the stores. */
INLINE TARGET void NAME(corner)(const int wide, const int with_residual, const int keep, const struct block *block)
{
    const double *column[SIDE], *weight = block->weight, *residual = block->residual;
    const char *next[CALLED];
    double *panel = block->panel;
    const ptrdiff_t rows = block->rows;
    VEC sum[SIDE][ROUND_UP(SIDE)], last[ROUND_UP(SIDE)];
    for (int j = 0; j < CALLED; j++) next[j] = block->next[j];
    UNROLL for (int q = 0; q < wide; q++) column[q] = block->right[q];
    UNROLL for (int q = 0; q < ROUND_UP(SIDE); q++) last[q] = SPLAT(0.0);
    UNROLL for (int p = 0; p < wide; p++)
        UNROLL for (int q = 0; q < ROUND_UP(SIDE); q++) sum[p][q] = SPLAT(0.0);
    for (ptrdiff_t line = 0; line < rows; line += LANES) {
        UNROLL for (int j = 0; j < CALLED; j++) PREFETCH(next[j] + line * (ptrdiff_t)sizeof(double));
        UNROLL for (ptrdiff_t i = line; i < line + LANES; i += WIDTH) {
            VEC x[SIDE], w = LOAD(weight + i);
            IN_REGISTER(w);
            UNROLL for (int p = 0; p < wide; p++) {
                x[p] = LOAD(column[p] + i);
                IN_REGISTER(x[p]);
            }
            UNROLL for (int p = 0; p < wide; p++) {
                VEC a = w * x[p];
                if (keep) STORE(panel + p * COLUMN + i, a);
                UNROLL for (int q = 0; q <= p; q++) sum[p][q] += a * x[q];
            }
            if (with_residual) {
                VEC r = LOAD(residual + i);
                IN_REGISTER(r);
                UNROLL for (int q = 0; q < wide; q++) last[q] += r * x[q];
            }
        }
    }
    UNROLL for (int p = 0; p < wide; p++)
        UNROLL for (int q = 0; q <= p; q += 4) NAME(add_lane_sums)(sum[p] + q, block->out + p * block->stride + q);
    if (with_residual)
        UNROLL for (int q = 0; q < wide; q += 4) NAME(add_lane_sums)(last + q, block->score + q);
}

/* Products of a few weighted columns (from panel, or weighted afresh) with SIDE columns added to out: every load is used
   several times. */
INLINE TARGET void NAME(rectangle)(const int high, const int fresh, const struct block *block)
{
    const double *column[SIDE], *left[SIDE], *weight = block->weight;
    const char *next[CALLED];
    const ptrdiff_t rows = block->rows;
    VEC sum[SIDE][ROUND_UP(SIDE)];
    for (int j = 0; j < CALLED; j++) next[j] = block->next[j];
    UNROLL for (int q = 0; q < SIDE; q++) column[q] = block->right[q];
    UNROLL for (int p = 0; p < high; p++) left[p] = fresh ? block->left[p] : block->panel + p * COLUMN;
    UNROLL for (int p = 0; p < high; p++)
        UNROLL for (int q = 0; q < ROUND_UP(SIDE); q++) sum[p][q] = SPLAT(0.0);
    for (ptrdiff_t line = 0; line < rows; line += LANES) {
        UNROLL for (int j = 0; j < CALLED; j++) PREFETCH(next[j] + line * (ptrdiff_t)sizeof(double));
        UNROLL for (ptrdiff_t i = line; i < line + LANES; i += WIDTH) {
            VEC a[SIDE], w = LOAD(weight + i);
            UNROLL for (int p = 0; p < high; p++) {
                a[p] = LOAD(left[p] + i);
                if (fresh) a[p] *= w;
                IN_REGISTER(a[p]);
            }
            UNROLL for (int q = 0; q < SIDE; q++) {
                VEC b = LOAD(column[q] + i);
                IN_REGISTER(b);
                UNROLL for (int p = 0; p < high; p++) sum[p][q] += a[p] * b;
            }
        }
    }
    UNROLL for (int p = 0; p < high; p++)
        UNROLL for (int q = 0; q < SIDE; q += 4) NAME(add_lane_sums)(sum[p] + q, block->out + p * block->stride + q);
}

static TARGET void NAME(corner_of)(int wide, int keep, const struct block *block)
{
#define CASE(w)                                                \
    case 4 * w: NAME(corner)(w, 0, 0, block); break;           \
    case 4 * w + 1: NAME(corner)(w, 0, 1, block); break;       \
    case 4 * w + 2: NAME(corner)(w, 1, 0, block); break;       \
    case 4 * w + 3: NAME(corner)(w, 1, 1, block); break;
    switch (4 * wide + 2 * (block->residual != NULL) + keep) {
        CASE(1) CASE(2) CASE(3)
#if SIDE == 5
        CASE(4) CASE(5)
#endif
    }
#undef CASE
}

static TARGET void NAME(rectangle_of)(int high, int fresh, const struct block *block)
{
#define CASE(h)                                          \
    case 2 * h: NAME(rectangle)(h, 0, block); break;     \
    case 2 * h + 1: NAME(rectangle)(h, 1, block); break;
    switch (2 * high + fresh) {
        CASE(1) CASE(2) CASE(3)
#if SIDE == 5
        CASE(4) CASE(5)
#endif
    }
#undef CASE
}

/* Lower triangle of X' diag(weight) X added to the first k rows of the sums, and X' residual to one more row. Meanwhile the
   columns of the next tile are called into the cache, but for the first ones, which were called before. */
static TARGET void NAME(gram)(const struct tile *tile, double *sums)
{
    const ptrdiff_t k = tile->k, stride = SUMS_STRIDE(k);
    ptrdiff_t called = tile->residual ? EARLY : 0;
    for (ptrdiff_t top = 0; top < k; top += SIDE) {
        const int high = k - top < SIDE ? (int)(k - top) : SIDE;
        struct block block = {tile->rows, tile->columns + top, tile->columns + top, tile->weight, tile->residual, tile->panel,
                              tile->next + (called < k ? called : k), sums + top * stride + top, sums + k * stride + top, stride};
        const int keep = top > 2 * SIDE;
        NAME(corner_of)(high, keep, &block);
        for (ptrdiff_t j = 0; j < top; j += SIDE) {
            called += CALLED;
            block.next = tile->next + (called < k ? called : k);
            block.right = tile->columns + j;
            block.out = sums + top * stride + j;
            NAME(rectangle_of)(high, !keep, &block);
        }
        called += CALLED;
    }
}

/* X' residual of a few columns added to out. */
INLINE TARGET void NAME(dots)(const int wide, const struct tile *tile, ptrdiff_t first, double *out)
{
    const double *column[4], *residual = tile->residual;
    const char *next[4];
    const ptrdiff_t rows = tile->rows;
    VEC sum[4];
    for (int q = 0; q < wide; q++) column[q] = tile->columns[first + q];
    for (int q = 0; q < wide; q++) next[q] = tile->next[first + q];
    for (int q = 0; q < 4; q++) sum[q] = SPLAT(0.0);
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        const VEC r = LOAD(residual + i);
        for (int q = 0; q < wide; q++) {
            PREFETCH(next[q] + i * (ptrdiff_t)sizeof(double));
            sum[q] += r * LOAD(column[q] + i);
        }
    }
    NAME(add_lane_sums)(sum, out);
}

/* X' residual added to out, which has room for four doubles more: a few columns at once. */
static TARGET void NAME(score)(const struct tile *tile, double *out)
{
    ptrdiff_t j = 0;
    for (; j + 4 <= tile->k; j += 4) NAME(dots)(4, tile, j, out + j);
    switch (tile->k - j) {
    case 3: NAME(dots)(3, tile, j, out + j); break;
    case 2: NAME(dots)(2, tile, j, out + j); break;
    case 1: NAME(dots)(1, tile, j, out + j); break;
    }
}

#if WIDTH <= 4
/* Eight rows of a row-major design to scratch columns, as many columns as whole vectors hold; returns their number. */
static TARGET ptrdiff_t NAME(transpose)(const char *from, ptrdiff_t row_stride, ptrdiff_t k, double *to)
{
    ptrdiff_t j = 0;
#if WIDTH == 4
    for (; j + 4 <= k; j += 4)
        for (int i = 0; i < LANES; i += 4) {
            const char *row = from + i * row_stride + j * (ptrdiff_t)sizeof(double);
            const VEC a = LOAD(row), b = LOAD(row + row_stride), c = LOAD(row + 2 * row_stride), d = LOAD(row + 3 * row_stride);
            const VEC ab02 = SHUFFLE(a, b, 0, 4, 2, 6), ab13 = SHUFFLE(a, b, 1, 5, 3, 7);
            const VEC cd02 = SHUFFLE(c, d, 0, 4, 2, 6), cd13 = SHUFFLE(c, d, 1, 5, 3, 7);
            double *column = to + j * COLUMN + i;
            STORE(column, SHUFFLE(ab02, cd02, 0, 1, 4, 5));
            STORE(column + COLUMN, SHUFFLE(ab13, cd13, 0, 1, 4, 5));
            STORE(column + 2 * COLUMN, SHUFFLE(ab02, cd02, 2, 3, 6, 7));
            STORE(column + 3 * COLUMN, SHUFFLE(ab13, cd13, 2, 3, 6, 7));
        }
#elif WIDTH == 2
    for (; j + 2 <= k; j += 2)
        for (int i = 0; i < LANES; i += 2) {
            const char *row = from + i * row_stride + j * (ptrdiff_t)sizeof(double);
            const VEC a = LOAD(row), b = LOAD(row + row_stride);
            double *column = to + j * COLUMN + i;
            STORE(column, SHUFFLE(a, b, 0, 2));
            STORE(column + COLUMN, SHUFFLE(a, b, 1, 3));
        }
#else
    (void)from, (void)row_stride, (void)k, (void)to;
#endif
    return j;
}
#endif

static TARGET void NAME(map_functions)(const double *x, double *exps, double *logs, ptrdiff_t rows)
{
    for (ptrdiff_t i = 0; i < rows; i += WIDTH) {
        STORE(exps + i, NAME(exp_nonpositive)(LOAD(x + i)));
        STORE(logs + i, NAME(log1p_unit)(LOAD(x + i)));
    }
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
#undef SIDE
