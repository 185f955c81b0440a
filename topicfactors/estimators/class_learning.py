"""How a semi-supervised classifier is fitted: the generative model, its pupil, cross-validation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.model_selection import StratifiedKFold

from topicfactors.errors import ConfigurationError
from topicfactors.estimators import class_parts
from topicfactors.estimators.class_parts import ClassParts
from topicfactors.estimators.component_fitting import ComponentFittingMixin
from topicfactors.estimators.component_tasks import Learnt, Task
from topicfactors.estimators.components import Floats
from topicfactors.estimators.labels import Labels
from topicfactors.insight.calibration import Reliability, reliability, softened, temperature
from topicfactors.model.initial import clustered
from topicfactors.training import em
from topicfactors.training.recognition import Recognition, even
from topicfactors.training.trainer import History

ENOUGH = 5  # labels of every class from which settings are chosen by cross-validation
FEWEST = 2  # labels of every class from which probabilities are scaled by it
FOLDS = 3
RIDGE = 10.0  # of the recognition classifier


class Setting(NamedTuple):
    """What ``"auto"`` can come to."""

    unlabelled_weight: float = 0.3
    discriminative_weight: float = 1.0
    smoothing: float = 0.4
    tempering: Any = "unit"


class Trial(NamedTuple):
    """A setting, and how it does on labels that were hidden from it."""

    setting: Setting
    accuracy: float
    log_loss: float  # nats a document, of the scaled probabilities


ALTERNATIVES: dict[str, tuple[Any, ...]] = {
    "discriminative_weight": (3.0, 10.0),
    "unlabelled_weight": (0.1, 1.0),
    "smoothing": (0.1, 1.0),
    "tempering": ("unit:norm=1.5", "unit:norm=3.0"),
}
"""What is tried beside the defaults, one after the other."""


class ClassLearningMixin(ComponentFittingMixin):
    """The steps of a classifier's fit."""

    components_per_class: int
    n_factors: int
    smoothing: float | str
    unlabelled_weight: float | str
    discriminative_weight: float | str
    class_prior: Any
    calibrate: bool
    classes_: NDArray[Any]
    temperature_: float
    reliability_: Reliability | None
    n_init = 1
    validation_fraction = 0.0
    n_iter_no_change = 0

    def _fit_classes(
        self, counts: Any, labels: Labels, parts: ClassParts, device: torch.device, seed: int
    ) -> History:
        self.classes_ = labels.classes
        self._count_words(counts)
        self._name_parts(parts)
        self.class_of_component_ = np.repeat(
            np.arange(len(labels.classes)), self.components_per_class
        )
        usual = self._usual(parts)
        few = labels.counts().min() < ENOUGH
        asked = self.class_prior
        automatic = isinstance(asked, str) and asked == "auto"
        self.class_prior_ = ("balanced" if few else "labelled") if automatic else asked
        self.cross_validation_: list[Trial] = []
        self.temperature_, self.reliability_ = 1.0, None
        chosen = usual
        least = labels.counts().min()
        if (least >= ENOUGH and self._open(parts)) or (least >= FEWEST and self.calibrate):
            chosen = self._cross_validate(counts, labels, parts, device, seed, usual)
        self.chosen_ = {name: getattr(chosen, name) for name in Setting._fields}
        self.tempering_ = chosen.tempering
        found = self._fit_once(counts, labels, parts, device, seed, chosen)
        self._note(counts, None, found)
        return found.history

    def _fit_once(
        self,
        counts: Any,
        labels: Labels,
        parts: ClassParts,
        device: torch.device,
        seed: int,
        setting: Setting,
    ) -> Learnt:
        """Generative model and recognition classifier under one setting."""
        self.tempering_ = setting.tempering
        components = len(labels.classes) * self.components_per_class
        members = np.arange(len(labels.classes))[:, None] == self.class_of_component_
        torch.manual_seed(seed)
        self.objective_ = class_parts.build_classifier(
            parts,
            counts.shape[1],
            components,
            self.n_factors,
            torch.from_numpy(members),
            setting.unlabelled_weight,
        )
        self._centre()
        self.objective_.to(device)
        evidence = self._evidence(counts)
        seen = labels.codes >= 0
        weights = np.where(seen, 1.0, setting.unlabelled_weight)
        tokens = float(weights @ self._tokens(evidence)) / components
        known = em.Known(weights, labels.codes, members)
        fixed, balance = self._held_prior(labels)
        words = setting.smoothing * tokens
        task = Task(evidence, known, self._corpus_of(evidence), words, 1.0, None, fixed, balance)
        start = self._first_guess(counts, labels, members, seed)
        found = self._learn(parts, task, iter([start]))
        self._teach(evidence, labels, setting)
        return found

    def _first_guess(
        self, counts: Any, labels: Labels, members: NDArray[np.bool_], seed: int
    ) -> Floats:
        """Responsibilities ``(N, K)`` of the documents with a label; zero for the others.

        With several components a class, its documents are clustered.
        """
        start = np.zeros((counts.shape[0], members.shape[1]))
        per = self.components_per_class
        for label, own in enumerate(members):
            rows = np.flatnonzero(labels.codes == label)
            places = np.flatnonzero(own)
            wanted = min(per, len(rows))
            groups = clustered(counts[rows].astype(np.float64), wanted, seed) if wanted > 1 else 0
            start[rows[:, None], places] = 0.1 / per
            start[rows, places[groups]] += 0.9
        return start

    def _teach(self, evidence: Any, labels: Labels, setting: Setting) -> None:
        """Fit q(class | x) to the labels and to the generative posterior of the rest."""
        alpha = setting.discriminative_weight
        self.objective_.recognition = None
        if alpha == 0:
            return
        targets = np.exp(self._generative(evidence))
        seen = labels.codes >= 0
        targets[seen] = np.eye(len(labels.classes))[labels.codes[seen]]
        weights = even(targets, np.where(seen, alpha, setting.unlabelled_weight))
        recognition = Recognition(evidence.shape[1], len(labels.classes))
        recognition.teach(evidence, targets, weights, RIDGE)
        self.objective_.recognition = recognition

    def _generative(self, evidence: Any) -> Floats:
        """Log p(class | evidence) of the generative model, ``(N, C)`` nats."""
        table = self._log_joint(evidence)
        per = self.components_per_class
        classes = logsumexp(table.reshape(len(table), -1, per), axis=2)
        return np.asarray(classes - logsumexp(classes, axis=1, keepdims=True))

    def _log_classes(self, evidence: Any) -> Floats:
        """Log P(class | evidence) as ``predict`` has it, ``(N, C)`` nats."""
        recognition = self.objective_.recognition
        logs = (
            self._generative(evidence)
            if recognition is None
            else recognition.log_probabilities(evidence)
        )
        logs = logs / self.temperature_
        return np.asarray(logs - logsumexp(logs, axis=1, keepdims=True))

    def _held_prior(self, labels: Labels) -> tuple[Floats | None, Floats | None]:
        """Shares of the components that are fixed, and those that their mean is held to."""
        given, counts = self.class_prior_, labels.counts().astype(np.float64)
        shares = counts / counts.sum()
        if not isinstance(given, str):
            shares = np.asarray(given, np.float64)
            if shares.shape != counts.shape or not np.isclose(shares.sum(), 1) or shares.min() <= 0:
                raise ConfigurationError(
                    f"class_prior must have a probability above 0 for each of the {len(counts)} "
                    f"classes, which sum to one, got {given!r}"
                )
        elif given == "uniform":
            shares = np.full(len(counts), 1 / len(counts))
        each = np.repeat(shares / self.components_per_class, self.components_per_class)
        if isinstance(given, str) and given in ("balanced", "learnt"):
            return None, each if given == "balanced" else None
        return each, None

    def _open(self, parts: ClassParts) -> list[str]:
        """Parameters that were left to the package."""
        given = {name: getattr(self, name) for name in Setting._fields}
        return [
            name
            for name, value in given.items()
            if isinstance(value, str)
            and value == "auto"
            and not (name == "tempering" and parts.tempering.name != "unit")
        ]

    def _usual(self, parts: ClassParts) -> Setting:
        """The defaults where the user has not chosen."""
        usual = Setting(tempering=self.tempering_)
        own = {name: getattr(self, name) for name in Setting._fields}
        kept = {
            name: value
            for name, value in own.items()
            if not (isinstance(value, str) and value == "auto")
        }
        return usual._replace(**kept)

    def _cross_validate(
        self,
        counts: Any,
        labels: Labels,
        parts: ClassParts,
        device: torch.device,
        seed: int,
        usual: Setting,
    ) -> Setting:
        """The best setting on labels that are hidden, and the temperature there."""
        seen = np.flatnonzero(labels.codes >= 0)
        truth = labels.codes[seen]
        least = int(labels.counts().min())
        parted = StratifiedKFold(min(FOLDS, least), shuffle=True, random_state=seed)
        folds = list(parted.split(seen, truth))
        everything = len(seen) == counts.shape[0]

        def hidden(setting: Setting) -> Floats | None:
            logs = np.empty((len(seen), len(labels.classes)))
            for _, test in folds:
                codes = labels.codes.copy()
                codes[seen[test]] = -1
                rows = np.flatnonzero(codes >= 0) if everything else np.arange(len(codes))
                part = Labels(labels.classes, codes[rows])
                found = self._fit_once(counts[rows], part, parts, device, seed, setting)
                if found.history.interruption is not None:
                    raise found.history.interruption  # nothing is learnt of all labels yet
                if found.history.asked:
                    return None
                logs[test] = self._log_classes(self._evidence(counts[seen[test]]))
            return logs

        best, logs = usual, hidden(usual)
        if logs is None:  # a callback asked to stop
            return usual
        self._note_trial(best, logs, truth)
        tuned = self._open(parts) if least >= ENOUGH else []
        for name in tuned if not everything else [n for n in tuned if n != "unlabelled_weight"]:
            for value in ALTERNATIVES[name]:
                setting = best._replace(**{name: value})
                tried = hidden(setting)
                if tried is None:
                    return best
                self._note_trial(setting, tried, truth)
                if _clearly_better(tried, logs, truth):
                    best, logs = setting, tried
        self._calibrate(logs, truth, folds)
        return best

    def _calibrate(self, logs: Floats, truth: NDArray[np.int64], folds: list[Any]) -> None:
        """The temperature of all hidden labels, and how true the probabilities of each fold are.

        A fold is judged at the temperature of the others.
        """
        targets = softened(truth, logs.shape[1])
        scaled = logs.copy()
        if self.calibrate:
            self.temperature_ = temperature(logs, targets)
            for others, test in folds:
                scaled[test] /= temperature(logs[others], targets[others])
        scaled -= logsumexp(scaled, axis=1, keepdims=True)
        self.reliability_ = reliability(np.exp(scaled), truth)

    def _note_trial(self, setting: Setting, logs: Floats, truth: NDArray[np.int64]) -> None:
        right = float((logs.argmax(1) == truth).mean())
        loss = -float(logs[np.arange(len(truth)), truth].mean())
        self.cross_validation_.append(Trial(setting, right, loss))


def _clearly_better(tried: Floats, before: Floats, truth: NDArray[np.int64]) -> bool:
    """Right more often by more than a standard error of the difference."""
    gain = (tried.argmax(1) == truth).astype(float) - (before.argmax(1) == truth)
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))
