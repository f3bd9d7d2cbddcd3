/* Sums over the rows of a binomial logit: log-likelihood, score and information, tile by tile.

   The formulas are those of moments.py, which is the reference; this file is the same function for speed. A tile of rows
   stays in the processor's cache while everything is computed from it, so a design in memory is read once. Columns of
   unit stride are used where they lie; others (row-major, strided, reversed, centred) are copied a tile at a time.
   What is computed from a tile is in _kernel_tile.h, once per instruction set; the best one is chosen at run time.

   Arrays come through the buffer protocol (part of Python's stable ABI since 3.11). The GIL is released; this code starts
   no threads and has no state. */

#ifndef Py_GIL_DISABLED
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifndef TILE
#define TILE 256             /* rows at a time; a multiple of LANES */
#endif
#define LANES 8              /* rows are padded to a multiple of the widest vector */
#define COLUMN (TILE + LANES) /* doubles from one scratch column to the next: no power of two, which would share cache sets */
#define WIDE 4               /* columns of a register block */
#ifndef PANEL
#define PANEL 12             /* weighted columns kept in the first-level cache; a multiple of 3 and 4 */
#endif

#if (defined(__GNUC__) || defined(__clang__)) && !defined(KERNEL_PLAIN_C)
#define VECTORS 1
#define INLINE static inline __attribute__((always_inline))
#ifndef PFL
#define PFL 2
#endif
#define PREFETCH(p) __builtin_prefetch((p), 0, PFL)
#else
#define VECTORS 0
#define INLINE static inline
#define PREFETCH(p) ((void)(p))
#endif

/* Row vectors of a tile; trials and weight may be NULL. */
struct terms {
    const double *eta, *successes, *trials, *weight;
    double *residual, *information;
};

/* What a Gram matrix is made of; residual may be NULL. */
struct tile {
    ptrdiff_t rows, k;
    const double *const *columns;
    const char *const *next; /* the same columns one tile further on, or NULL */
    const double *weight, *residual;
    double *panel; /* PANEL columns of scratch */
};

struct instruction_set {
    const char *name;
    double (*row_terms)(const struct terms *, ptrdiff_t rows);
    double (*largest)(const double *eta, ptrdiff_t rows);
    void (*linear_predictor)(double *eta, const double *const *columns, const double *gamma, ptrdiff_t k, ptrdiff_t rows);
    void (*gram)(const struct tile *, double *sums);
    void (*exp_nonpositive)(const double *x, double *out, ptrdiff_t rows);
    void (*log1p_unit)(const double *x, double *out, ptrdiff_t rows);
};

