/* From the caller's arrays to tiles: columns of any strides, centred and scaled, a range of rows after the other.

   Part of _kernel.c, which defines the instruction sets. */

/* A vector of the caller's with any stride in bytes; data is NULL where there is none. */
struct strided {
    const char *data;
    ptrdiff_t stride;
};

/* What is wanted of which rows. Inputs that may be NULL: trials, weight, offset, gamma, center, scale; without gamma
   there are no row terms and weight is that of the Gram matrix. Outputs that are NULL are not computed. */
struct task {
    ptrdiff_t rows, k;
    const char *X;
    ptrdiff_t row_stride, column_stride;
    struct strided successes, trials, weight, offset;
    const double *gamma, *center, *scale;
    const double *root; /* r rows of k */
    ptrdiff_t r;
    const int64_t *codes;
    double *eta, *residual, *information, *terms;
    double *form;      /* |root z|^2 of every row z of the working columns */
    double *code_sums; /* a row of k for every code: sums of z times residual, or weight; added to what is there */
    double *sums;  /* k + 1 rows of SUMS_STRIDE: lower triangle of the Gram matrix, and the score */
    double *score; /* one row of SUMS_STRIDE, where the score is wanted without the Gram matrix */
    double loglik, largest;
};

static void copy_strided(double *to, const char *from, ptrdiff_t stride, ptrdiff_t rows)
{
    if (stride == (ptrdiff_t)sizeof(double))
        memcpy(to, from, (size_t)rows * sizeof(double));
    else
        for (ptrdiff_t i = 0; i < rows; i++) memcpy(to + i, from + i * stride, sizeof(double));
}

static void fill(double *to, double value, ptrdiff_t count)
{
    for (ptrdiff_t i = 0; i < count; i++) to[i] = value;
}

static ptrdiff_t distance(ptrdiff_t stride)
{
    return stride < 0 ? -stride : stride;
}

static int in_place(const char *data, ptrdiff_t stride)
{
    return stride == (ptrdiff_t)sizeof(double) && (uintptr_t)data % sizeof(double) == 0;
}

/* Rows start ... of a vector, where they lie or copied to scratch and padded; NULL where there is no vector. */
static const double *vector_rows(const struct strided *vector, ptrdiff_t start, ptrdiff_t rows, ptrdiff_t padded,
                                 double padding, double *scratch)
{
    if (!vector->data) return NULL;
    const char *from = vector->data + start * vector->stride;
    if (rows == padded && in_place(from, vector->stride)) return (const double *)from;
    copy_strided(scratch, from, vector->stride, rows);
    fill(scratch + rows, padding, padded - rows);
    return scratch;
}

/* A tile of a row-major design, eight rows at a time so that a line of the scratch columns is written whole. */
static void copy_row_major(const struct instruction_set *set, const struct task *task, const char *from, ptrdiff_t rows,
                           double *to)
{
    const ptrdiff_t row_stride = task->row_stride, column_stride = task->column_stride;
    const int aligned = column_stride == (ptrdiff_t)sizeof(double) && row_stride % (ptrdiff_t)sizeof(double) == 0 &&
                        (uintptr_t)from % sizeof(double) == 0;
    for (ptrdiff_t i = 0; i < rows; i += LANES) {
        const ptrdiff_t some = rows - i < LANES ? rows - i : LANES;
        const char *row = from + i * row_stride;
        ptrdiff_t j = aligned && some == LANES ? set->transpose(row, row_stride, task->k, to + i) : 0;
        for (; j < task->k; j++) copy_strided(to + j * COLUMN + i, row + j * column_stride, row_stride, some);
    }
}

static int moved(const struct task *task, ptrdiff_t j)
{
    return (task->center && task->center[j] != 0.0) || (task->scale && task->scale[j] != 1.0);
}

/* Points columns (and next, for the prefetch) at the working columns of a tile, copying those that cannot stay. */
static void working_columns(const struct instruction_set *set, const struct task *task, ptrdiff_t start, ptrdiff_t rows,
                            ptrdiff_t padded, double *scratch, const double **columns, const char **next)
{
    const ptrdiff_t row_stride = task->row_stride, column_stride = task->column_stride;
    const char *X = task->X + start * row_stride;
    const int row_major = distance(row_stride) > distance(column_stride);
    const int more = row_stride == (ptrdiff_t)sizeof(double) && start + 2 * TILE <= task->rows;
    /* columns a multiple of 4096 bytes apart share the same few cache sets: worth a copy where there are many */
    const int stay = rows == padded && in_place(X, row_stride) && column_stride % (ptrdiff_t)sizeof(double) == 0 &&
                     (column_stride % 4096 != 0 || task->k <= 16);
    for (int j = 0; j < EARLY; j++) next[task->k + j] = (const char *)scratch;
    if (row_major) copy_row_major(set, task, X, rows, scratch);
    for (ptrdiff_t j = 0; j < task->k; j++) {
        const char *from = X + j * column_stride;
        double *to = scratch + j * COLUMN;
        next[j] = more ? from + TILE * (ptrdiff_t)sizeof(double) : (const char *)to;
        if (stay && !row_major && !moved(task, j)) {
            columns[j] = (const double *)from;
            continue;
        }
        columns[j] = to;
        if (!row_major) copy_strided(to, from, row_stride, rows);
        if (moved(task, j)) {
            const double center = task->center ? task->center[j] : 0.0, scale = task->scale ? task->scale[j] : 1.0;
            for (ptrdiff_t i = 0; i < rows; i++) to[i] = (to[i] - center) * scale;
        }
        fill(to + rows, 0.0, padded - rows);
    }
}

