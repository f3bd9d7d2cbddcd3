"""A fitted model on its way elsewhere: as a text, as an expression of SQL, as a script that fits it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logit_stats.errors import NotAvailableError
from logit_stats.estimation.absorbed import AbsorbedFit
from logit_stats.results.finished import Finished

if TYPE_CHECKING:
    from logit_stats.peers.replication import Replication


class Transport(Finished):
    """What a model becomes outside this program."""

    def to_json(self, indent: int | None = None) -> str:
        """The model as a text, without rows, that `logit_stats.from_json` reads: it predicts, with limits, as this result does.

        It holds the formula with its levels, knots and other remembered numbers, the coefficients and their covariance, the
        reference distribution, versions and a hash of the data. No code is in it, and none is run when it is read.

        Parameters
        ----------
        indent : int, optional
            Spaces by which lines are set in; by default everything is on one line.

        Raises
        ------
        NotAvailableError
            If the model or its formula cannot be carried in a text (a function of the caller's in the formula, infinite
            coefficients, effects of groups that are no columns, degrees of freedom of CR2).

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + smoke", ls.datasets.load("birthwt")).fit()
        >>> ls.from_json(res.to_json()).params.equals(res.params)
        True
        """
        from logit_stats.results.carrying import to_json

        return to_json(self, indent)

    def to_sql(self, dialect: str = "duckdb", kind: str = "probability") -> str | dict[Any, str]:
        """The prediction as one expression of SQL over the columns of the data; see the page on transport.

        NULL where a variable is missing, a level was not seen at the fit, or a value lies beyond a B-spline's knots.

        Parameters
        ----------
        dialect : {"duckdb", "postgres", "sqlite", "mysql", "mariadb", "snowflake", "bigquery", "spark", "sqlserver", "oracle"}
        kind : {"probability", "linear"}

        Returns
        -------
        str, or dict of str
            Of several categories an expression for each.

        Raises
        ------
        NotAvailableError
            If part of the formula has no exact translation; it is named.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ smoke", ls.datasets.load("birthwt")).fit()
        >>> res.to_sql("sqlite", kind="linear").count("smoke")
        1
        """
        from logit_stats.report.sql_prediction import sql_of

        self.facts.require("to_sql()", "finite")
        if isinstance(self.fit_, AbsorbedFit) or self.fit_.design.group is not None:
            raise NotAvailableError(
                "to_sql() writes models that predict by columns alone; this one has effects of groups."
            )
        return sql_of(self.fit_.design, self.fit_.beta, dialect, kind)

    def replication(self, language: str) -> Replication:
        """A script that fits this model again elsewhere and stops where a number differs; its data go along.

        ``print(res.replication("R"))`` shows it, ``res.replication("R").save(folder)`` writes script and data.

        Parameters
        ----------
        language : {"R", "stata", "statsmodels"}

        Raises
        ------
        NotAvailableError
            If the result is no binary logit by maximum likelihood, or its rows are gone.

        Examples
        --------
        >>> import logit_stats as ls
        >>> res = ls.logit("low ~ age + C(race)", ls.datasets.load("birthwt")).fit()
        >>> print([line for line in str(res.replication("R")).splitlines() if line.startswith("data$f2")][0])
        data$f2 <- with(data, factor(race, levels = c("white", "black", "other")))  # C(race)
        """
        from logit_stats.peers.replication import replication

        return replication(self, language)
