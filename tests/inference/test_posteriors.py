import pytest
import torch

from tests.problems import FACTORS, make_problem
from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.posteriors import (
    EnumeratedPosterior,
    MeanField,
    MeanFieldPosterior,
    uniform,
)


def test_bits_come_as_often_as_their_probabilities_say():
    torch.manual_seed(0)
    q = MeanField(torch.tensor([[-2.0, 0.0, 3.0]]))
    torch.testing.assert_close(q.sample(40_000).bits.mean(0), q.mean(), atol=0.01, rtol=0)


def test_log_prob_is_that_of_bernoulli():
    q = MeanField(torch.randn(4, FACTORS, dtype=torch.float64))
    draw = q.sample(3)
    expected = torch.distributions.Bernoulli(logits=q.logits).log_prob(draw.bits).sum(-1)
    torch.testing.assert_close(q.log_prob(draw), expected)


def test_the_same_noise_gives_the_same_bits():
    q = MeanField(torch.randn(4, FACTORS))
    noise = uniform((2, 4, FACTORS), q.logits)
    assert torch.equal(q.sample(2, noise=noise).bits, q.sample(2, noise=noise).bits)
    assert torch.equal(q.sample(2, noise=noise).noise, noise)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_uniform_noise_has_finite_logits(dtype):
    noise = uniform((1000, 1000), torch.zeros((), dtype=dtype))
    assert bool(torch.isfinite(torch.logit(noise)).all())


def test_the_enumerated_posterior_draws_states_by_their_weights():
    torch.manual_seed(0)
    problem = make_problem(torch.float32)
    batch = problem.batch(2)
    q = EnumeratedPosterior(Sizes(8, FACTORS))(batch, problem.joint.condition(batch))
    draw = q.sample(20_000)
    torch.testing.assert_close(draw.bits.mean(0), q.mean(), atol=0.015, rtol=0)
    powers = 2 ** torch.arange(FACTORS)
    states = (draw.bits[:, 0].long() * powers).sum(-1)
    shares = torch.bincount(states, minlength=32) / 20_000
    torch.testing.assert_close(shares, q.log_weights[:, 0].exp(), atol=0.015, rtol=0)
    torch.testing.assert_close(q.log_prob(draw)[:, 0], q.log_weights[:, 0][states])


def test_the_enumerated_posterior_has_no_relaxation():
    problem = make_problem()
    batch = problem.batch()
    q = EnumeratedPosterior(Sizes(8, FACTORS))(batch, problem.joint.condition(batch))
    with pytest.raises(ValueError, match="relaxation"):
        q.sample(1, lambda logits, noise: (logits, noise))


def encoder_batch(matrix):
    counts = Counts.from_scipy(matrix)
    return Batch(counts, None, None, torch.arange(len(counts)))


def test_the_encoder_sees_words_and_length_and_takes_empty_documents():
    torch.manual_seed(0)
    encoder = BagOfWordsEncoder(Sizes(4, 3), width=8).eval()
    encoder.length.data.fill_(1.0)
    features = encoder(encoder_batch([[1, 0, 2, 0], [5, 0, 10, 0], [0, 0, 0, 0]]).counts)
    assert features.shape == (3, 8)
    assert bool(torch.isfinite(features).all())
    assert not torch.allclose(features[0], features[1])


def test_dropout_is_for_training_only():
    torch.manual_seed(0)
    encoder = BagOfWordsEncoder(Sizes(4, 3), width=32, dropout=0.5)
    counts = encoder_batch([[1, 0, 2, 0]]).counts
    assert not torch.equal(encoder(counts), encoder(counts))
    encoder.eval()
    assert torch.equal(encoder(counts), encoder(counts))


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_layers_are_as_many_as_asked_for(layers):
    encoder = BagOfWordsEncoder(Sizes(4, 3), layers=layers)
    assert sum(isinstance(part, torch.nn.Linear) for part in encoder.layers) == layers


def test_arranging_reorders_and_turns_the_log_odds():
    torch.manual_seed(0)
    encoder = BagOfWordsEncoder(Sizes(4, 3), width=8)
    posterior = MeanFieldPosterior(Sizes(4, 3, 9), encoder).eval()
    batch = encoder_batch([[1, 0, 2, 0], [0, 3, 0, 1]])
    before = posterior(batch, None).logits
    posterior.arrange(torch.tensor([2, 0, 1]), torch.tensor([True, False, False]))
    after = posterior(batch, None).logits
    torch.testing.assert_close(after, torch.stack([before[:, 2], -before[:, 0], before[:, 1]], 1))


def test_the_last_feature_is_the_length():
    posterior = MeanFieldPosterior(Sizes(4, 3, 9), BagOfWordsEncoder(Sizes(4, 3), width=8))
    q = posterior(encoder_batch([[1, 0, 2, 0], [0, 3, 0, 1]]), None)
    assert q.features[:, -1].tolist() == [3.0, 4.0]
