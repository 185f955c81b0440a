"""Small multiples: a panel each, in rows, with titles at the left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from plotly.subplots import make_subplots

from topicfactors.export.plots.theme import CAPTION, INK

BETWEEN = 66  # pixels between two rows, where a title and the names of ticks stand
MOST_GAP = 0.9  # share of the height that gaps may have, all together


class Panels(NamedTuple):
    """An empty figure of panels that share their axes."""

    figure: Any
    columns: int
    height: int  # pixels, of all rows
    places: list[tuple[int, int]]  # row and column of each, from 1

    def lowest(self) -> list[tuple[int, int]]:
        """The lowest panel of each column."""
        return list({column: (row, column) for row, column in self.places}.values())


def panels(titles: Sequence[str], across: int, height: int, gap: float, **shared: Any) -> Panels:
    """Panels of a ``height`` in pixels, at most so many ``across``, with a ``gap`` between them.

    The lowest of each column has the ticks of its column; ``shared`` goes to plotly.
    """
    columns = min(across, len(titles))
    rows = math.ceil(len(titles) / columns)
    whole = rows * (height + BETWEEN) - BETWEEN
    places = [(place // columns + 1, place % columns + 1) for place in range(len(titles))]
    figure = make_subplots(
        rows,
        columns,
        specs=[
            [{} if (row, column) in places else None for column in range(1, columns + 1)]
            for row in range(1, rows + 1)
        ],
        subplot_titles=titles,
        horizontal_spacing=gap,
        vertical_spacing=min(BETWEEN / whole, MOST_GAP / max(1, rows - 1)),
        shared_xaxes="all",
        **shared,
    )
    found = Panels(figure, columns, whole, places)
    for row, column in found.lowest():
        figure.update_xaxes(showticklabels=True, row=row, col=column)
    for title, (row, column) in zip(figure.layout.annotations, places, strict=True):
        axis = next(figure.select_xaxes(row=row, col=column))
        title.update(x=axis.domain[0], xanchor="left", yshift=2)
        title.update(font={"size": CAPTION, "color": INK})
    return found
