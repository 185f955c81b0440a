"""The error tree: one base class, and messages that name the nearest allowed value."""

import pytest

from topicfactors import errors


@pytest.mark.parametrize(
    "kind",
    [errors.InputError, errors.ConfigurationError, errors.StorageError, errors.FitError],
)
def test_every_error_can_be_caught_by_the_base_class(kind):
    assert issubclass(kind, errors.TopicFactorsError)


@pytest.mark.parametrize("kind", [errors.InputError, errors.ConfigurationError])
def test_wrong_values_are_value_errors_too(kind):
    assert issubclass(kind, ValueError)


def test_our_warnings_can_be_filtered_apart_from_others():
    assert issubclass(errors.CorpusWarning, errors.TopicFactorsWarning)
    assert issubclass(errors.FitWarning, errors.TopicFactorsWarning)
    assert issubclass(errors.TopicFactorsWarning, UserWarning)


def test_unknown_name_lists_what_is_allowed_and_the_nearest():
    message = str(errors.unknown_name("prior", "bernouli", ["bernoulli", "categorical"]))
    assert message == (
        "prior must be one of 'bernoulli', 'categorical', got 'bernouli'; did you mean 'bernoulli'?"
    )


@pytest.mark.parametrize("value", ["zzz", None, 3])
def test_unknown_name_suggests_nothing_where_nothing_is_near(value):
    message = str(errors.unknown_name("inference", value, ["nvil", "dvae"]))
    assert message.startswith("inference must be one of 'dvae', 'nvil', got ")
    assert "did you mean" not in message


def test_the_tree_in_the_docstring_names_every_class():
    kinds = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, Exception)
    ]
    assert [name for name in kinds if name not in (errors.__doc__ or "")] == []
