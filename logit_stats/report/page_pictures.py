"""Pictures inside a page: drawn alike whatever style is in use, one thread at a time, as large as what they show asks for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from io import BytesIO
from threading import Lock
from typing import Any

from logit_stats.errors import LogitStatsError

# matplotlib's style is one for the whole process
_DRAWING = Lock()
NO_MATPLOTLIB = "Pictures are left out: matplotlib is not installed (pip install 'logit-stats[plot]')."


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture.

    Attributes
    ----------
    caption : str
    draw : function of Axes
    width, height : float
        Inches.
    """

    caption: str
    draw: Callable[[Any], Any]
    width: float = 4.8
    height: float = 3.8

    @property
    def wide(self) -> bool:
        """Whether it takes the whole width of the page."""
        return self.width > 6.0


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


@contextmanager
def _own_style() -> Iterator[None]:
    """Matplotlib's own style; names of parts come from the salt, so that the same fit gives the same page."""
    import matplotlib as mpl

    with _DRAWING, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "logit_stats"
        yield


def drawn(pictures: list[Picture]) -> str:
    """Return figures of HTML; a picture that the result cannot be asked for is left out."""
    if not pictures or not can_draw():
        return ""
    with _own_style():
        figures = [_figure(picture) for picture in pictures]
    found = "".join(filter(None, figures))
    return f'<div class="pictures">{found}</div>' if found else ""


def _figure(picture: Picture) -> str:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(picture.width, picture.height), layout="constrained")
    try:
        picture.draw(figure.subplots())
    except LogitStatsError:
        return ""
    file = BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    data = b64encode(file.getvalue()).decode("ascii")
    kind = ' class="wide-picture"' if picture.wide else ""
    caption = escape(picture.caption)
    return (
        f'<figure{kind}><img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )
