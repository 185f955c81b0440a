"""Mistakes about the models of the command line: mixtures and classifiers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.mistakes.happening import Mistake
from tests.mistakes.places import write

WORDS = "-q --min-df 1 --max-df 1.0 --threads 1"
TEXTS = ("steam engine", "star comet") * 6


def _table(labels: tuple[str, ...]) -> Callable[[Path], None]:
    rows = (
        f"{row},{text},{label}\n"
        for row, (text, label) in enumerate(zip(TEXTS, labels * 6, strict=True))
    )
    return write("a.csv", "id,text,label\n" + "".join(rows))


def _mixture(place: Path) -> None:
    """A run of a mixture, in ``clusters/``."""
    from topicfactors.cli.main import main

    try:
        main(["fit", "notes", "--model", "mixture", "-k", "3", "-o", "clusters", *WORDS.split()])
    except SystemExit as ended:
        assert ended.code == 0, json.dumps(ended.code)  # noqa: PT017


def _option(title: str, command: str, said: str, prepare: Any = None) -> Mistake:
    return Mistake("Options", title, f"topicfactors {command}", said, prepare=prepare)


OPTIONS_OF_MODELS = [
    _option("A model with a slip", "fit notes --model mixtures", "did you mean 'mixture'?"),
    _option(
        "An option of factors for a mixture",
        "fit notes --model mixture --prior bernoulli",
        "--prior is of --model factor",
    ),
    _option(
        "A number of classes, which the labels say",
        "fit notes --model semisupervised -k 3",
        "--factors is of --model factor or mixture",
    ),
    _option("Starts of a factor model", "fit notes --starts 5", "--starts is of --model mixture"),
    _option(
        "A mixture of as many as there is evidence for",
        "fit notes --model mixture -k auto",
        "number",
    ),
    _option(
        "A batch where all documents are read at once",
        "fit notes --model mixture --batch-size 32",
        "--inference exact",
    ),
    _option(
        "Classes without a label",
        f"fit table.csv --model semisupervised {WORDS}",
        "no document has a label",
    ),
    _option(
        "Labels that are all the same",
        f"fit a.csv --model semisupervised {WORDS}",
        "all labels are 'warm'",
        _table(("warm", "")),
    ),
    _option(
        "A search where there are no factors",
        "transform clusters notes --refine 3",
        "--refine improves the posteriors of factors",
        _mixture,
    ),
    _option(
        "A bound of factors for a mixture",
        "evaluate clusters notes --bound iwae",
        "whose bound is exact",
        _mixture,
    ),
]
