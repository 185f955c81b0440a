"""Options that say which words of a corpus are counted."""

from __future__ import annotations

from typing import Annotated

import typer

WORDS = "Words"

VocabularySize = Annotated[int, typer.Option(min=1, help="Most words kept.", rich_help_panel=WORDS)]
MinDf = Annotated[
    str, typer.Option(help="Fewest documents of a word: 5, or 0.01.", rich_help_panel=WORDS)
]
MaxDf = Annotated[
    str, typer.Option(help="Most documents of a word: 500, or 0.5.", rich_help_panel=WORDS)
]
