"""A semi-supervised classifier in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from topicfactors.errors import ConfigurationError
from topicfactors.estimators import class_parts
from topicfactors.estimators.checks import check_classifier
from topicfactors.estimators.class_learning import Setting, Trial
from topicfactors.estimators.semisupervised import SemiSupervisedClassifier
from topicfactors.gradients import GRADIENTS
from topicfactors.insight.calibration import Reliability
from topicfactors.storage.facts import Fact, plain
from topicfactors.storage.keeping import ModelKeeper
from topicfactors.storage.kinds import of_kind, taken
from topicfactors.storage.mixtures import COMPONENTS_FITTED, spelt_tempering
from topicfactors.training.recognition import Recognition

NUMBERS, TEXT = "biuf", "U"  # kinds of numpy's types of which classes can be
WIDEST = 16  # bytes of a type: texts are as long as they are


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
    kind = np.dtype(taken(str, stored["type"]))
    if kind.kind not in NUMBERS + TEXT or kind.itemsize > WIDEST:
        raise ValueError(f"classes of the type {kind}")
    values = taken(list[str] if kind.kind == TEXT else list[int | float | bool], stored["values"])
    classes = np.array(values, dtype=kind)
    if len(values) < 1 or len(np.unique(classes)) != len(values):
        raise ValueError("classes that are not different")
    return classes


def _setting(setting: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen, a tempering by name."""
    return {**plain(dict(setting)), "tempering": spelt_tempering(setting["tempering"])}


def _trials(trials: list[Trial]) -> list[Any]:
    return [
        [list(_setting(trial.setting._asdict()).values()), trial.accuracy, trial.log_loss]
        for trial in trials
    ]


def _setting_again(stored: Any) -> dict[str, Any]:
    setting: Setting = taken(Setting, [stored[name] for name in Setting._fields])
    return setting._asdict()


class ClassifierKeeper(ModelKeeper):
    """Keeps a SemiSupervisedClassifier."""

    kind = SemiSupervisedClassifier
    counted = "components"
    fitted = (
        *COMPONENTS_FITTED,
        Fact("classes", "classes_", _classes_again, _classes),
        Fact("class_prior", "class_prior_", of_kind(str | list[float])),
        Fact("chosen", "chosen_", _setting_again, _setting),
        Fact("cross_validation", "cross_validation_", of_kind(list[Trial]), _trials),
        Fact("temperature", "temperature_", of_kind(float)),
        Fact("reliability", "reliability_", of_kind(Reliability | None)),
    )

    def check(self, model: SemiSupervisedClassifier) -> None:
        """Its parameters, as ``fit`` checks them."""
        check_classifier(model)

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
