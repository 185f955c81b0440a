"""log p(x, y) of all classes at once equals that of one class at a time."""

import numpy as np
import pytest
import torch

from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.model.classes import CategoricalPrior
from topicfactors.model.decoders import DECODERS
from topicfactors.model.joint import Joint
from topicfactors.model.likelihood import Frequencies
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.logits import Logits
from topicfactors.model.priors import BernoulliPrior
from topicfactors.model.responses import RESPONSES

CLASSES, WORDS, DOCUMENTS, COVARIATES = 3, 9, 7, 2


RESPONDED = [3.0, np.nan, 0.0, 7.0, 2.5, 11.0, 1.0]


def make(likelihood="multinomial", decoder="log-linear", content=0, response=None):
    sizes, read = Sizes(WORDS, 0), Sizes(WORDS, CLASSES)
    parts = (BernoulliPrior(sizes), DECODERS[decoder](read), LIKELIHOODS[likelihood]())
    joint = Joint(sizes, *parts, classes=CLASSES, content=content)
    joint.response = None if response is None else RESPONSES[response](read)
    joint = joint.double()
    generator = torch.Generator().manual_seed(0)
    for name, parameter in joint.named_parameters():
        if "concentration" not in name:
            drawn = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data = drawn
    counts = np.random.default_rng(1).poisson(1.0, (DOCUMENTS, WORDS))
    covariates = torch.randn(DOCUMENTS, COVARIATES, generator=generator, dtype=torch.float64)
    batch = Batch(Counts.from_scipy(counts), None, covariates, torch.arange(DOCUMENTS))
    return joint, batch._replace(responses=torch.tensor(RESPONDED).double())


@pytest.mark.parametrize("response", [None, *RESPONSES])
@pytest.mark.parametrize("content", [0, COVARIATES])
@pytest.mark.parametrize("decoder", list(DECODERS))
@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_the_table_is_every_class_by_itself(likelihood, decoder, content, response):
    joint, batch = make(likelihood, decoder, content, response)
    table = joint.over_classes(batch).table()
    prior = torch.log_softmax(joint.class_prior.logits, 0)
    assert table.shape == (CLASSES, DOCUMENTS)
    nothing = torch.zeros(1, DOCUMENTS, 0, dtype=torch.float64)
    for label in range(CLASSES):
        labels = torch.full((DOCUMENTS,), label)
        alone = joint.condition(batch, labels).log_likelihood(nothing)[0]
        torch.testing.assert_close(table[label], alone + prior[label])


def test_the_table_has_the_response_where_it_is_known():
    joint, batch = make(response="gaussian")
    told = joint.over_classes(batch).table()
    silent = joint.over_classes(batch._replace(responses=None)).table()
    coef, intercept = joint.response.coef[:, None], joint.response.intercept
    expected = joint.response.log_prob(coef + intercept, batch.responses)
    torch.testing.assert_close(told - silent, expected.nan_to_num())


def test_the_prior_sums_to_one_and_can_be_put_in_order():
    prior = CategoricalPrior(3)
    prior.logits.data = torch.tensor([0.0, 2.0, 1.0])
    assert prior.log_probabilities().exp().sum().item() == pytest.approx(1.0)
    prior.arrange(torch.tensor([1, 2, 0]))
    assert prior.logits.tolist() == [2.0, 1.0, 0.0]


def state(likelihood):
    generator = torch.Generator().manual_seed(3)
    weights = torch.randn(WORDS, 1, generator=generator, dtype=torch.float64)
    bias = torch.randn(WORDS, generator=generator, dtype=torch.float64) - 1
    if likelihood == "poisson":
        bias = bias - torch.logsumexp(weights[:, 0] + bias, 0)
    return Logits(torch.ones(1, 1, 1, dtype=torch.float64), weights, bias)


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_documents_drawn_have_the_words_that_the_model_says(likelihood):
    made = LIKELIHOODS[likelihood](**({"concentration": 20.0} if likelihood == "polya" else {}))
    lengths = np.full(20_000, 30)
    drawn = made.draw(state(likelihood), lengths, np.random.default_rng(0))
    assert drawn.shape == (20_000, WORDS)
    expected = made.word_probabilities(state(likelihood))[0, 0].numpy()
    per_document = expected if likelihood == "bernoulli" else 30 * expected
    np.testing.assert_allclose(
        np.asarray(drawn.mean(0)).ravel(), per_document, rtol=0.04, atol=0.02
    )
    if likelihood in ("multinomial", "polya"):
        assert (np.asarray(drawn.sum(1)).ravel() == 30).all()
    variance = drawn.toarray().var(0)
    plain = per_document * (1 - expected)
    if likelihood == "polya":  # (s + n) / (s + 1) times as much
        np.testing.assert_allclose(variance, plain * 50 / 21, rtol=0.1)
    elif likelihood == "multinomial":
        np.testing.assert_allclose(variance, plain, rtol=0.06)


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_a_pseudo_token_prefers_the_corpus_to_all_else(likelihood):
    generator = np.random.default_rng(0)
    totals = torch.from_numpy(generator.gamma(1.0, 100.0, WORDS))
    corpus = Frequencies(totals, totals / 3, 200.0)
    made = LIKELIHOODS[likelihood]()
    at = Logits(torch.zeros(1, 1, 1).double(), torch.zeros(WORDS, 1).double(), None)
    background = made.background(corpus).double()
    best = made.pseudo_token(at._replace(bias=background), corpus)
    for seed in range(5):
        noise = 0.1 * torch.randn(WORDS, generator=torch.Generator().manual_seed(seed)).double()
        assert made.pseudo_token(at._replace(bias=background + noise), corpus) < best
