"""A run: the folder that ``topicfactors fit`` leaves, whole or not at all.

``model/``, factors.csv, factors.json, top_words.csv, posteriors.csv, metrics.json, model_card.md,
run.toml; with covariates effects.csv and covariate_words.csv; and then report.html.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import tomli_w
from sklearn.pipeline import Pipeline

from topicfactors import __version__
from topicfactors.cli.classes import classes_table, fit_metrics
from topicfactors.cli.consensus import consensus_metrics
from topicfactors.cli.readings import (
    documents_table,
    effects_of,
    model_of,
    noun_of,
    prior_of,
    rows_on,
    searching_once,
    told,
)
from topicfactors.cli.scores import metrics_of
from topicfactors.corpus.count_readers import CountedCorpus
from topicfactors.estimators.consensus import runs_of
from topicfactors.estimators.wording import RANKING
from topicfactors.export.card import model_card
from topicfactors.export.covariates import covariate_words_table, effects_table
from topicfactors.export.factors import (
    FactorRow,
    factor_rows,
    factors_table,
    top_words_table,
)
from topicfactors.export.tables import Table, dump_json, export_table
from topicfactors.files import whole_folder
from topicfactors.insight.documents import representative
from topicfactors.storage import save

BLOCK = 4096  # documents
STANDING = 3  # representative documents of a factor
MARK = "run.toml"  # by which a run is known


@dataclass
class Fingerprint:
    """A hash of all texts in their order, taken while they stream past, or of counts."""

    digest: Any = field(default_factory=hashlib.sha256)
    characters: int = 0
    store: str | None = None  # what a store has of its own

    def watch(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the texts as they come."""
        for text in texts:
            self.digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
            self.characters += len(text)
            yield text

    def add(self, counts: Any) -> None:
        """Counts, where there are no texts."""
        for part in (counts.shape, counts.indptr, counts.indices, counts.data):
            self.digest.update(np.ascontiguousarray(part).tobytes())


def rows_of(
    model: Any,
    *,
    ranking: str = RANKING,
    words: int = 10,
    coherence: Iterable[float] | None = None,
    documents: Sequence[Sequence[str]] | None = None,
) -> list[FactorRow]:
    """The factors, components or classes of a model as tables show them."""
    effects = effects_of(model)
    return factor_rows(
        model.factors(),
        prior_of(model),
        model.status_,
        model._words().tolist(),
        ranking=ranking,
        words=words,
        coherence=None if coherence is None else list(coherence),
        documents=documents,
        responses=None if effects is None else effects.tolist(),
        called=model.factor_names_,
        runs=runs_of(model),
    )


def write_run(
    folder: Path,
    pipeline: Any,
    read: CountedCorpus,
    fingerprint: Fingerprint,
    options: Mapping[str, Any],
    *,
    overwrite: bool = False,
    further: Mapping[str, Any] = MappingProxyType({}),
    corpus: Mapping[str, Any] | None = None,
    then: Callable[[Any, Any, dict[str, Any]], None] | None = None,
) -> tuple[list[FactorRow], dict[str, Any]]:
    """Write everything; returns the factors and the metrics as written.

    ``further`` are tables of run.toml beside those of :func:`describe`; ``corpus`` describes a
    store, of which only some documents were read, so that no posteriors are written; ``then`` is
    told of the counts, of what the model says of each document, and of the metrics at the end.

    Raises
    ------
    StorageError
        When the folder exists or cannot be written.
    """
    model, ids = model_of(pipeline), read.ids
    counts = model._observed(read.counts, read.covariates)
    coherence = model.coherence(counts)
    with searching_once(model):
        columns = told(model, counts)
        metrics = metrics_of(model, counts, coherence)
    found = rows_on(model, counts, columns)
    standing = representative(counts, found, model.factors().log_odds, STANDING)
    documents = [[ids[row] for row, _ in listed] for listed in standing]
    rows = rows_of(model, coherence=coherence, documents=documents)
    if noun_of(model) == "class":
        metrics |= fit_metrics(model, read.labels)
    metrics |= consensus_metrics(model)
    described = {**describe(model, read, fingerprint, options), **further}
    if corpus is not None:
        described["corpus"] = dict(corpus)
        metrics |= {"documents": corpus["documents"], "scored": len(ids)}
    blocks = (
        (ids[start : start + BLOCK], columns[start : start + BLOCK])
        for start in range(0, len(ids), BLOCK)
    )
    texts = {
        "metrics.json": dump_json(metrics, 2) + "\n",
        "run.toml": tomli_w.dumps(described),
        "model_card.md": model_card(
            rows, metrics, described, reads_texts=isinstance(pipeline, Pipeline)
        ),
    }
    with whole_folder(folder, overwrite=overwrite, mark=MARK) as temporary:
        save(pipeline, temporary / "model")
        write_factors(temporary, model, rows)
        if corpus is None:
            posteriors = documents_table(model, blocks, read.labels)
            export_table(posteriors, temporary / "posteriors.csv")
        for name, text in texts.items():
            (temporary / name).write_text(text, encoding="utf-8")
    if then is not None:
        then(counts, columns, metrics)
    return rows, metrics


