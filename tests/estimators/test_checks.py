"""Every number that a user may give, and the nonsense that is refused."""

import math

import numpy as np
import pytest

from tests.estimators.planted import model
from topicfactors import ConfigurationError
from topicfactors.estimators.checks import check_parameters

WHOLE_FROM_1 = (0, -1, 2.5, "3", None, True, math.nan)
WHOLE_FROM_0 = (-1, 2.5, "3", None, True)
SHARE = (-0.1, 1.5, math.nan, math.inf, "half", None, True, 1j)
POSITIVE = (-1e-9, math.nan, math.inf, "much", None, True)
NONSENSE = {
    "n_components": WHOLE_FROM_1,
    "max_iter": tuple(value for value in WHOLE_FROM_1 if value is not None),
    "n_iter_no_change": WHOLE_FROM_0,
    "verbose": (-1, 0.5, "loud", None),
    "kl_warmup": SHARE,
    "validation_fraction": (*SHARE, 0.95),
    "overlap_penalty": POSITIVE,
    "shrinkage": POSITIVE,
    "tol": POSITIVE,
    "batch_size": (0, -4, 2.5, "all", None, True),
    "learning_rate": (0, -0.1, 10, math.nan, math.inf, "fast", None, True),
    "n_jobs": (0, 2.5, "all", True),
    "callbacks": (3, [3], print, "print"),
}
CASES = [(name, value) for name, values in NONSENSE.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_nonsense_is_refused_by_name_and_value(name, value):
    with pytest.raises(ConfigurationError, match=f"^{name} must be .+, got ") as caught:
        model(**{name: value}).fit(np.ones((4, 5)))
    assert str(caught.value).endswith(repr(value))
    with pytest.raises(ConfigurationError, match=name):
        model(**{name: value}).partial_fit(np.ones((4, 5)))


GOOD = {
    "n_components": (1, np.int64(3)),
    "max_iter": (None, 1, np.int32(7)),
    "n_iter_no_change": (0, 3),
    "verbose": (0, 1, True, False),
    "kl_warmup": ("auto", 0, 1, 0.5, np.float32(0.25)),
    "validation_fraction": (0, 0.9),
    "overlap_penalty": (0, 2.5),
    "shrinkage": ("auto", 0, 2.5),
    "tol": (0, 1e-3, np.float64(0.1)),
    "batch_size": ("auto", 1, np.int64(64)),
    "learning_rate": ("auto", 1e-4, 1, np.float32(0.1)),
    "n_jobs": (None, 1, -1, -2),
    "callbacks": (None, [], (print,)),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in GOOD.items() for value in values]
)
def test_sense_is_accepted(name, value):
    check_parameters(model(**{name: value}))


def test_the_constructor_itself_checks_nothing():
    for name, value in CASES:
        assert model(**{name: value}).get_params()[name] is value


def test_random_state_follows_scikit_learn(corpus):
    with pytest.raises(ValueError, match="seed"):
        model(random_state="today").fit(corpus.counts)
