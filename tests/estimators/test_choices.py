"""Parts by name, by name with options, and as constructors."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from tests.estimators.planted import model
from topicfactors import BinaryFactorModel, ConfigurationError
from topicfactors.estimators.choices import resolve, spell
from topicfactors.estimators.parts import REGISTRIES, choose
from topicfactors.gradients import GRADIENTS
from topicfactors.gradients.base import Gradient
from topicfactors.gradients.gumbel_softmax import GumbelSoftmax
from topicfactors.gradients.nvil import NVIL
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.model.decoders import LogLinearDecoder


def found(value, what="inference"):
    return resolve(what, value, REGISTRIES[what])


def test_a_name_with_options():
    choice = found("nvil:samples=8,input_baseline=false,decay=0.5")
    assert (choice.name, choice.constructor) == ("nvil", NVIL)
    assert choice.options == {"samples": 8, "input_baseline": False, "decay": 0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("True", True),
        ("false", False),
        ("None", None),
        ("null", None),
        ("1e-3", 1e-3),
        ("7", 7),
        ("word", "word"),
    ],
)
def test_values_of_options(text, value):
    assert found(f"dvae:start={text}").options == {"start": value}


@pytest.mark.parametrize(
    ("value", "name", "options"),
    [
        (NVIL, "nvil", {}),
        (partial(NVIL, samples=8), "nvil", {"samples": 8}),
        ("nvil", "nvil", {}),
        ("nvil:", "nvil", {}),
    ],
)
def test_constructors_of_the_registry_keep_their_name(value, name, options):
    choice = found(value)
    assert (choice.name, choice.constructor, choice.options) == (name, NVIL, options)


@pytest.mark.parametrize("what", sorted(REGISTRIES))
def test_unknown_names_come_with_the_nearest(what):
    near = min(REGISTRIES[what])
    with pytest.raises(ConfigurationError, match=f"{what} must be one of .*did you mean") as caught:
        model(2, **{what: near + "x"}).fit(np.ones((3, 4)))
    assert repr(near) in str(caught.value)


def test_auto_is_offered_where_it_may_be_asked_for():
    with pytest.raises(ConfigurationError, match=r"must be one of .*'auto', .*'dvae'"):
        found("gumble")
    with pytest.raises(ConfigurationError, match=r"prior must be one of .*'boltzmann', got 'auto'"):
        found("auto", "prior")


class Strict(GumbelSoftmax):
    def __init__(self, sizes, *, end=0.2):
        super().__init__(sizes)
        self.parameter = torch.nn.Parameter(torch.tensor(float(end)))


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"inference": "nvil:sample=8"}, "nvil has no option 'sample'; its options are: samples,"),
        ({"encoder": "bag-of-words:wide=8"}, "no option 'wide'; its options are: width, layers, d"),
        ({"likelihood": "multinomial:a=1"}, "multinomial has no option 'a'; its options are: none"),
        ({"init": "nmf:tolerance=1"}, "nmf has no option 'tolerance'; its options are: none"),
        ({"decoder": partial(LogLinearDecoder, sign=1)}, "log-linear has no option 'sign'"),
        ({"encoder": "bag-of-words:width=wide"}, "width.*'wide'"),
        ({"encoder": "bag-of-words:dropout=3"}, "dropout.*3"),
        ({"prior": "bernoulli:probability=2"}, "probability.*2"),
        ({"inference": partial(Strict, end="soon")}, "Strict cannot take end='soon': could not"),
        ({"inference": partial(Strict, end=math.nan)}, "cannot take end=nan: its parameters would"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_those_that_do(parameter, message):
    chosen = {"inference": "gumbel-softmax"} | parameter
    with pytest.raises(ConfigurationError, match=message) as caught:
        model(2, **chosen).fit(np.ones((3, 4)))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["nvil:samples", "nvil:samples=8,quick", "nvil:=8", "nvil:a b=1"])
def test_bad_spelling_shows_the_right_one(text):
    with pytest.raises(ConfigurationError, match="written name:option=value,option=value, got"):
        found(text)


@pytest.mark.parametrize("value", [3, None, ["nvil"], object()])
def test_what_is_no_part_is_refused(value):
    with pytest.raises(
        ConfigurationError, match=r"inference must be one of .*dvae, .* constructor, "
    ):
        found(value)


def test_a_constructor_that_makes_something_else_is_refused(corpus):
    with pytest.raises(ConfigurationError, match=r"encoder='list' must make a torch\.nn\.Module"):
        model(2, inference="dvae", encoder=lambda_named("list")).fit(corpus.counts)


def lambda_named(name):
    def make(*sizes):
        return []

    make.__name__ = name
    return make


class Sharp(GumbelSoftmax):
    def __init__(self, sizes, *, end=0.2):
        super().__init__(sizes, end=end)


@pytest.mark.parametrize("value", [Sharp, partial(Sharp, end=0.3)])
def test_a_constructor_of_ones_own(value, corpus):
    fitted = model(2, inference=value, max_iter=2).fit(corpus.counts)
    assert fitted.inference_ == "Sharp"
    assert isinstance(fitted.objective_.gradient, Sharp)
    assert fitted.objective_.gradient.end == (0.2 if value is Sharp else 0.3)
    with pytest.raises(ConfigurationError, match="constructor of your own, which a file cannot"):
        spell("inference", fitted.inference, GRADIENTS)


def test_parts_are_built_as_asked(corpus):
    fitted = model(
        2,
        inference=partial(NVIL, samples=3),
        encoder=partial(BagOfWordsEncoder, width=16, layers=2),
        decoder="mlp:width=7",
        init=lambda counts, factors, seed: np.zeros((factors, counts.shape[1])),
        max_iter=1,
    ).fit(corpus.counts)
    assert fitted.inference_ == "nvil"
    assert fitted.objective_.gradient.samples == 3
    assert fitted.objective_.posterior.encoder.width == 16
    assert fitted.objective_.joint.decoder.hidden.out_features == 7


@pytest.mark.parametrize(
    "loadings", [np.zeros((3, 48)), np.zeros(48), np.full((2, 48), np.nan)], ids=str
)
def test_a_start_of_another_shape_is_refused(loadings, corpus):
    def mine(counts, factors, seed):
        return loadings

    with pytest.raises(ConfigurationError, match=r"init='mine' must give finite loadings of shape"):
        model(2, init=mine).fit(corpus.counts)


@pytest.mark.parametrize("name", sorted(GRADIENTS))
def test_what_is_spelt_is_understood_again(name):
    assert spell("inference", GRADIENTS[name], GRADIENTS) == name
    assert found(spell("inference", name, GRADIENTS)).name == name


def test_options_are_spelt_and_understood_again():
    options = {"samples": 8, "input_baseline": False, "decay": 0.25}
    text = spell("inference", partial(NVIL, **options), GRADIENTS)
    assert found(text).options == options


def test_the_spelt_parts_make_the_same_model(corpus):
    one = model(2, inference=partial(GumbelSoftmax, hard=True), decoder=LogLinearDecoder)
    spelt = {name: spell(name, getattr(one, name), REGISTRIES[name]) for name in REGISTRIES}
    assert spelt["init"] == "auto"
    other = model(2, **(one.get_params() | spelt))
    np.testing.assert_array_equal(
        one.fit(corpus.counts).components_, other.fit(corpus.counts).components_
    )


def test_a_relaxed_gradient_over_states_is_refused():
    class Wrong(GumbelSoftmax):
        posterior = "enumerated"

    chosen = model(2, inference=Wrong).get_params()
    with pytest.raises(ConfigurationError, match="found without draws"):
        choose(chosen, 2)


def test_devices(corpus):
    with pytest.raises(ConfigurationError, match="device must be 'auto', 'cpu', 'cuda' or 'mps'"):
        model(device="abacus").fit(corpus.counts)
    if not torch.cuda.is_available():
        with pytest.raises(ConfigurationError, match="present on this machine, got 'cuda'"):
            model(device="cuda").fit(corpus.counts)


def test_a_gradient_that_needs_independent_factors_is_refused_over_states():
    class Wrong(Gradient):
        unbiased, posterior, sampled, factorised = True, "enumerated", False, True

        def forward(self, target, q, kl_weight):
            raise NotImplementedError

    with pytest.raises(ConfigurationError, match="needs a posterior that is factorised"):
        choose({**BinaryFactorModel().get_params(deep=False), "inference": Wrong}, 3)


def test_the_overlap_penalty_is_for_loadings():
    given = BinaryFactorModel(decoder="mlp", overlap_penalty=1.0).get_params(deep=False)
    with pytest.raises(ConfigurationError, match="use decoder='log-linear'"):
        choose(given, 20)


@pytest.mark.parametrize(
    ("asked", "inference"),
    [
        ({}, "truncated"),
        ({"decoder": "mlp"}, "gumbel-softmax"),
        ({"posterior": "mean-field"}, "gumbel-softmax"),
        ({"posterior": "autoregressive:groups=2"}, "gumbel-softmax"),
        ({"posterior": "free"}, "local-expectation"),
        ({"posterior": "enumerated"}, "exact"),
        ({"smoothing": "power"}, "dvae"),
        ({"continuous_layers": 1}, "dvae"),
        ({"continuous_layers": 1, "posterior": "autoregressive"}, "dvae"),
    ],
)
def test_an_automatic_inference_goes_with_what_else_is_asked_for(asked, inference):
    counts = np.random.default_rng(0).poisson(1.0, (30, 6))
    fitted = model(2, max_iter=1, **asked).fit(counts)
    assert fitted.inference_ == inference
