"""A run: the folder that ``topicfactors fit`` leaves, whole or not at all.

``model/``, factors.csv, factors.json, top_words.csv, posteriors.csv, metrics.json and run.toml.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from topicfactors import __version__
from topicfactors.corpus.documents import Ledger
from topicfactors.errors import StorageError
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.scoring import Evaluation
from topicfactors.estimators.wording import RANKING
from topicfactors.export.factors import (
    FactorRow,
    factor_rows,
    factors_table,
    posteriors_table,
    top_words_table,
)
from topicfactors.export.tables import Table, dump_json, export_table
from topicfactors.files import whole_folder
from topicfactors.storage import load, save

BLOCK = 4096  # documents
MARK = "run.toml"  # by which a run is known


@dataclass
class Fingerprint:
    """A hash of all texts in their order, taken while they stream past."""

    digest: Any = field(default_factory=hashlib.sha256)
    characters: int = 0

    def watch(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the texts as they come."""
        for text in texts:
            self.digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
            self.characters += len(text)
            yield text


def model_of(pipeline: Any) -> BinaryFactorModel:
    """The last step of a pipeline, or the model itself.

    Raises
    ------
    StorageError
        When it is another kind of object.
    """
    model = pipeline[-1] if isinstance(pipeline, Pipeline) else pipeline
    if not isinstance(model, BinaryFactorModel):
        raise StorageError(f"expected a run with a factor model, got a {type(model).__name__}")
    return model


def rows_of(
    model: BinaryFactorModel,
    *,
    ranking: str = RANKING,
    words: int = 10,
    coherence: Iterable[float] | None = None,
) -> list[FactorRow]:
    """The factors of a model as tables show them."""
    return factor_rows(
        model.factors(),
        model.prior_,
        model.status_,
        model._words().tolist(),
        ranking=ranking,
        words=words,
        coherence=None if coherence is None else list(coherence),
    )


def write_run(
    folder: Path,
    pipeline: Pipeline,
    counts: Any,
    ledger: Ledger,
    fingerprint: Fingerprint,
    options: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> tuple[list[FactorRow], dict[str, Any]]:
    """Write everything; returns the factors and the metrics as written.

    Raises
    ------
    StorageError
        When the folder exists or cannot be written.
    """
    model = model_of(pipeline)
    coherence = model.coherence(counts)
    rows = rows_of(model, coherence=coherence)
    metrics = metrics_of(model, counts, coherence)
    blocks = (
        (ledger.ids[start : start + BLOCK], model.transform(counts[start : start + BLOCK]))
        for start in range(0, counts.shape[0], BLOCK)
    )
    with whole_folder(folder, overwrite=overwrite, mark=MARK) as temporary:
        save(pipeline, temporary / "model")
        write_factors(temporary, model, rows)
        export_table(posteriors_table(blocks, len(rows)), temporary / "posteriors.csv")
        (temporary / "metrics.json").write_text(dump_json(metrics, 2) + "\n", encoding="utf-8")
        described = describe(model, counts, ledger, fingerprint, options)
        (temporary / "run.toml").write_text(tomli_w.dumps(described), encoding="utf-8")
    return rows, metrics


def write_factors(
    folder: Path,
    model: BinaryFactorModel,
    rows: list[FactorRow],
    *,
    ranking: str = RANKING,
    words: int = 10,
) -> None:
    """factors.csv, factors.json and top_words.csv into a folder that exists."""
    export_table(factors_table(rows), folder / "factors.csv")
    listed = model.top_words(words, ranking=ranking)
    detailed = [
        {
            **row._replace(words=[])._asdict(),
            "words": [{"word": word, "score": float(f"{score:.6g}")} for word, score in scored],
        }
        for row, scored in zip(rows, listed, strict=True)
    ]
    text = dump_json({"ranking": ranking, "factors": detailed}, 1)
    (folder / "factors.json").write_text(text + "\n", encoding="utf-8")
    names = model._words().tolist()
    table = top_words_table(model.factors(), names, ranking=ranking, words=words)
    export_table(table, folder / "top_words.csv")


def metrics_of(
    model: BinaryFactorModel, counts: Any, coherence: NDArray[np.floating]
) -> dict[str, Any]:
    """Scores on the training documents, the unigram beside them; held-out ones where there are."""
    training = _scores(model.evaluate(counts))
    held_out = {bound: _scores(found) for bound, found in model.held_out_.items()}
    return {
        "documents": counts.shape[0],
        "training": training,
        "held_out": held_out,
        "npmi": float(coherence.mean()),
        "diversity": model.diversity(),
        "active_factors": model.status_.count("active"),
        "dead_factors": [n for n, s in enumerate(model.status_) if s == "dead"],
        "always_on_factors": [n for n, s in enumerate(model.status_) if s == "always-on"],
        "epochs": model.n_iter_,
        "best_epoch": model.best_iter_,
        "stopped": model.stopped_,
    }


def _scores(found: Evaluation) -> dict[str, Any]:
    """An evaluation as plain numbers."""
    plain = {
        name: {key: float(value) for key, value in getattr(found, name)._asdict().items()}
        for name in ("perplexity", "unigram")
    }
    return {
        "bound": found.bound,
        "samples": found.samples,
        "nats_per_document": found.log_prob,
        **plain,
    }


def describe(
    model: BinaryFactorModel,
    counts: Any,
    ledger: Ledger,
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
            "batch_size": model.schedule_.batch_size,
            "learning_rate": model.schedule_.learning_rate,
        },
        "corpus": {
            "documents": len(ledger.ids),
            "words": int(counts.shape[1]),
            "tokens": float(counts.sum()),
            "labels": len({label for label in ledger.labels if label is not None}),
            "characters": fingerprint.characters,
            "sha256": fingerprint.digest.hexdigest(),
            "notes": ledger.notes(),
        },
        "versions": {
            "topicfactors": __version__,
            "python": platform.python_version(),
            **{m.__name__: str(m.__version__) for m in (np, scipy, sklearn, spacy, torch)},
        },
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def open_run(folder: Path) -> Any:
    """The pipeline of a run folder, or of a model folder given directly.

    Raises
    ------
    StorageError
        When there is no model there.
    """
    inside = folder / "model"
    return load(inside if inside.is_dir() else folder)


def stored_coherence(folder: Path, factors: int) -> list[float] | None:
    """Coherence of each factor's ten words, as measured when the run was fitted."""
    try:
        text = (folder / "factors.json").read_text(encoding="utf-8")
        found = [float(row["coherence"]) for row in json.loads(text)["factors"]]
        return found if len(found) == factors else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def posteriors_in(folder: Path) -> Table | None:
    """The posteriors of a run, to be exported in another format."""
    from topicfactors.export.tables import read_csv_rows

    path = folder / "posteriors.csv"
    return read_csv_rows(path) if path.exists() else None
