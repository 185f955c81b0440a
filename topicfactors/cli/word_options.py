"""Options that say which words of a corpus are counted."""

from __future__ import annotations

from pathlib import Path
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
MinLength = Annotated[int, typer.Option(min=1, help="Shortest word.", rich_help_panel=WORDS)]
Language = Annotated[str, typer.Option(help="spaCy's code: en, de, it, …", rich_help_panel=WORDS)]
StopWords = Annotated[
    str,
    typer.Option(
        help="'language', 'none', a file of words, or +FILE to add them to the language's.",
        rich_help_panel=WORDS,
    ),
]
TokenPattern = Annotated[
    str | None,
    typer.Option(
        help="Regular expression that finds the words, instead of spaCy's tokeniser.",
        rich_help_panel=WORDS,
    ),
]
Numbers = Annotated[
    str, typer.Option(help="drop, keep or fold (into <number>).", rich_help_panel=WORDS)
]
Urls = Annotated[str, typer.Option(help="drop, keep or fold (into <url>).", rich_help_panel=WORDS)]
Lemmas = Annotated[
    bool,
    typer.Option(
        "--lemmas",
        help="Count lemmas: of the pipeline, or of spacy-lookups-data.",
        rich_help_panel=WORDS,
    ),
]
SpacyModel = Annotated[
    str | None,
    typer.Option(help="An installed spaCy pipeline, or its folder.", rich_help_panel=WORDS),
]
Pos = Annotated[
    str | None,
    typer.Option(
        help="Only these parts of speech, such as NOUN,ADJ (needs --spacy-model).",
        rich_help_panel=WORDS,
    ),
]
Phrases = Annotated[
    bool,
    typer.Option(
        "--phrases",
        help="Join words that often come together: steam_engine.",
        rich_help_panel=WORDS,
    ),
]
Vocabulary = Annotated[
    Path | None,
    typer.Option(help="For counts: a file of one word a line (default: one beside them)."),
]
