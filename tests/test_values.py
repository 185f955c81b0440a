import math

import pytest

from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.gradients import DVAE, GRADIENTS, NVIL, GumbelSoftmax, Truncated
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.model.decoders import MLPDecoder
from topicfactors.model.priors import BernoulliPrior
from topicfactors.values import number, whole

SIZES = Sizes(6, 3, 4)


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", None, True, math.nan])
def test_whole_refuses_what_is_not_a_number_of_things(value):
    with pytest.raises(ConfigurationError, match=r"k must be a whole number of 1 or more, got"):
        whole("k", value, 1)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.inf, math.nan, "0.5", None])
def test_number_refuses_what_is_outside(value):
    with pytest.raises(ConfigurationError, match=r"p must be a number from 0 to 1, got"):
        number("p", value, 0.0, 1.0)


def test_ends_may_be_left_out():
    number("p", 1.0, 0.0, 1.0, open_ends="low")
    number("p", 0.0, 0.0, 1.0, open_ends="high")
    with pytest.raises(ConfigurationError, match="above 0"):
        number("p", 0.0, open_ends="low")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *((kind, {"samples": 0}) for kind in GRADIENTS.values() if kind.posterior == "mean-field"),
        *((Truncated, {option: 0}) for option in ("states", "rounds", "breadth", "best")),
        (Truncated, {"final_states": 1}),
        (Truncated, {"final_rounds": 0}),
        (NVIL, {"samples": "x"}),
        (NVIL, {"decay": 1.0}),
        (GumbelSoftmax, {"end": 0}),
        (GumbelSoftmax, {"end": -1}),
        (GumbelSoftmax, {"annealing": 0}),
        (DVAE, {"start": 0}),
        (BagOfWordsEncoder, {"width": 0}),
        (BagOfWordsEncoder, {"dropout": 1}),
        (BernoulliPrior, {"probability": 0}),
        (MLPDecoder, {"width": 0}),
    ],
)
def test_options_of_parts_are_checked(kind, options):
    (name,) = options
    with pytest.raises(ConfigurationError, match=f"^{name} must be"):
        kind(SIZES, **options)
