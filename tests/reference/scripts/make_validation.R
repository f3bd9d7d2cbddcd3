# Optimism of the indexes of rms::validate by bootstrap and by cross-validation, for resamples that are kept beside them.
# Run from tests/reference with Rscript scripts/make_validation.R; writes resampled_validation.json.
suppressWarnings(suppressPackageStartupMessages({ library(rms); library(MASS); library(jsonlite) }))

# rms stops its fits when -2 log-likelihood moves by less than 0.025; here until it moves by 1e-10, after which one more step changes nothing
exact <- rms::lrm.fit
formals(exact)$eps <- 1e-10
formals(exact)$maxit <- 50
assignInNamespace("lrm.fit", exact, "rms")

d <- read.csv("data/pima_train.csv")
d$diabetic <- as.integer(d$diabetic == "Yes" | d$diabetic == 1)
f <- diabetic ~ npreg + glu + bp + skin + bmi + ped + age
n <- nrow(d)
fit <- lrm(f, d, x = TRUE, y = TRUE, eps = 1e-13, tol = 1e-14, maxit = 50)
table_of <- function(v) { m <- unclass(v)[, 1:6]; list(rows = rownames(m), columns = colnames(m), values = unname(m)) }

# validate() draws its resamples with sample(): the same seed draws them again
B <- 12
set.seed(1); boot <- rms::validate(fit, method = "boot", B = B)
set.seed(1); draws <- t(replicate(B, sample(n, replace = TRUE)))

# the smooth calibration curve of the same resamples, corrected
set.seed(1); curve <- rms::calibrate(fit, B = B)
curve <- list(prob = unname(curve[, "predy"]), apparent = unname(curve[, "calibrated.orig"]), corrected = unname(curve[, "calibrated.corrected"]))

K <- 8
set.seed(2); cross <- rms::validate(fit, method = "crossvalidation", B = K)
set.seed(2); order <- sample(n, replace = FALSE); fold <- integer(n); per <- n / K
for (i in 1:K) { is <- 1 + round((i - 1) * per); ie <- min(n, round(is + per - 1)); fold[order[is:ie]] <- i }

# with selection by AIC (MASS::stepAIC) in every resample, measured by the function that validate() uses
indexes <- function(eta, y) {
  r <- exact(eta, y, tol = 1e-13); N <- length(y); a <- r$coefficients[1]; b <- r$coefficients[2]; p <- plogis(eta)
  D <- (r$stats["Model L.R."] - 1) / N
  U <- (-2 * sum(y * eta - log1p(exp(eta))) - r$deviance[2] - 2) / N
  B <- mean((p - y)^2)
  z <- c(somers2(eta, y)["Dxy"], r$stats["R2"], a, b, D, U, D - U, B, GiniMd(b * eta), GiniMd(plogis(a + b * eta)),
         somers2(eta, y)["C"], 1 - B / (mean(y) * (1 - mean(y))))
  names(z) <- c("Dxy", "R2", "Intercept", "Slope", "D", "U", "Q", "B", "g", "gp", "C", "Brier scaled"); z
}
full <- function(formula, data) glm(formula, binomial, data, control = glm.control(epsilon = 1e-14, maxit = 100))
stepped <- function(data) { assign("stepdata", data, .GlobalEnv)
  m <- glm(f, binomial, stepdata, control = glm.control(epsilon = 1e-14, maxit = 100)); stepAIC(m, trace = 0) }
pieces <- lapply(1:B, function(i) { t <- d[draws[i, ], ]; m <- stepped(t)
  list(terms = attr(terms(m), "term.labels"), training = indexes(predict(m, t), t$diabetic), test = indexes(predict(m, d), d$diabetic)) })
m0 <- stepped(d); orig <- indexes(predict(m0, d), d$diabetic)
training <- rowMeans(sapply(pieces, `[[`, "training")); test <- rowMeans(sapply(pieces, `[[`, "test"))
selected <- list(final = attr(terms(m0), "term.labels"), kept = lapply(pieces, `[[`, "terms"), rows = names(orig),
  index_orig = unname(orig), training = unname(training), test = unname(test), index_corrected = unname(orig - training + test))

# one resample without selection, index by index, and the two indexes that rms does not have
one <- full(f, d[draws[1, ], ])
single <- list(rows = names(orig), training = unname(indexes(predict(one, d[draws[1, ], ]), d$diabetic[draws[1, ]])),
  test = unname(indexes(predict(one, d), d$diabetic)))

write(toJSON(list(name = "resampled_validation", title = "Optimism of a fit by resampling", data_file = "data/pima_train.csv",
  formula_r = deparse(f, width.cutoff = 500), software = list(R = as.character(getRversion()), rms = as.character(packageVersion("rms")),
  Hmisc = as.character(packageVersion("Hmisc")), MASS = as.character(packageVersion("MASS"))),
  values = list(bootstrap = c(list(draws = draws), table_of(boot)), calibrate = curve, crossvalidation = c(list(folds = fold), table_of(cross)),
  bootstrap_with_step = selected, first_resample = single)), auto_unbox = TRUE, digits = 16), "resampled_validation.json")
