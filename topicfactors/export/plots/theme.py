"""What all figures share: type, colours, margins, and how text is written into them."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"
INK, SOFT, LINE, PAPER = "#1f2430", "#5c6370", "#e3e6eb", "#ffffff"
BLUE, VERMILION, GREEN, ORANGE = "#0072b2", "#d55e00", "#009e73", "#e69f00"
PURPLE, SKY, GREY, PALE = "#cc79a7", "#56b4e9", "#9aa0a6", "#bfdcee"
COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
"""Okabe and Ito's (2008), which the colour-blind tell apart."""
DIVERGING = ((0.0, BLUE), (0.5, "#f6f6f4"), (1.0, VERMILION))
"""From apart to together."""
WIDTH = 900  # pixels
LEFT, RIGHT, BOTTOM = 70, 30, 60  # margins, pixels
TITLE, CAPTION = 18, 13  # sizes of type, pixels
LETTER = 0.55  # mean width of a letter as a share of its size
LONGEST = 28  # letters of a word that are drawn


def template() -> Any:
    """The look of every figure: dark on white, also where the page around it is dark."""
    axis = {
        "gridcolor": LINE,
        "zerolinecolor": LINE,
        "linecolor": LINE,
        "title": {"font": {"size": CAPTION, "color": SOFT}, "standoff": 8},
        "tickfont": {"size": 12, "color": SOFT},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": CAPTION, "color": INK},
            "colorway": list(COLOURS),
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {"bgcolor": PAPER, "bordercolor": GREY, "font": {"color": INK}},
            "legend": {"bgcolor": "rgba(255,255,255,0.7)"},
        }
    )


def finished(
    figure: Any, title: str, caption: Sequence[str], *, height: int, width: int = WIDTH
) -> Any:
    """The figure with its title and what has to be known to read it, a sentence each.

    ``height`` is that of what is drawn, in pixels; title and caption come on top.
    """
    lines = textwrap.wrap(" ".join(caption), int((width - 50) / (CAPTION * LETTER)) - 1)
    told = "<br>".join(map(plain, lines))
    top = top_margin(len(lines))
    text = f"<b>{plain(title)}</b>"
    if told:
        text += f"<br><span style='font-size:{CAPTION}px;color:{SOFT}'>{told}</span>"
    figure.update_layout(
        template=template(),
        width=width,
        height=height + top + BOTTOM,
        margin={"l": LEFT, "r": RIGHT, "t": top, "b": BOTTOM},
        title={
            "text": text,
            "font": {"size": TITLE},
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "pad": {"l": 20, "t": 30},
            "y": 1,
            "yanchor": "top",
            "yref": "container",
        },
    )
    return figure


def top_margin(lines: int) -> int:
    """Pixels above what is drawn, under a title and so many lines of caption."""
    return 82 + round(1.3 * TITLE * lines)


def plain(text: object, longest: int | None = None) -> str:
    """Text that plotly shows letter by letter, cut to some letters.

    plotly reads a little HTML in every text, and where MathJax is loaded TeX between dollars.

    >>> plain("<b>"), plain("a$", 1)
    ('&lt;b&gt;', 'a')
    """
    letters = str(text)
    if longest is not None and len(letters) > longest:
        letters = letters[: max(1, longest - 1)].rstrip() + ("…" if longest > 1 else "")
    return html.escape(letters, quote=False).replace("$", "&#36;")


def listed(words: Sequence[str]) -> str:
    """Words for a hover text, escaped."""
    return ", ".join(plain(word, LONGEST) for word in words)


def wide(text: str, size: float = CAPTION) -> float:
    """About how many pixels a text takes."""
    return len(html.unescape(text)) * size * LETTER
