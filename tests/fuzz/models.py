"""Small fitted models of every kind, saved once."""

import functools
import tempfile
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from topicfactors import (
    BinaryFactorModel,
    DocumentVectorizer,
    MixtureModel,
    SemiSupervisedClassifier,
    save,
)

THEMES = ["steam engine piston boiler valve", "clock pendulum spring dial", "bread flour oven"]
TEXTS = [f"{THEMES[n % 3]} {THEMES[n % 3]} {THEMES[(n // 3) % 3]}" for n in range(30)]
CLASSES = [f"class {n % 3}" for n in range(30)]
FAST = {"random_state": 0, "n_jobs": 1, "encoder": "bag-of-words:width=4"}

COVARIATES = {"year": np.arange(30.0), "place": ["a", "b"] * 15}
OF_TEXTS = ("pipeline", "mixture", "classifier", "phrases")


def counting(**options):
    return DocumentVectorizer(min_df=1, max_df=1.0, **options)


def factors(**options):
    return BinaryFactorModel(2, **FAST, **{"max_iter": 2, **options})


def _pipeline():
    return make_pipeline(counting(), factors()).fit(TEXTS)


def _with_covariates():
    counts = counting().fit_transform(TEXTS)
    model = factors(inference="gumbel-softmax", covariates=["year", "place:content"])
    return model.fit(counts, covariates=COVARIATES, response=np.arange(30.0))


def _boltzmann():
    counts = counting().fit_transform(TEXTS)
    return factors(prior="boltzmann:chains=10", inference="nvil:samples=2", decoder="mlp").fit(
        counts
    )


def _mixture():
    return make_pipeline(counting(), MixtureModel(2, max_iter=2, n_init=1, **FAST)).fit(TEXTS)


def _classifier():
    model = SemiSupervisedClassifier(max_iter=2, n_factors=2, **FAST)
    return make_pipeline(counting(), model).fit(TEXTS, CLASSES)


def _phrases():
    return counting(phrases=True, phrase_min_count=2, phrase_threshold=0.1).fit(TEXTS)


KINDS = {
    "pipeline": _pipeline,
    "covariates": _with_covariates,
    "boltzmann": _boltzmann,
    "mixture": _mixture,
    "classifier": _classifier,
    "phrases": _phrases,
}
_place = tempfile.TemporaryDirectory(prefix="fuzzed-models")


@functools.cache
def saved(kind):
    """The folder of one."""
    folder = Path(_place.name) / kind
    save(KINDS[kind](), folder)
    return folder


@functools.cache
def counts():
    """Counts of the texts."""
    return counting().fit_transform(TEXTS)
