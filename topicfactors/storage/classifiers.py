"""A semi-supervised classifier in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators import class_parts
from topicfactors.estimators.class_learning import Setting, Trial
from topicfactors.estimators.semisupervised import SemiSupervisedClassifier
from topicfactors.gradients import GRADIENTS
from topicfactors.insight.calibration import Reliability
from topicfactors.storage.facts import Fact, number, plain
from topicfactors.storage.keeping import ModelKeeper
from topicfactors.storage.mixtures import COMPONENTS_FITTED, spelt_tempering
from topicfactors.training.recognition import Recognition

NUMBERS, TEXT = "biuf", "U"  # kinds of numpy's types of which classes can be


def _classes(classes: NDArray[Any]) -> dict[str, Any]:
    """Classes and the type that they are of."""
    if classes.dtype.kind not in NUMBERS + TEXT:
        raise ConfigurationError(
            f"a folder holds classes that are strings, numbers or True and False, got "
            f"{classes.dtype}; fit with the labels as strings"
        )
    kind = "str" if classes.dtype.kind == TEXT else classes.dtype.name
    return {"type": kind, "values": classes.tolist()}


def _classes_again(stored: dict[str, Any]) -> NDArray[Any]:
    kind = np.dtype(stored["type"])
    if kind.kind not in NUMBERS + TEXT or np.ndim(stored["values"]) != 1:
        raise ValueError(f"classes of the type {kind}")
    return np.array(stored["values"], dtype=kind)


def _setting(setting: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen, a tempering by name."""
    return {**plain(dict(setting)), "tempering": spelt_tempering(setting["tempering"])}


def _trials(trials: list[Trial]) -> list[Any]:
    return [
        [list(_setting(trial.setting._asdict()).values()), trial.accuracy, trial.log_loss]
        for trial in trials
    ]


def _trials_again(stored: list[Any]) -> list[Trial]:
    return [
        Trial(Setting(*setting), number(accuracy), number(loss))
        for setting, accuracy, loss in stored
    ]


class ClassifierKeeper(ModelKeeper):
    """Keeps a SemiSupervisedClassifier."""

    kind = SemiSupervisedClassifier
    counted = "components"
    fitted = (
        *COMPONENTS_FITTED,
        Fact("classes", "classes_", _classes, _classes_again),
        Fact("class_prior", "class_prior_"),
        Fact("chosen", "chosen_", _setting),
        Fact("cross_validation", "cross_validation_", _trials, _trials_again),
        Fact("class_prior", "class_prior_"),
        Fact("temperature", "temperature_", read=float),
        Fact(
            "reliability",
            "reliability_",
            plain,
            lambda stored: None if stored is None else Reliability(*stored),
        ),
    )

    def registries(self, model: SemiSupervisedClassifier) -> Mapping[str, Any]:
        """Those of :mod:`topicfactors.estimators.class_parts`; the inference of factors is one."""
        if model.n_factors == 0:
            return class_parts.REGISTRIES
        return class_parts.REGISTRIES | {"inference": GRADIENTS}

    def sizes(self, model: SemiSupervisedClassifier) -> dict[str, Any]:
        """Components and factors."""
        joint = model.objective_.joint
        return {"components": int(joint.classes), "factors": int(joint.sizes.factors)}

    def objective(self, model: SemiSupervisedClassifier, facts: dict[str, Any]) -> Any:
        """The generative model, and the recognition classifier where one answers for it."""
        chosen, factors, classes = model.chosen_, facts["factors"], len(model.classes_)
        asked = self.asked(model, facts, "inference") | {"tempering": model.tempering_}
        per, left_over = divmod(facts["components"], classes)
        if left_over:
            raise ValueError(f"{facts['components']} components of {classes} classes")
        model.class_of_component_ = np.repeat(np.arange(classes), per)
        members = np.arange(classes)[:, None] == model.class_of_component_
        objective = class_parts.build_classifier(
            class_parts.choose_classifier(asked | {"n_factors": factors}),
            facts["words"],
            facts["components"],
            factors,
            torch.from_numpy(members),
            chosen["unlabelled_weight"],
        )
        if chosen["discriminative_weight"]:
            objective.recognition = Recognition(facts["words"], classes)
        return objective
