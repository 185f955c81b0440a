"""topicfactors: readable factors from text corpora.

Documents become tokens, tokens become sparse counts, a generative model p(x, z) explains the
counts, an inference model q(z | x) reads the explanation back, a gradient estimator trains both
through the binary z, and what was learnt leaves as tables and a folder that can be loaded again.

That sentence is also the order in which to read the package: ``corpus``, ``model``, ``inference``,
``gradients``, ``training``, ``insight``, ``export``, ``estimators``, ``peers``, ``studies``,
``storage``, ``cli``. The public names below are loaded when they are first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topicfactors import studies
    from topicfactors.corpus.documents import Corpus
    from topicfactors.corpus.matrix import CountsMatrix
    from topicfactors.corpus.readers import read_corpus
    from topicfactors.corpus.store.iterable import IterableCorpus
    from topicfactors.corpus.vectorizer import DocumentVectorizer
    from topicfactors.errors import (
        ConfigurationError,
        CorpusWarning,
        FitError,
        FitWarning,
        InputError,
        StorageError,
        TopicFactorsError,
        TopicFactorsWarning,
    )
    from topicfactors.estimators import EXPECTED_FAILED_CHECKS
    from topicfactors.estimators.explaining import explain
    from topicfactors.estimators.factor_model import BinaryFactorModel
    from topicfactors.estimators.mixture import MixtureModel
    from topicfactors.estimators.reporting import write_report
    from topicfactors.estimators.semisupervised import SemiSupervisedClassifier
    from topicfactors.export.plots.bound import plot_bound
    from topicfactors.export.plots.calibration import plot_calibration
    from topicfactors.export.plots.coactivation import plot_coactivation
    from topicfactors.export.plots.factors import plot_factors
    from topicfactors.export.plots.map import plot_map
    from topicfactors.export.plots.over import plot_over
    from topicfactors.export.plots.training import plot_training
    from topicfactors.storage import load, save
    from topicfactors.training.checkpoint import Checkpoints

__version__ = "0.1.0"

_HOMES = {
    "BinaryFactorModel": "topicfactors.estimators.factor_model",
    "Checkpoints": "topicfactors.training.checkpoint",
    "ConfigurationError": "topicfactors.errors",
    "Corpus": "topicfactors.corpus.documents",
    "CorpusWarning": "topicfactors.errors",
    "CountsMatrix": "topicfactors.corpus.matrix",
    "DocumentVectorizer": "topicfactors.corpus.vectorizer",
    "EXPECTED_FAILED_CHECKS": "topicfactors.estimators",
    "FitError": "topicfactors.errors",
    "FitWarning": "topicfactors.errors",
    "InputError": "topicfactors.errors",
    "IterableCorpus": "topicfactors.corpus.store.iterable",
    "MixtureModel": "topicfactors.estimators.mixture",
    "SemiSupervisedClassifier": "topicfactors.estimators.semisupervised",
    "StorageError": "topicfactors.errors",
    "TopicFactorsError": "topicfactors.errors",
    "TopicFactorsWarning": "topicfactors.errors",
    "explain": "topicfactors.estimators.explaining",
    "load": "topicfactors.storage",
    "plot_bound": "topicfactors.export.plots.bound",
    "plot_calibration": "topicfactors.export.plots.calibration",
    "plot_coactivation": "topicfactors.export.plots.coactivation",
    "plot_factors": "topicfactors.export.plots.factors",
    "plot_map": "topicfactors.export.plots.map",
    "plot_over": "topicfactors.export.plots.over",
    "plot_training": "topicfactors.export.plots.training",
    "read_corpus": "topicfactors.corpus.readers",
    "save": "topicfactors.storage",
    "write_report": "topicfactors.estimators.reporting",
}

__all__ = [
    "BinaryFactorModel",
    "Checkpoints",
    "ConfigurationError",
    "Corpus",
    "CorpusWarning",
    "CountsMatrix",
    "DocumentVectorizer",
    "EXPECTED_FAILED_CHECKS",
    "FitError",
    "FitWarning",
    "InputError",
    "IterableCorpus",
    "MixtureModel",
    "SemiSupervisedClassifier",
    "StorageError",
    "TopicFactorsError",
    "TopicFactorsWarning",
    "__version__",
    "explain",
    "load",
    "plot_bound",
    "plot_calibration",
    "plot_coactivation",
    "plot_factors",
    "plot_map",
    "plot_over",
    "plot_training",
    "read_corpus",
    "save",
    "studies",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name == "studies":
        return importlib.import_module("topicfactors.studies")
    if name not in _HOMES:
        raise AttributeError(f"module 'topicfactors' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
