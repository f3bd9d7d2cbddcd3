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

#define TILE 384              /* rows at a time: of 128 ... 768 the fastest for k = 10 ... 100; a multiple of LANES */
#define LANES 8               /* rows are padded to a multiple of the widest vector and of a cache line */
#define COLUMN (TILE + LANES) /* doubles from one scratch column to the next; no power of two: those share cache sets */
#define ROUND_UP(n) (((n) + 3) / 4 * 4)
/* columns of the next tile called into the cache: during the row terms, and in every register block of the Gram matrix */
#define EARLY 4
#define CALLED 3
#define SUMS_STRIDE(k) ((k) + 8) /* doubles from one row of sums to the next: eight more, as four are added at a time */

#if (defined(__GNUC__) || defined(__clang__)) && !defined(KERNEL_PLAIN_C)
#define VECTORS 1
#define INLINE static inline __attribute__((always_inline))
#define PREFETCH(p) __builtin_prefetch((p), 0, 2)
/* GCC keeps an array of sums in registers only where every loop over it is unrolled, which it has to be told; Clang does both
   by itself, and worse when told. */
#if defined(__clang__)
#define UNROLL
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (MASK){__VA_ARGS__})
#endif
#else
#define VECTORS 0
#define INLINE static inline
#define PREFETCH(p) ((void)(p))
#define UNROLL
#endif

/* Keeps GCC from reading an operand from memory once for every product it takes part in. */
#if VECTORS && defined(__x86_64__)
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define IN_REGISTER(v) ((void)0)
#endif

/* Row vectors of a tile; trials and weight may be NULL. */
struct terms {
    const double *eta, *e, *successes, *trials, *weight;
    double *residual, *information;
};

/* What a Gram matrix is made of; residual may be NULL. */
struct tile {
    ptrdiff_t rows, k;
    const double *const *columns;
    const char *const *next; /* the same columns one tile further on */
    const double *weight, *residual;
    double *panel; /* scratch for SIDE weighted columns */
};

/* A register block of a Gram matrix, products of the columns left and right of it; residual may be NULL. */
struct block {
    ptrdiff_t rows;
    const double *const *left, *const *right;
    const double *weight, *residual;
    double *panel; /* the left columns, weighted */
    const char *const *next;
    double *out, *score;
    ptrdiff_t stride;
};

struct instruction_set {
    const char *name;
    double (*exponentials)(const double *eta, double *e, ptrdiff_t rows, const char *const *next);
    double (*row_terms)(const struct terms *, ptrdiff_t rows);
    void (*linear_predictor)(double *eta, const double *const *columns, const double *gamma, ptrdiff_t k, ptrdiff_t rows);
    void (*gram)(const struct tile *, double *sums);
    void (*score)(const struct tile *, double *out);
    void (*loglik_terms)(const struct terms *, double *out, ptrdiff_t rows);
    void (*quadratic_form)(const struct tile *, const double *root, ptrdiff_t r, double *scratch, double *out);
    ptrdiff_t (*transpose)(const char *from, ptrdiff_t row_stride, ptrdiff_t k, double *to);
    void (*map_functions)(const double *x, double *exps, double *logs, ptrdiff_t rows);
};