def write_factors(
    folder: Path,
    model: Any,
    rows: list[FactorRow],
    *,
    ranking: str = RANKING,
    words: int = 10,
    suffix: str = ".csv",
) -> None:
    """Tables of the factors and of their words, and factors.json, into a folder that exists."""
    if suffix != ".json":  # that name is the detailed one's
        export_table(factors_table(rows), folder / f"factors{suffix}")
    listed = model.top_words(words, ranking=ranking)
    detailed = [
        {
            **row._asdict(),
            "words": [{"word": word, "score": float(f"{score:.6g}")} for word, score in scored],
        }
        for row, scored in zip(rows, listed, strict=True)
    ]
    text = dump_json({"ranking": ranking, "factors": detailed}, 1)
    (folder / "factors.json").write_text(text + "\n", encoding="utf-8")
    names = model._words().tolist()
    table = top_words_table(
        model.factors(), names, ranking=ranking, words=words, called=model.factor_names_
    )
    export_table(table, folder / f"top_words{suffix}")
    if noun_of(model) == "class":
        export_table(classes_table(model, words, ranking), folder / f"classes{suffix}")
    design = model.design_
    if design is not None and design.prior:
        export_table(effects_table(model.effects()), folder / f"effects{suffix}")
    if design is not None and design.content:
        moved = covariate_words_table(model.covariate_words(words))
        export_table(moved, folder / f"covariate_words{suffix}")


def describe(
    model: Any,
    read: CountedCorpus,
    fingerprint: Fingerprint,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """What run.toml holds: every option as given, and what it was resolved to."""
    import scipy
    import sklearn
    import spacy
    import torch

    return {
        "options": {name: value for name, value in options.items() if value is not None},
        "resolved": {
            "inference": model.inference_,
            "init": model.init_,
            "device": str(next(model.objective_.parameters()).device),
            **_resolved(model),
        },
        "corpus": {
            "documents": len(read.ids),
            "words": int(read.counts.shape[1]),
            "tokens": float(read.counts.sum()),
            "labels": len({label for label in read.labels or () if label is not None}),
            "characters": fingerprint.characters,
            "sha256": fingerprint.store or fingerprint.digest.hexdigest(),
            "notes": read.notes,
        },
        "versions": {
            "topicfactors": __version__,
            "python": platform.python_version(),
            **{m.__name__: str(m.__version__) for m in (np, scipy, sklearn, spacy, torch)},
        },
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _resolved(model: Any) -> dict[str, Any]:
    """What "auto" came to in the gradient, where there was one, and in the tempering."""
    found: dict[str, Any] = {}
    schedule, tempering = getattr(model, "schedule_", None), getattr(model, "tempering_", None)
    if schedule is not None:
        found |= {"batch_size": schedule.batch_size, "learning_rate": schedule.learning_rate}
    return found if tempering is None else {**found, "tempering": str(tempering)}


class Stored(NamedTuple):
    """What was measured when a run was fitted, of each factor's ten words."""

    coherence: list[float]
    documents: list[list[str]]


def stored(folder: Path, factors: int) -> Stored | None:
    """The coherence and representative documents in factors.json; None where they are not there."""
    try:
        text = (folder / "factors.json").read_text(encoding="utf-8")
        rows = json.loads(text)["factors"]
        coherence = [float(row["coherence"]) for row in rows]
        documents = [list(map(str, row["documents"])) for row in rows]
        return Stored(coherence, documents) if len(rows) == factors else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def rows_in(folder: Path, model: Any, ranking: str, words: int) -> list[FactorRow]:
    """The factors of a run, with what is stored of them where it is of the same words."""
    known = stored(folder, len(model.status_))
    measured = known is not None and ranking == RANKING  # of its ten words, however many are shown
    return rows_of(
        model,
        ranking=ranking,
        words=words,
        coherence=known.coherence if known is not None and measured else None,
        documents=None if known is None else known.documents,
    )


def remembered(folder: Path, table: str = "options") -> dict[str, Any]:
    """The options that a run was fitted with, or another table of its run.toml; none unread."""
    try:
        found = tomllib.loads((folder / MARK).read_text(encoding="utf-8"))[table]
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError, KeyError, RecursionError):
        return {}


def posteriors_in(folder: Path) -> Table | None:
    """The posteriors of a run, to be exported in another format."""
    from topicfactors.export.tables import read_csv_rows

    path = folder / "posteriors.csv"
    return read_csv_rows(path) if path.exists() else None
