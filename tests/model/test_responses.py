"""Responses against scipy, brute force over single flips, and enumeration at D = 5."""

import math

import numpy as np
import pytest
import scipy.stats
import torch

from tests.model.test_parts import some_batch
from tests.problems import FACTORS, exact_gradients, log_q, make_problem
from topicfactors.contracts import Sizes
from topicfactors.errors import ConfigurationError
from topicfactors.gradients import LocalExpectation
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.responses import RESPONSES, Answers, Gaussian, Poisson

NUMBERS = np.array([3.0, np.nan, 0.0, 7.0, 2.5, 11.0])
CASES = [
    (response, likelihood, decoder)
    for response in RESPONSES
    for likelihood in LIKELIHOODS
    for decoder in ("log-linear", "mlp")
]


def some_response(name, inputs=FACTORS, weight=1.0):
    response = RESPONSES[name](Sizes(0, inputs), weight=weight).double()
    response.start(NUMBERS)
    generator = torch.Generator().manual_seed(5)
    response.coef.data = torch.randn(inputs, generator=generator, dtype=torch.float64)
    response.intercept.data.fill_(0.3)
    return response


def responding(name, likelihood="multinomial", decoder="log-linear", weight=1.0):
    """A joint with a response, and a target of six documents of which one has none."""
    joint = make_problem(likelihood=likelihood, decoder=decoder).joint
    joint.response = some_response(name, weight=weight)
    batch = some_batch()[0]._replace(responses=torch.from_numpy(NUMBERS))
    return joint, joint.condition(batch), joint.condition(batch._replace(responses=None))


def by_hand(response, values):
    """Log p(r | z) as scipy has it, (S, B)."""
    mean = response.expected(values).detach().numpy()
    if isinstance(response, Gaussian):
        deviation = (response.noise * response.unit).item()
        return scipy.stats.norm.logpdf(NUMBERS, mean, deviation)
    return scipy.special.xlogy(NUMBERS, mean) - mean - scipy.special.gammaln(NUMBERS + 1)


@pytest.mark.parametrize("weight", [1.0, 7.0])
@pytest.mark.parametrize("name", RESPONSES)
def test_the_log_likelihood_is_the_words_and_the_responses_that_are_seen(name, weight):
    joint, target, words = responding(name, weight=weight)
    for values in (torch.rand(3, 6, FACTORS).double(), torch.rand(3, 1, FACTORS).double()):
        told = (target.log_likelihood(values) - words.log_likelihood(values)).detach().numpy()
        expected = np.nan_to_num(weight * by_hand(joint.response, values))
        np.testing.assert_allclose(told, expected, atol=1e-9)
        assert (told[:, 1] == 0).all()


@pytest.mark.parametrize(("name", "likelihood", "decoder"), CASES)
def test_flips_equal_brute_force(name, likelihood, decoder):
    _, target, words = responding(name, likelihood, decoder, weight=2.0)
    bits = torch.randint(0, 2, (3, 6, FACTORS)).double()
    flips = target.flips(bits, 0.7)
    assert not torch.allclose(flips, words.flips(bits, 0.7))
    for d in range(FACTORS):
        on, off = bits.clone(), bits.clone()
        on[..., d], off[..., d] = 1, 0
        moved = target.log_likelihood(on) - target.log_likelihood(off)
        prior = target.log_prior(on) - target.log_prior(off)
        torch.testing.assert_close(flips[..., d], moved + 0.7 * prior)


@pytest.mark.parametrize(("name", "likelihood", "decoder"), CASES)
def test_a_search_sees_the_responses(name, likelihood, decoder):
    _, target, _ = responding(name, likelihood, decoder)
    bits = torch.randint(0, 2, (4, 6, FACTORS)).double()
    expected = target.log_likelihood(bits) + target.log_prior(bits)
    landscape = target.landscape()
    torch.testing.assert_close(target.log_joint(bits), expected)
    torch.testing.assert_close(landscape.log_joint(bits), expected.detach())
    change, factor = landscape.best_flips(bits[0], 3)
    for place in range(3):
        flipped, rows = bits[0].clone(), torch.arange(6)
        flipped[rows, factor[:, place]] = 1 - flipped[rows, factor[:, place]]
        moved = target.log_joint(flipped[None])[0] - target.log_joint(bits[:1])[0]
        torch.testing.assert_close(change[:, place], moved.detach())


