"""A fitted model on its way elsewhere: as a text."""

from __future__ import annotations

from logit_stats.results.finished import Finished


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
