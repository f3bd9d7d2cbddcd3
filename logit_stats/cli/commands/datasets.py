"""``logit-stats datasets``."""

from __future__ import annotations

import click

from logit_stats.cli.show import list_frame


@click.command()
@click.argument("name", required=False)
def datasets(name: str | None) -> None:
    """List the data sets that come along, or describe NAME."""
    from logit_stats import datasets as room

    if name is not None:
        click.echo(str(room.describe(name)))
        return
    list_frame(room.table(), "Data sets")