INLINE int64_t bits_of_double(double x)
{
    int64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE double double_of_bits(int64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

#define INSTRUCTION_SET(name, suffix)                                                                                   \
    {name, row_terms_##suffix, largest_##suffix, linear_predictor_##suffix, gram_##suffix, map_exp_##suffix,          \
     map_log1p_##suffix}

#if VECTORS && defined(__x86_64__)
#define X86_CHOICE 1
#define NAME(f) f##_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))
#define WIDTH 8
#define HIGH 4
#include "_kernel_tile.h"

#define NAME(f) f##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 4
#define HIGH 3
#include "_kernel_tile.h"
#endif

#define NAME(f) f##_baseline
#define TARGET
#if VECTORS
#define WIDTH 2
#else
#define WIDTH 1
#endif
#if defined(__aarch64__)
#define HIGH 4 /* 32 registers */
#else
#define HIGH 3
#endif
#include "_kernel_tile.h"

#if !VECTORS
#define BASELINE "plain C"
#elif defined(__x86_64__)
#define BASELINE "SSE2"
#elif defined(__aarch64__)
#define BASELINE "NEON"
#else
#define BASELINE "portable vectors"
#endif

/* Best first. */
static const struct instruction_set INSTRUCTION_SETS[] = {
#ifdef X86_CHOICE
    INSTRUCTION_SET("AVX-512", avx512),
    INSTRUCTION_SET("AVX2", avx2),
#endif
    INSTRUCTION_SET(BASELINE, baseline),
};
#define INSTRUCTION_SET_COUNT ((int)(sizeof INSTRUCTION_SETS / sizeof INSTRUCTION_SETS[0]))

static int usable(int which)
{
#ifdef X86_CHOICE
    __builtin_cpu_init();
    if (which == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (which == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return which < INSTRUCTION_SET_COUNT;
}

/* ---- rows ---------------------------------------------------------------------------------------------------------- */

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
    double *eta, *residual, *information;
    double *sums; /* (k + 1, k): lower triangle of the Gram matrix, and the score as one more row */
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

/* A tile of a row-major design, eight rows at a time so that each line of the scratch columns is written once. */
static void copy_row_major(double *to, const char *from, ptrdiff_t row_stride, ptrdiff_t column_stride, ptrdiff_t rows,
                           ptrdiff_t k)
{
    for (ptrdiff_t i = 0; i < rows; i += LANES) {
        const ptrdiff_t some = rows - i < LANES ? rows - i : LANES;
        for (ptrdiff_t j = 0; j < k; j++)
            copy_strided(to + j * COLUMN + i, from + i * row_stride + j * column_stride, row_stride, some);
    }
}

static int moved(const struct task *task, ptrdiff_t j)
{
    return (task->center && task->center[j] != 0.0) || (task->scale && task->scale[j] != 1.0);
}

/* Points columns (and next, for the prefetch) at the working columns of a tile, copying those that cannot stay. */
static void working_columns(const struct task *task, ptrdiff_t start, ptrdiff_t rows, ptrdiff_t padded, double *scratch,
                            const double **columns, const char **next)
{
    const ptrdiff_t row_stride = task->row_stride, column_stride = task->column_stride;
    const char *X = task->X + start * row_stride;
    const int row_major = labs((long)row_stride) > labs((long)column_stride);
    if (row_major) copy_row_major(scratch, X, row_stride, column_stride, rows, task->k);
    for (ptrdiff_t j = 0; j < task->k; j++) {
        const char *from = X + j * column_stride;
        double *to = scratch + j * COLUMN;
        next[j] = row_stride == (ptrdiff_t)sizeof(double) && start + 2 * TILE <= task->rows
                      ? from + TILE * (ptrdiff_t)sizeof(double)
                      : NULL;
        columns[j] = to;
        if (rows == padded && in_place(from, row_stride) && !moved(task, j)) {
            columns[j] = (const double *)from;
            continue;
        }
        if (!row_major) copy_strided(to, from, row_stride, rows);
        if (moved(task, j)) {
            const double center = task->center ? task->center[j] : 0.0, scale = task->scale ? task->scale[j] : 1.0;
            for (ptrdiff_t i = 0; i < rows; i++) to[i] = (to[i] - center) * scale;
        }
        fill(to + rows, 0.0, padded - rows);
    }
}

/* Everything wanted of a task, one tile after the other. Returns 0, or -1 where memory ran out. */
static int walk(const struct instruction_set *set, struct task *task)
{
    enum { ETA, SUCCESSES, TRIALS, WEIGHT, RESIDUAL, INFORMATION, VECTOR_COUNT };
    const ptrdiff_t k = task->k;
    const size_t doubles = (size_t)(k + PANEL + VECTOR_COUNT) * COLUMN;
    double *scratch = malloc(doubles * sizeof(double) + 2 * (size_t)(k + 1) * sizeof(char *));
    if (!scratch) return -1;
    double *panel = scratch + k * COLUMN, *vectors = panel + PANEL * COLUMN;
    const double **columns = (const double **)(scratch + doubles);
    const char **next = (const char **)(columns + k);
    task->loglik = task->largest = 0.0;
    for (ptrdiff_t start = 0; start < task->rows; start += TILE) {
        const ptrdiff_t rows = task->rows - start < TILE ? task->rows - start : TILE;
        const ptrdiff_t padded = (rows + LANES - 1) / LANES * LANES;
        double *eta = vectors + ETA * COLUMN;
        struct tile tile = {padded, k, columns, next, NULL, NULL, panel};
        working_columns(task, start, rows, padded, scratch, columns, next);
        tile.weight = vector_rows(&task->weight, start, rows, padded, 0.0, vectors + WEIGHT * COLUMN);
        if (task->gamma) {
            if (task->offset.data)
                copy_strided(eta, task->offset.data + start * task->offset.stride, task->offset.stride, rows);
            else
                fill(eta, 0.0, rows);
            fill(eta + rows, 0.0, padded - rows);
            set->linear_predictor(eta, columns, task->gamma, k, padded);
            if (task->eta) memcpy(task->eta + start, eta, (size_t)rows * sizeof(double));
        }
        if (task->successes.data) {
            /* padding: a success that was certain, or no trial at all */
            const struct terms row = {
                eta,
                vector_rows(&task->successes, start, rows, padded, task->trials.data ? 0.0 : 1.0,
                            vectors + SUCCESSES * COLUMN),
                vector_rows(&task->trials, start, rows, padded, 0.0, vectors + TRIALS * COLUMN),
                tile.weight,
                vectors + RESIDUAL * COLUMN,
                vectors + INFORMATION * COLUMN,
            };
            const double largest = set->largest(eta, padded);
            if (largest > task->largest) task->largest = largest;
            fill(eta + rows, 800.0, padded - rows);
            const double loglik = set->row_terms(&row, padded);
            task->loglik += loglik;
            if (isnan(loglik))
                for (ptrdiff_t i = 0; i < rows; i++)
                    if (isnan(eta[i])) task->largest = NAN;
            tile.weight = row.information;
            tile.residual = row.residual;
            if (task->residual) memcpy(task->residual + start, row.residual, (size_t)rows * sizeof(double));
            if (task->information) memcpy(task->information + start, row.information, (size_t)rows * sizeof(double));
        }
        if (task->sums) set->gram(&tile, task->sums);
    }
    free(scratch);
    return 0;
}

/* ---- Python -------------------------------------------------------------------------------------------------------- */

enum argument {
    X, SUCCESSES, TRIALS, WEIGHT, OFFSET, GAMMA, CENTER, SCALE, OUT_ETA, OUT_RESIDUAL, OUT_INFORMATION_WEIGHT, OUT_SCORE,
    OUT_INFORMATION, ARGUMENT_COUNT
};

static const char *const ARGUMENT_NAMES[ARGUMENT_COUNT] = {
    "X", "successes", "trials", "weight", "offset", "gamma", "center", "scale", "eta", "residual", "information_weight",
    "score", "information",
};

static void release(Py_buffer *views)
{
    for (int a = 0; a < ARGUMENT_COUNT; a++)
        if (views[a].obj) PyBuffer_Release(&views[a]);
}

/* A float64 array of the wanted number of dimensions; 0 with an exception set where it is something else. */
static int view_doubles(PyObject *object, Py_buffer *view, int flags, int ndim, const char *name)
{
    if (PyObject_GetBuffer(object, view, flags | PyBUF_FORMAT) < 0) return 0;
    if (view->ndim == ndim && view->itemsize == (Py_ssize_t)sizeof(double) && view->format && !strcmp(view->format, "d"))
        return 1;
    PyErr_Format(PyExc_ValueError, "%s must be a float64 array of %d dimension(s).", name, ndim);
    PyBuffer_Release(view);
    return 0;
}

/* Lengths are checked here: no argument, however wrong, may lead outside its array. */
static int check_lengths(const Py_buffer *views)
{
    const Py_ssize_t rows = views[X].shape[0], k = views[X].shape[1];
    for (int a = SUCCESSES; a < ARGUMENT_COUNT; a++) {
        const int per_column = (a >= GAMMA && a <= SCALE) || a == OUT_SCORE || a == OUT_INFORMATION;
        const Py_ssize_t wanted = per_column ? k : rows;
        if (!views[a].obj) continue;
        if (views[a].shape[0] != wanted || (a == OUT_INFORMATION && views[a].shape[1] != k)) {
            PyErr_Format(PyExc_ValueError, "%s has length %zd where X asks for %zd.", ARGUMENT_NAMES[a], views[a].shape[0],
                         wanted);
            return 0;
        }
    }
    const int terms = views[SUCCESSES].obj != NULL;
    if ((terms || views[OUT_ETA].obj) && !views[GAMMA].obj) {
        PyErr_SetString(PyExc_ValueError, "A linear predictor needs gamma.");
        return 0;
    }
    if (!terms && (views[OUT_SCORE].obj || views[OUT_RESIDUAL].obj || views[OUT_INFORMATION_WEIGHT].obj)) {
        PyErr_SetString(PyExc_ValueError, "Row terms need successes.");
        return 0;
    }
    if (views[OUT_INFORMATION].obj && !terms && !views[WEIGHT].obj) {
        PyErr_SetString(PyExc_ValueError, "A Gram matrix needs weights.");
        return 0;
    }
    if (views[OUT_SCORE].obj && !views[OUT_INFORMATION].obj) {
        PyErr_SetString(PyExc_ValueError, "The score comes with the information.");
        return 0;
    }
    return 1;
}

static struct strided vector_of(const Py_buffer *view)
{
    struct strided vector = {NULL, 0};
    if (view->obj) {
        vector.data = view->buf;
        vector.stride = view->strides[0];
    }
    return vector;
}

static const struct instruction_set *chosen_set(int which)
{
    if (which >= 0 && which < INSTRUCTION_SET_COUNT && usable(which)) return &INSTRUCTION_SETS[which];
    PyErr_Format(PyExc_ValueError, "This processor has no instruction set number %d.", which);
    return NULL;
}

/* rows(which, X, successes, trials, weight, offset, gamma, center, scale,
        eta, residual, information_weight, score, information) -> (loglik, max_abs_eta) */
static PyObject *rows_of(PyObject *self, PyObject *args)
{
    (void)self;
    int which;
    PyObject *o[ARGUMENT_COUNT];
    Py_buffer views[ARGUMENT_COUNT];
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "iOOOOOOOOOOOOO:rows", &which, &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7], &o[8],
                          &o[9], &o[10], &o[11], &o[12]))
        return NULL;
    const struct instruction_set *set = chosen_set(which);
    if (!set) return NULL;
    memset(views, 0, sizeof views);
    for (int a = 0; a < ARGUMENT_COUNT; a++) {
        if (o[a] == Py_None && a != X) continue;
        const int flags = a < GAMMA ? PyBUF_STRIDES : a < OUT_ETA ? PyBUF_C_CONTIGUOUS : PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE;
        const int ndim = a == X || a == OUT_INFORMATION ? 2 : 1;
        if (!view_doubles(o[a], &views[a], flags, ndim, ARGUMENT_NAMES[a])) {
            views[a].obj = NULL;
            goto done;
        }
    }
    if (!check_lengths(views)) goto done;
    const ptrdiff_t k = views[X].shape[1];
    struct task task = {
        views[X].shape[0], k, views[X].buf, views[X].strides[0], views[X].strides[1],
        vector_of(&views[SUCCESSES]), vector_of(&views[TRIALS]), vector_of(&views[WEIGHT]), vector_of(&views[OFFSET]),
        views[GAMMA].buf, views[CENTER].buf, views[SCALE].buf,
        views[OUT_ETA].buf, views[OUT_RESIDUAL].buf, views[OUT_INFORMATION_WEIGHT].buf,
        NULL, 0.0, 0.0,
    };
    int failed = 0;
    double *information = views[OUT_INFORMATION].buf, *score = views[OUT_SCORE].buf;
    if (information) {
        task.sums = calloc((size_t)(k + 1) * (size_t)k + 1, sizeof(double));
        if (!task.sums) failed = 1;
    }
    if (!failed) {
        Py_BEGIN_ALLOW_THREADS
        failed = walk(set, &task);
        Py_END_ALLOW_THREADS
    }
    if (failed)
        PyErr_NoMemory();
    else {
        for (ptrdiff_t i = 0; information && i < k; i++)
            for (ptrdiff_t j = 0; j <= i; j++) information[i * k + j] = information[j * k + i] = task.sums[i * k + j];
        if (score) memcpy(score, task.sums + k * k, (size_t)k * sizeof(double));
        result = Py_BuildValue("dd", task.loglik, task.largest);
    }
    free(task.sums);
done:
    release(views);
    return result;
}

/* functions(which, x, exp, log1p): the kernel's own exp (of x <= 0) and log1p (of 0 <= x <= 1), for the tests */
static PyObject *functions(PyObject *self, PyObject *args)
{
    (void)self;
    int which;
    PyObject *object, *out_exp, *out_log1p;
    if (!PyArg_ParseTuple(args, "iOOO:functions", &which, &object, &out_exp, &out_log1p)) return NULL;
    const struct instruction_set *set = chosen_set(which);
    if (!set) return NULL;
    Py_buffer x, exps, logs;
    PyObject *result = NULL;
    if (!view_doubles(object, &x, PyBUF_C_CONTIGUOUS, 1, "x")) return NULL;
    if (view_doubles(out_exp, &exps, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE, 1, "exp")) {
        if (view_doubles(out_log1p, &logs, PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE, 1, "log1p")) {
            if (x.shape[0] % LANES || exps.shape[0] != x.shape[0] || logs.shape[0] != x.shape[0])
                PyErr_Format(PyExc_ValueError, "Lengths must be the same multiple of %d.", LANES);
            else {
                set->exp_nonpositive(x.buf, exps.buf, x.shape[0]);
                set->log1p_unit(x.buf, logs.buf, x.shape[0]);
                result = Py_NewRef(Py_None);
            }
            PyBuffer_Release(&logs);
        }
        PyBuffer_Release(&exps);
    }
    PyBuffer_Release(&x);
    return result;
}

/* instruction_sets() -> {number: name} of those this processor has, best first */
static PyObject *instruction_sets(PyObject *self, PyObject *args)
{
    (void)self;
    (void)args;
    PyObject *names = PyDict_New();
    for (int which = 0; names && which < INSTRUCTION_SET_COUNT; which++) {
        if (!usable(which)) continue;
        PyObject *number = PyLong_FromLong(which), *name = PyUnicode_FromString(INSTRUCTION_SETS[which].name);
        if (!number || !name || PyDict_SetItem(names, number, name) < 0) Py_CLEAR(names);
        Py_XDECREF(number);
        Py_XDECREF(name);
    }
    return names;
}

static PyMethodDef METHODS[] = {
    {"rows", rows_of, METH_VARARGS, "Sums and row terms of a range of rows."},
    {"functions", functions, METH_VARARGS, "The kernel's exp and log1p, for the tests."},
    {"instruction_sets", instruction_sets, METH_NOARGS, "Instruction sets of this processor, best first."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot SLOTS[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_kernel", "Sums over the rows of a binomial logit.", 0, METHODS, SLOTS, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    return PyModuleDef_Init(&MODULE);
}
