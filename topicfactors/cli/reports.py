"""The report of a run: what is kept for it while texts stream past, and when it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from topicfactors.cli.console import exit_status, note
from topicfactors.cli.inputs import vectorizer_of
from topicfactors.cli.readings import called, model_of, noun_of
from topicfactors.corpus.count_readers import CountedCorpus
from topicfactors.estimators.report_facts import score_of
from topicfactors.estimators.report_material import material_of
from topicfactors.estimators.scoring import Evaluation
from topicfactors.export.factors import PLURALS
from topicfactors.export.report.excerpts import Excerpts
from topicfactors.export.report.material import Score
from topicfactors.export.report.page import write_page
from topicfactors.insight.metrics import Perplexity

NAME = "report.html"  # in the folder of a run
Then = Callable[[Any, Any, dict[str, Any]], None]


class Reporter:
    """Keeps the beginnings of texts, and writes the page when all else is there."""

    def __init__(self) -> None:
        self.excerpts: Excerpts | None = None

    def watch(self, texts: Iterator[str]) -> Iterator[str]:
        """Yield the texts as they come."""
        self.excerpts = Excerpts()
        return self.excerpts.watch(texts)

    def after(
        self,
        folder: Path,
        pipeline: Any,
        read: CountedCorpus,
        options: Mapping[str, Any],
        responses: Any = None,
    ) -> Then:
        """What writes the page of a run that was just fitted, in its folder."""
        columns = dict(read.covariates or {})
        if responses is not None:
            columns.setdefault(options["response"], responses)

        def then(counts: Any, found: Any, metrics: dict[str, Any]) -> None:
            scores = [plain_score("training", metrics["training"])]
            try:
                self.write(
                    folder / NAME,
                    pipeline,
                    read._replace(counts=counts, covariates=columns),
                    options["corpus"],
                    found=found,
                    scores=scores,
                )
            except KeyboardInterrupt as interruption:
                note(f"interrupted; the run is in {folder}, without {NAME}")
                raise typer.Exit(exit_status(interruption)) from interruption

        return then

    def write(
        self,
        path: Path,
        pipeline: Any,
        read: CountedCorpus,
        corpus: str,
        *,
        found: Any,
        scores: list[Score],
    ) -> None:
        """Write the page of a model on some documents, as ``_observed`` gives them."""
        model = model_of(pipeline)
        names = called(model)
        material = material_of(
            pipeline,
            read.counts,
            read.ids,
            found=found,
            labels=read.labels,
            columns=read.covariates or {},
            excerpts=self.excerpts if vectorizer_of(pipeline) is not None else None,
            title=f"{_shown(corpus)}: {len(names)} {PLURALS[noun_of(model)]}",
            scores=scores,
            facts=[("corpus", _shown(corpus))],
            notes=read.notes,
        )
        write_page(material, path)


def plain_score(where: str, stored: Mapping[str, Any]) -> Score:
    """A score as metrics.json has it."""
    numbers = (Perplexity(**stored[name]) for name in ("perplexity", "unigram"))
    before = ("bound", "samples", "temperatures", "nats_per_document", "standard_error")
    return score_of(where, Evaluation(*(stored[name] for name in before), *numbers))


def _shown(corpus: str) -> str:
    return "standard input" if corpus == "-" else Path(corpus.rstrip("/")).name or corpus
