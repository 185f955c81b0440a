"""The prior of documents with covariates against enumeration."""

import pytest
import torch
from torch.nn import functional

from tests.problems import FACTORS, WORDS
from topicfactors.bits import all_states
from topicfactors.contracts import Draw, Sizes
from topicfactors.inference.posteriors import MeanField
from topicfactors.model.effects import Effects
from topicfactors.model.priors import BernoulliPrior

SIZES = Sizes(WORDS, FACTORS, covariates=3)
DTYPES = [torch.float64, torch.float32]
COVARIATES = torch.tensor([[0.3, -1.2, 2.0, 9.0], [0.0, 0.0, 0.0, 9.0], [-2.0, 1.0, 0.5, 9.0]])


def make_prior(dtype=torch.float64):
    """A prior with effects of three covariates; a fourth is not its own."""
    generator = torch.Generator().manual_seed(0)
    prior = BernoulliPrior(SIZES).to(dtype)
    for part in prior.parameters():
        part.data = torch.randn(part.shape, generator=generator, dtype=torch.float64).to(dtype)
    return prior


def states(dtype=torch.float64):
    return all_states(FACTORS).to(dtype)


def by_hand(prior, dtype=torch.float64):
    """log p(z | c) of every state and document, ``(2^D, B)``, one at a time."""
    weight, rows = prior.effects.weight.double(), []
    for document in COVARIATES.double():
        logits = prior.logits.double() + weight @ document[:3]
        on = functional.logsigmoid(logits)
        rows.append((states() * on + (1 - states()) * (on - logits)).sum(-1))
    return torch.stack(rows, 1).to(dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_table_of_states_is_that_of_each_document(dtype):
    prior = make_prior(dtype).condition(COVARIATES)
    expected = by_hand(make_prior(), dtype)
    each = states(dtype)[:, None, :]
    torch.testing.assert_close(prior.log_prob(each), expected)
    torch.testing.assert_close(prior.log_prob(each.expand(-1, 3, -1)), expected)
    torch.testing.assert_close(
        expected.logsumexp(0), torch.zeros(3, dtype=dtype), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_the_kl_is_that_by_enumeration(dtype):
    q = MeanField(torch.linspace(-3, 2, 3 * FACTORS, dtype=dtype).view(3, -1))
    each = states(dtype)[:, None, :].expand(-1, 3, -1)
    log_q = q.log_prob(Draw(each, each, each, each))
    expected = (log_q.exp() * (log_q - by_hand(make_prior(), dtype))).sum(0)
    torch.testing.assert_close(make_prior(dtype).condition(COVARIATES).kl(q), expected)


def test_the_odds_are_those_of_the_flips():
    prior, bits = make_prior().condition(COVARIATES), torch.randint(0, 2, (4, 3, FACTORS)).double()
    for factor in range(FACTORS):
        on, off = bits.clone(), bits.clone()
        on[..., factor], off[..., factor] = 1, 0
        flip = prior.log_prob(on) - prior.log_prob(off)
        torch.testing.assert_close(prior.log_odds(bits)[..., factor], flip)
    torch.testing.assert_close(prior.log_odds(bits[:, :1])[0], prior.logits)


def test_draws_have_the_probabilities():
    torch.manual_seed(0)
    prior = make_prior(torch.float32).condition(COVARIATES)
    drawn = prior.sample(20_000, 3).mean(0)
    torch.testing.assert_close(drawn, prior.probabilities(), atol=0.015, rtol=0)


def test_at_the_mean_the_prior_is_its_own_logits():
    prior = make_prior()
    assert prior.condition(None) is prior
    middle = prior.condition(torch.zeros(1, 3)).probabilities()[0]
    torch.testing.assert_close(middle, prior.probabilities())
    plain = BernoulliPrior(Sizes(WORDS, FACTORS))
    assert plain.effects is None
    assert plain.condition(COVARIATES) is plain


def test_turned_and_reordered_factors_have_the_same_probabilities():
    prior = make_prior()
    before = prior.condition(COVARIATES).probabilities()
    order = torch.tensor([3, 1, 4, 0, 2])
    flipped = torch.tensor([True, False, False, True, False])
    prior.arrange(order, flipped)
    turned = torch.where(flipped, 1 - before, before)[:, order]
    torch.testing.assert_close(prior.condition(COVARIATES).probabilities(), turned)


def test_factors_that_are_not_named_are_dropped():
    prior = make_prior()
    before = prior.condition(COVARIATES).probabilities()
    prior.arrange(torch.tensor([3, 1]), torch.zeros(5, dtype=torch.bool))
    after = prior.condition(COVARIATES).probabilities()
    torch.testing.assert_close(after, before[:, [3, 1]])


def test_effects_keep_their_precision_under_autocast():
    effects = Effects(4, 3)
    torch.nn.init.normal_(effects.weight)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = effects(COVARIATES)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, COVARIATES[:, :3] @ effects.weight.t())
