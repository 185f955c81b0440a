import importlib

import pytest

import topicfactors


def test_the_public_names_are_sorted_and_all_there():
    assert topicfactors.__all__ == sorted(topicfactors.__all__)
    for name in topicfactors.__all__:
        assert getattr(topicfactors, name) is not None
    assert dir(topicfactors) == topicfactors.__all__


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        topicfactors.no_such_name  # noqa: B018


def test_every_public_name_has_a_docstring():
    for name, home in topicfactors._HOMES.items():
        value = getattr(importlib.import_module(home), name)
        if callable(value):
            assert value.__doc__, name


def test_the_public_names_are_these():
    """Adding one is a decision, and so is taking one away."""
    assert set(topicfactors.__all__) == {
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
    }