/* Scratch of a walk: one allocation, in cache lines. */
enum { PANEL, PANEL_COLUMNS = 5, ETA = PANEL_COLUMNS, E, SUCCESSES_COPY, TRIALS_COPY, WEIGHT_COPY, RESIDUAL, INFORMATION, SCRATCH_COLUMNS };

/* Row terms of a tile: fills residual and information, adds to the log-likelihood. */
static void tile_row_terms(const struct instruction_set *set, struct task *task, ptrdiff_t start, ptrdiff_t rows,
                           ptrdiff_t padded, double *scratch, struct tile *tile)
{
    double *eta = scratch + ETA * COLUMN, *e = scratch + E * COLUMN;
    /* padding adds nothing: a success that was certain, or no trial at all */
    const struct terms row = {
        eta,
        e,
        vector_rows(&task->successes, start, rows, padded, task->trials.data ? 0.0 : 1.0, scratch + SUCCESSES_COPY * COLUMN),
        vector_rows(&task->trials, start, rows, padded, 0.0, scratch + TRIALS_COPY * COLUMN),
        tile->weight,
        scratch + RESIDUAL * COLUMN,
        scratch + INFORMATION * COLUMN,
    };
    const double largest = set->exponentials(eta, e, padded, tile->next);
    if (largest > task->largest) task->largest = largest;
    fill(e + rows, 0.0, padded - rows);
    fill(eta + rows, 1.0, padded - rows);
    const double loglik = set->row_terms(&row, padded);
    task->loglik += loglik;
    if (isnan(loglik)) /* comparisons have passed over an eta that is not a number */
        for (ptrdiff_t i = 0; i < rows; i++)
            if (isnan(eta[i])) task->largest = NAN;
    tile->weight = row.information;
    tile->residual = row.residual;
    if (task->residual) memcpy(task->residual + start, row.residual, (size_t)rows * sizeof(double));
    if (task->information) memcpy(task->information + start, row.information, (size_t)rows * sizeof(double));
    if (task->terms) {
        set->loglik_terms(&row, scratch + PANEL * COLUMN, padded);
        memcpy(task->terms + start, scratch + PANEL * COLUMN, (size_t)rows * sizeof(double));
    }
}

/* Quadratic forms of the rows of a tile. */
static void tile_forms(const struct instruction_set *set, struct task *task, ptrdiff_t start, ptrdiff_t rows,
                       const struct tile *tile)
{
    double *form = tile->panel + COLUMN;
    set->quadratic_form(tile, task->root, task->r, tile->panel, form);
    memcpy(task->form + start, form, (size_t)rows * sizeof(double));
}

static void tile_code_sums(struct task *task, ptrdiff_t start, ptrdiff_t rows, const struct tile *tile)
{
    const double *factor = tile->residual ? tile->residual : tile->weight;
    for (ptrdiff_t i = 0; i < rows; i++) {
        double *sum = task->code_sums + task->codes[start + i] * tile->k;
        for (ptrdiff_t j = 0; j < tile->k; j++) sum[j] += factor[i] * tile->columns[j][i];
    }
}

/* Everything wanted of a task, one tile after the other. Returns 0, or -1 where memory ran out. */
static int walk(const struct instruction_set *set, struct task *task)
{
    const ptrdiff_t k = task->k;
    const size_t doubles = (size_t)(SCRATCH_COLUMNS + k) * COLUMN;
    char *memory = malloc(64 + doubles * sizeof(double) + (2 * (size_t)k + EARLY) * sizeof(char *));
    if (!memory) return -1;
    double *scratch = (double *)(memory + (64 - (uintptr_t)memory % 64));
    double *eta = scratch + ETA * COLUMN;
    const double **columns = (const double **)(scratch + doubles);
    const char **next = (const char **)(columns + k);
    task->loglik = task->largest = 0.0;
    for (ptrdiff_t start = 0; start < task->rows; start += TILE) {
        const ptrdiff_t rows = task->rows - start < TILE ? task->rows - start : TILE;
        const ptrdiff_t padded = (rows + LANES - 1) / LANES * LANES;
        struct tile tile = {padded, k, columns, next, NULL, NULL, scratch};
        working_columns(set, task, start, rows, padded, scratch + SCRATCH_COLUMNS * COLUMN, columns, next);
        tile.weight = vector_rows(&task->weight, start, rows, padded, 0.0, scratch + WEIGHT_COPY * COLUMN);
        if (task->gamma) {
            if (task->offset.data)
                copy_strided(eta, task->offset.data + start * task->offset.stride, task->offset.stride, rows);
            else
                fill(eta, 0.0, rows);
            fill(eta + rows, 0.0, padded - rows);
            set->linear_predictor(eta, columns, task->gamma, k, padded);
            if (task->eta) memcpy(task->eta + start, eta, (size_t)rows * sizeof(double));
        }
        if (task->successes.data) tile_row_terms(set, task, start, rows, padded, scratch, &tile);
        if (task->sums) set->gram(&tile, task->sums);
        if (task->score) set->score(&tile, task->score);
        if (task->form) tile_forms(set, task, start, rows, &tile);
        if (task->code_sums) tile_code_sums(task, start, rows, &tile);
    }
    free(memory);
    return 0;
}
