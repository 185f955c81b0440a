"""Labels and classes for the commands: of a corpus, of a fit, of documents that are scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from topicfactors.errors import InputError
from topicfactors.estimators.semisupervised import SemiSupervisedClassifier
from topicfactors.export.tables import Table

Labels = Sequence[str | None]
SMALLEST = 1e-12  # probability in a log-loss


def labels_of(source: str, labels: Labels | None) -> list[str | None]:
    """The labels of a corpus whose classes are to be learnt; None where a document has none.

    Raises
    ------
    InputError
        When there are not two classes.
    """
    found = [label or None for label in labels or ()]
    classes = sorted({label for label in found if label is not None})
    if not classes:
        raise InputError(
            f"{source}: no document has a label, from which --model semisupervised learns classes; "
            "name their column with --label-column, put texts of a class into a sub-folder, or use "
            "--model mixture"
        )
    if len(classes) == 1:
        raise InputError(
            f"{source}: all labels are {classes[0]!r}; --model semisupervised tells two classes or "
            "more apart, and a document without a label is of any of them"
        )
    return found


def fit_metrics(model: SemiSupervisedClassifier, labels: Labels | None) -> dict[str, Any]:
    """What metrics.json says of a classifier beside its scores of words."""
    names, given = [str(name) for name in model.classes_], list(labels or ())
    measured = model.reliability_
    return {
        "components_per_class": model.components_per_class,
        "labelled": {name: given.count(name) for name in names},
        "hidden_labels": _hidden(model),
        "chosen": {**model.chosen_, "tempering": str(model.chosen_["tempering"])},
        "cross_validation": [
            {
                **trial.setting._asdict(),
                "tempering": str(trial.setting.tempering),
                "accuracy": trial.accuracy,
                "log_loss": trial.log_loss,
            }
            for trial in model.cross_validation_
        ],
        "temperature": model.temperature_,
        "calibration": None if measured is None else measured._asdict(),
    }


def _hidden(model: SemiSupervisedClassifier) -> dict[str, float] | None:
    """How the setting that was chosen does on labels that were hidden from it."""
    for trial in model.cross_validation_:
        if trial.setting._asdict() == model.chosen_:
            return {"accuracy": trial.accuracy, "log_loss": trial.log_loss}
    return None


def label_scores(
    model: SemiSupervisedClassifier, counts: Any, labels: Labels
) -> dict[str, Any] | None:
    """How well the classes of documents with labels are told; None where there are none.

    Labels that are no class of the model are counted and left out.
    """
    places = {str(name): place for place, name in enumerate(model.classes_)}
    rows = [row for row, label in enumerate(labels) if label in places]
    strange = sorted({label for label in labels if label and label not in places})
    if not rows:
        return {"documents": 0, "strange": strange} if strange else None
    truth = np.array([places[str(labels[row])] for row in rows])
    found = model.predict_proba(counts[np.array(rows)])
    right = found.argmax(1) == truth
    told = found[np.arange(len(truth)), truth].clip(SMALLEST, 1.0)
    calibration = model.calibration(counts[np.array(rows)], model.classes_[truth])
    return {
        "documents": len(rows),
        "strange": strange,
        "accuracy": float(right.mean()),
        "commonest": float(np.bincount(truth).max() / len(truth)),
        "log_loss": float(-np.log(told).mean()),
        "calibration": calibration._asdict(),
    }


def classes_table(model: SemiSupervisedClassifier, words: int, ranking: str) -> Table:
    """A row a class: its share of the documents, and its words."""
    listed = model.top_words_of_classes(words, ranking=ranking)
    shares = model._classes_as_factors().prevalence.tolist()
    rows = [
        (str(name), share, [word for word, _ in scored])
        for (name, scored), share in zip(listed.items(), shares, strict=True)
    ]
    return Table(("class", "prevalence", "top_words"), [rows])


def told_of_fit(metrics: dict[str, Any]) -> str:
    """A classifier's fit in one line, of labels that were hidden from it."""
    labelled = metrics["labelled"]
    counted = f"{len(labelled)} classes, {sum(labelled.values()):,} documents with a label"
    hidden, measured = metrics["hidden_labels"], metrics["calibration"]
    if hidden is None:
        return f"{counted}, too few to measure the accuracy (5 of each class)"
    error = "" if measured is None else f", calibration error {_error(measured):.3f}"
    return f"{counted}; of labels that were hidden {hidden['accuracy']:.1%} were told right{error}"


def _error(calibration: dict[str, Any]) -> float:
    return float(calibration["expected_calibration_error"])


def told_of_labels(found: dict[str, Any]) -> list[str]:
    """How well labels were told, in lines."""
    lines = []
    if found["documents"]:
        lines.append(
            f"{found['documents']:,} documents with a label: {found['accuracy']:.1%} told right "
            f"(the commonest class for all: {found['commonest']:.1%}), log-loss "
            f"{found['log_loss']:.3f} nats, calibration error {_error(found['calibration']):.3f}"
        )
    if found["strange"]:
        first = ", ".join(map(repr, found["strange"][:5]))
        lines.append(f"(left out: labels that are no class of the run, such as {first})")
    return lines