@pytest.mark.parametrize("name", RESPONSES)
def test_the_table_holds_every_state(name):
    _, target, _ = responding(name)
    table = target.table()
    for row, state in enumerate(make_problem().states()):
        bits = state.expand(1, 6, -1)
        expected = target.log_likelihood(bits) + target.log_prior(bits)
        torch.testing.assert_close(table[row], expected[0])


@pytest.mark.parametrize("name", RESPONSES)
def test_the_gradients_are_those_of_finite_differences_also_where_some_are_unseen(name):
    joint, target, _ = responding(name)
    bits = torch.randint(0, 2, (2, 6, FACTORS)).double()
    parameters = list(joint.response.parameters())

    def told(*_):
        return target.answers.log_prob(bits)

    assert torch.autograd.gradcheck(told, parameters)
    values = torch.rand(2, 6, FACTORS, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(target.answers.log_prob(values).sum(), values)
    assert bool(slope.isfinite().all())
    assert bool((slope[:, 1] == 0).all())
    assert bool((slope[:, 0] != 0).all())


@pytest.mark.parametrize("name", RESPONSES)
def test_nothing_is_lost_where_a_rate_is_out_of_reach(name):
    """No NaN in the value or in a derivative, however wild the coefficients."""
    joint, target, _ = responding(name)
    joint.response.coef.data.fill_(200.0)
    values = torch.ones(1, 6, FACTORS, dtype=torch.float64, requires_grad=True)
    found = target.answers.log_prob(values)
    (slope,) = torch.autograd.grad(found.sum(), values)
    assert bool(found.isfinite().all())
    assert bool(slope.isfinite().all())
    assert bool(target.answers.changes(values.detach()).isfinite().all())


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("name", RESPONSES)
def test_local_expectation_has_the_gradient_of_enumeration(name, likelihood):
    """Unbiased within four standard errors, in q and in every parameter of the model."""
    problem = make_problem(likelihood=likelihood)
    problem.joint.response = some_response(name)
    told = torch.tensor([4.0], dtype=torch.float64)

    def batch(copies=1):
        return type(problem).batch(problem, copies)._replace(responses=told.expand(copies))

    one = problem.joint.condition(batch())
    weights = log_q(problem, logits := problem.logits.clone().requires_grad_())
    states = problem.states()[:, None, :]
    bound = one.log_likelihood(states)[:, 0] + one.log_prior(states)[:, 0] - weights
    named = {"logits": logits, **dict(problem.joint.named_parameters())}
    wanted = list(named.values())
    exact = torch.autograd.grad(-(weights.exp() * bound).sum(), wanted)
    words = exact_gradients(make_problem(likelihood=likelihood))["logits"]
    assert not torch.allclose(exact[0], words)
    gradient, drawn = LocalExpectation(Sizes(8, FACTORS, 2)), []
    torch.manual_seed(0)
    for _ in range(20):
        q = problem.posterior(500)
        loss = gradient(problem.joint.condition(batch(500)), q, 1.0).loss
        slopes = torch.autograd.grad(loss.mean(), [q.logits, *wanted[1:]])
        drawn.append([slopes[0].sum(0), *slopes[1:]])
    for name, expected, parts in zip(named, exact, zip(*drawn, strict=True), strict=True):
        found = torch.stack(parts)
        error = found.std(0) / math.sqrt(len(found))
        assert ((found.mean(0) - expected).abs() <= 5 * error + 1e-6).all(), name


@pytest.mark.parametrize("name", RESPONSES)
def test_the_expectation_of_independent_bits_is_the_sum_over_states(name):
    response = some_response(name)
    on = torch.rand(7, FACTORS, dtype=torch.float64)
    states = make_problem().states()
    chances = torch.where(states[:, None] > 0, on, 1 - on).prod(-1)  # (2^D, B)
    expected = (chances * response.expected(states)[:, None]).sum(0)
    torch.testing.assert_close(response.averaged(on), expected)


@pytest.mark.parametrize("name", RESPONSES)
def test_arranging_the_factors_leaves_what_is_expected(name):
    response = some_response(name, FACTORS + 2)  # two classes after the factors
    states = make_problem().states()
    classes = torch.tensor([[1.0, 0.0]]).double().expand(len(states), -1)
    before = response.expected(torch.cat([states, classes], 1))
    order, flipped = torch.tensor([2, 0, 4, 1, 3]), torch.tensor([True, False, False, True, False])
    response.arrange(order, flipped)
    seen = torch.where(flipped, 1 - states, states)[:, order]
    torch.testing.assert_close(response.expected(torch.cat([seen, classes], 1)), before)
    np.testing.assert_allclose(
        (response.offset() + states @ response.slopes()[:FACTORS]).numpy(),
        (response.centre + response.unit * response.predictor(states)).detach().numpy(),
    )


@pytest.mark.parametrize("name", RESPONSES)
def test_classes_are_read_after_the_factors(name):
    joint = make_problem().joint
    sizes = Sizes(8, FACTORS + 2)
    wide = type(joint.decoder)(sizes).double()
    both = Joint(Sizes(8, FACTORS), joint.prior, wide, joint.likelihood, 2)
    both.response = some_response(name, FACTORS + 2)
    batch = some_batch()[0]._replace(responses=torch.from_numpy(NUMBERS))
    labels = torch.tensor([0, 1, 1, 0, 1, 0])
    answers = both.condition(batch, labels).answers
    bits = torch.randint(0, 2, (3, 6, FACTORS)).double()
    onehot = torch.nn.functional.one_hot(labels, 2).double().expand(3, -1, -1)
    expected = np.nan_to_num(by_hand(both.response, torch.cat([bits, onehot], -1)))
    np.testing.assert_allclose(answers.log_prob(bits).detach().numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_a_gaussian_response_does_not_care_for_its_scale(scale):
    """Years and millions start alike: the predictor is in units of the spread."""
    numbers = scale * NUMBERS
    response = Gaussian(Sizes(0, FACTORS))
    response.start(numbers)
    assert float(response.centre) == pytest.approx(np.nanmean(numbers))
    assert float(response.unit) == pytest.approx(np.nanstd(numbers))
    nothing = response.expected(torch.zeros(1, FACTORS)).item()
    assert nothing == pytest.approx(np.nanmean(numbers))


def test_the_noise_stays_above_a_twentieth_of_the_spread():
    response = some_response("gaussian")
    response.log_noise.data.fill_(-50.0)
    assert response.noise.item() == pytest.approx(0.05)


def test_large_counts_lose_no_digits_in_single_precision():
    response = Poisson(Sizes(0, 1))
    numbers = np.array([1_000_000.0, 1_000_400.0])
    response.start(numbers)
    found = Answers.of(response, torch.tensor(numbers).float(), None).log_prob(torch.zeros(1, 2, 1))
    expected = scipy.stats.poisson.logpmf(numbers, math.exp(float(response.centre)))
    np.testing.assert_allclose(found.detach()[0].numpy(), expected, atol=2e-2)


@pytest.mark.parametrize("numbers", [[2.0, 2.0, np.nan], [0.0, 0.0, 0.0], [5.0]])
@pytest.mark.parametrize("name", RESPONSES)
def test_responses_that_are_all_alike_are_a_start_too(name, numbers):
    response = RESPONSES[name](Sizes(0, FACTORS))
    response.start(np.array(numbers))
    told = Answers.of(response, torch.tensor(numbers), None)
    assert bool(told.log_prob(torch.zeros(1, 1, FACTORS)).isfinite().all())


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, "much"])
def test_a_weight_is_a_number_above_zero(weight):
    with pytest.raises(ConfigurationError, match="weight must be a number above 0"):
        Gaussian(Sizes(0, FACTORS), weight=weight)


@pytest.mark.parametrize("name", RESPONSES)
def test_factors_that_are_not_named_are_dropped_and_classes_stay(name):
    response = some_response(name, FACTORS + 2)
    before = response.coef.detach().clone()
    response.arrange(torch.tensor([4, 0]), torch.zeros(FACTORS, dtype=torch.bool))
    torch.testing.assert_close(response.coef.detach(), before[[4, 0, FACTORS, FACTORS + 1]])