#if !VECTORS
INLINE uint64_t bits_of_double(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINE double double_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
#endif

#define INSTRUCTION_SET(name, suffix, transposing)                                                                      \
    {name, exponentials_##suffix, row_terms_##suffix, linear_predictor_##suffix, gram_##suffix, score_##suffix, \
     loglik_terms_##suffix, quadratic_form_##suffix, transpose_##transposing, map_functions_##suffix}

#if VECTORS && defined(__x86_64__)
#define X86_CHOICE 1
#define NAME(f) f##_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma")))
#define WIDTH 8
#define SIDE 5
#include "_kernel_tile.h"

#define NAME(f) f##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 4
#define SIDE 3
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
#define SIDE 5 /* 32 registers */
#else
#define SIDE 3
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
    INSTRUCTION_SET("AVX-512", avx512, avx2),
    INSTRUCTION_SET("AVX2", avx2, avx2),
#endif
    INSTRUCTION_SET(BASELINE, baseline, baseline),
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

#include "_kernel_walk.h"

enum argument {
    X, SUCCESSES, TRIALS, WEIGHT, OFFSET, CODES, GAMMA, CENTER, SCALE, ROOT, OUT_ETA, OUT_RESIDUAL, OUT_INFORMATION_WEIGHT,
    OUT_TERMS, OUT_FORM, OUT_SCORE, OUT_INFORMATION, OUT_CODE_SUMS, ARGUMENT_COUNT
};

static const char *const ARGUMENT_NAMES[ARGUMENT_COUNT] = {
    "X", "successes", "trials", "weight", "offset", "codes", "gamma", "center", "scale", "root", "eta", "residual",
    "information_weight", "terms", "form", "score", "information", "code_sums",
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

/* Codes are integers of 8 bytes, each below the number of rows of code_sums. */
static int view_codes(PyObject *object, Py_buffer *view)
{
    if (PyObject_GetBuffer(object, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) return 0;
    if (view->ndim == 1 && view->itemsize == 8 && view->format && (!strcmp(view->format, "l") || !strcmp(view->format, "q")))
        return 1;
    PyErr_SetString(PyExc_ValueError, "codes must be a contiguous int64 array of 1 dimension.");
    PyBuffer_Release(view);
    return 0;
}

static int view_argument(PyObject *object, Py_buffer *view, int a)
{
    if (a == CODES) return view_codes(object, view);
    const int flags = a < GAMMA ? PyBUF_STRIDES : a < OUT_ETA ? PyBUF_C_CONTIGUOUS : PyBUF_C_CONTIGUOUS | PyBUF_WRITABLE;
    const int ndim = a == X || a == ROOT || a == OUT_INFORMATION || a == OUT_CODE_SUMS ? 2 : 1;
    return view_doubles(object, view, flags, ndim, ARGUMENT_NAMES[a]);
}

static int refuse(const char *message)
{
    PyErr_SetString(PyExc_ValueError, message);
    return 0;
}

/* Lengths are checked here: no argument, however wrong, may lead outside its array. */
static int check_lengths(const Py_buffer *views)
{
    const Py_ssize_t rows = views[X].shape[0], k = views[X].shape[1];
    for (int a = SUCCESSES; a < ARGUMENT_COUNT; a++) {
        if (!views[a].obj) continue;
        const int by_column = (a >= GAMMA && a <= SCALE) || a == OUT_SCORE || a == OUT_INFORMATION;
        const Py_ssize_t wanted = a == ROOT || a == OUT_CODE_SUMS ? views[a].shape[0] : by_column ? k : rows;
        if (views[a].shape[0] != wanted || (views[a].ndim == 2 && views[a].shape[1] != k)) {
            PyErr_Format(PyExc_ValueError, "%s has length %zd where X asks for %zd.", ARGUMENT_NAMES[a], views[a].shape[0],
                         wanted);
            return 0;
        }
    }
    const int64_t *codes = views[CODES].buf;
    for (Py_ssize_t i = 0; codes && views[OUT_CODE_SUMS].obj && i < rows; i++)
        if (codes[i] < 0 || codes[i] >= views[OUT_CODE_SUMS].shape[0]) return refuse("A code is outside of code_sums.");
    return 1;
}

/* Whether what is wanted can be computed from what is given. */
static int check_wanted(const Py_buffer *views)
{
    const int terms = views[SUCCESSES].obj != NULL;
    if ((terms || views[OUT_ETA].obj) && !views[GAMMA].obj) return refuse("A linear predictor needs gamma.");
    if (!terms && (views[OUT_SCORE].obj || views[OUT_RESIDUAL].obj || views[OUT_INFORMATION_WEIGHT].obj || views[OUT_TERMS].obj))
        return refuse("Row terms need successes.");
    if ((views[OUT_INFORMATION].obj || views[OUT_CODE_SUMS].obj) && !terms && !views[WEIGHT].obj)
        return refuse("A Gram matrix, and sums by code, need weights.");
    if (!views[ROOT].obj != !views[OUT_FORM].obj) return refuse("A quadratic form needs root and form.");
    if (!views[CODES].obj != !views[OUT_CODE_SUMS].obj) return refuse("Sums by code need codes and code_sums.");
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

/* rows(which, X, successes, trials, weight, offset, codes, gamma, center, scale, root, eta, residual, information_weight,
        terms, form, score, information, code_sums) -> (loglik, max_abs_eta) */
static PyObject *rows_of(PyObject *self, PyObject *args)
{
    (void)self;
    int which;
    PyObject *o[ARGUMENT_COUNT];
    Py_buffer views[ARGUMENT_COUNT];
    PyObject *result = NULL;
    if (!PyArg_ParseTuple(args, "iOOOOOOOOOOOOOOOOOO:rows", &which, &o[0], &o[1], &o[2], &o[3], &o[4], &o[5], &o[6], &o[7],
                          &o[8], &o[9], &o[10], &o[11], &o[12], &o[13], &o[14], &o[15], &o[16], &o[17]))
        return NULL;
    const struct instruction_set *set = chosen_set(which);
    if (!set) return NULL;
    memset(views, 0, sizeof views);
    for (int a = 0; a < ARGUMENT_COUNT; a++) {
        if (o[a] == Py_None && a != X) continue;
        if (!view_argument(o[a], &views[a], a)) {
            views[a].obj = NULL;
            goto done;
        }
    }
    if (!check_lengths(views) || !check_wanted(views)) goto done;
    const ptrdiff_t k = views[X].shape[1];
    struct task task = {
        views[X].shape[0], k, views[X].buf, views[X].strides[0], views[X].strides[1],
        vector_of(&views[SUCCESSES]), vector_of(&views[TRIALS]), vector_of(&views[WEIGHT]), vector_of(&views[OFFSET]),
        views[GAMMA].buf, views[CENTER].buf, views[SCALE].buf,
        views[ROOT].buf, views[ROOT].obj ? views[ROOT].shape[0] : 0, views[CODES].buf,
        views[OUT_ETA].buf, views[OUT_RESIDUAL].buf, views[OUT_INFORMATION_WEIGHT].buf, views[OUT_TERMS].buf,
        views[OUT_FORM].buf, views[OUT_CODE_SUMS].buf,
        NULL, NULL, 0.0, 0.0,
    };
    int failed = 0;
    double *information = views[OUT_INFORMATION].buf, *score = views[OUT_SCORE].buf;
    if (information || score) {
        double *sums = calloc((size_t)(information ? k + 1 : 1) * (size_t)SUMS_STRIDE(k), sizeof(double));
        if (information)
            task.sums = sums;
        else
            task.score = sums;
        failed = sums == NULL;
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
            for (ptrdiff_t j = 0; j <= i; j++) information[i * k + j] = information[j * k + i] = task.sums[i * SUMS_STRIDE(k) + j];
        if (score) memcpy(score, information ? task.sums + k * SUMS_STRIDE(k) : task.score, (size_t)k * sizeof(double));
        result = Py_BuildValue("dd", task.loglik, task.largest);
    }
    free(task.sums);
    free(task.score);
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
                set->map_functions(x.buf, exps.buf, logs.buf, x.shape[0]);
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
