# Run in tests/reference: made data and R survey's covariances of domains and lonely units.
suppressMessages(library(survey)); library(jsonlite)
set.seed(4)
n <- 120; h <- rep(1:4, each=30); id <- rep(1:20, each=6)
d <- data.frame(h=h, id=id, x=rnorm(n), w=runif(n,1,5), z=rnorm(n))
d$dom <- as.integer(runif(n) < 0.35 & !(id %in% c(2,9,13)))
u <- rnorm(20)[id]*0.5
d$y <- as.integer(runif(n) < plogis(-0.2+0.5*d$x+u))
d$fpc <- c(12, 9, 20, 15)[h]
d$lone <- ifelse(id == 20, 5, h)
d$w0 <- ifelse(d$dom == 1, d$w, 0)
write.csv(d, "data/survey_domains.csv", row.names=FALSE)
out <- list()
fit <- function(des, f = y ~ x) { m <- suppressWarnings(svyglm(f, des, family=quasibinomial(), control=list(epsilon=1e-14,maxit=50))); s <- summary(m)$coefficients
  list(coef=unname(coef(m)), se=unname(sqrt(diag(vcov(m)))), df=m$df.residual, p=unname(s[,4])) }
des <- svydesign(ids=~id, strata=~h, weights=~w, data=d)
desf <- svydesign(ids=~id, strata=~h, weights=~w, fpc=~fpc, data=d)
desr <- svydesign(ids=~1, strata=~h, weights=~w, data=d)
des1 <- svydesign(ids=~1, weights=~w, data=d)
out$domain <- fit(subset(des, dom==1)); out$domain_fpc <- fit(subset(desf, dom==1))
out$domain_rows <- fit(subset(desr, dom==1)); out$domain_plain <- fit(subset(des1, dom==1))
out$zero_weights <- fit(svydesign(ids=~id, strata=~h, weights=~w0, data=d))
for (l in c("remove","certainty","adjust","average")) { options(survey.lonely.psu=l)
  dl <- svydesign(ids=~id, strata=~lone, weights=~w, data=d); out[[l]] <- fit(dl); out[[paste0(l,"_domain")]] <- fit(subset(dl, dom==1 & (id!=20 | TRUE))) }
write(toJSON(out, digits=I(17), auto_unbox=TRUE, pretty=TRUE), "survey_domains.json")
