"""The objective of classes with shared factors, against the sum written out, at D = 3 and K = 2."""

import pytest
import scipy.sparse
import torch
from torch.nn import functional

from topicfactors.bits import all_states
from topicfactors.contracts import Batch, Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.gradients import GRADIENTS
from topicfactors.inference.encoders import BagOfWordsEncoder
from topicfactors.inference.posteriors import EnumeratedPosterior, MeanFieldPosterior
from topicfactors.model.decoders import LogLinearDecoder
from topicfactors.model.joint import Joint
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import BernoulliPrior
from topicfactors.training import shared_factors
from topicfactors.training.shared_factors import SharedFactorsObjective

FACTORS, CLASSES, WORDS, COPIES = 3, 2, 6, 30_000
ROWS = [[3.0, 0.0, 2.0, 1.0, 0.0, 1.0], [0.0, 2.0, 0.0, 0.0, 4.0, 1.0]]
MEMBERS = torch.eye(2, dtype=torch.bool)


def make(gradient="gumbel-softmax", likelihood="multinomial", unlabelled=0.5, **options):
    torch.manual_seed(5)
    sizes = Sizes(WORDS, FACTORS)
    encoder = BagOfWordsEncoder(sizes, width=4, dropout=0.0)
    sizes = sizes._replace(features=5)
    posterior = MeanFieldPosterior(sizes, encoder)
    if gradient == "exact":
        posterior = EnumeratedPosterior(sizes)
    decoder = LogLinearDecoder(sizes._replace(factors=FACTORS + CLASSES))
    parts = (BernoulliPrior(sizes), decoder, LIKELIHOODS[likelihood]())
    joint = Joint(sizes, *parts, classes=CLASSES)
    made = SharedFactorsObjective(
        joint, posterior, GRADIENTS[gradient](sizes, **options), MEMBERS, unlabelled=unlabelled
    )
    for name, parameter in made.named_parameters():
        if "encoder" not in name and "concentration" not in name:
            parameter.data = 0.7 * torch.randn(parameter.shape)
    return made.double()


def batch_of(copies=1, labels=(-1, 1)):
    counts = Counts.from_scipy(scipy.sparse.csr_matrix(ROWS))
    rows = torch.arange(2).repeat_interleave(copies)
    seen = torch.tensor(labels).repeat_interleave(copies)
    return Batch(counts.select(rows), seen, None, torch.arange(len(rows)))


def enumerated(made, batch, r=None):
    """Σ_y r_y [ELBO(x, y) + log p(y) − log r_y] of an unseen class, ELBO + log p(y) of a seen one.

    ``r`` None: the softmax of the exact ELBO + log p(y), detached.
    """
    states = all_states(FACTORS).double()[:, None, :]
    log_prior = torch.log_softmax(made.joint.class_prior.logits, 0)
    each = []
    for label in range(CLASSES):
        labels = torch.full((len(batch.counts),), label)
        target = made.joint.condition(batch, labels)
        guess = made.posterior.amortised(batch)
        table = target.log_likelihood(states) + target.log_prior(states)
        if guess is None:
            each.append(table.logsumexp(0) + log_prior[label])
            continue
        logits = guess.logits + made.shift[label]
        log_q = (states * logits - functional.softplus(logits)).sum(-1)
        each.append((log_q.exp() * (table - log_q)).sum(0) + log_prior[label])
    bounds = torch.stack(each, 1)
    log_r = bounds.detach().log_softmax(1) if r is None else r.log()
    mixed = (log_r.exp() * (bounds - log_r)).sum(1)
    own = bounds.gather(1, batch.labels.clamp_min(0)[:, None])[:, 0]
    return torch.where(batch.labels >= 0, own, mixed)


@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_exact_is_the_sum_over_everything(likelihood):
    made, batch = make("exact", likelihood), batch_of()
    expected = enumerated(made, batch)
    found = made(batch)
    torch.testing.assert_close(found.bound, expected.detach())
    weights = torch.tensor([0.5, 1.0]).double()
    torch.testing.assert_close(found.loss, -weights * expected)
    table = made.table(batch)
    torch.testing.assert_close(table[:, 0].logsumexp(0), expected[0])  # r is p(y | x) there
    torch.testing.assert_close(table[1, 1], expected[1])


@pytest.mark.parametrize("gradient", ["local-expectation", "nvil"])
def test_the_gradient_is_that_of_the_stated_objective(gradient, monkeypatch):
    options = {"normalise_variance": False} if gradient == "nvil" else {}
    made, batch = make(gradient, **options), batch_of()
    r = torch.tensor([[0.6, 0.4], [0.5, 0.5]]).double()  # any weights will do, once detached
    weights = torch.tensor([0.5, 1.0]).double()
    parameters = [made.joint.decoder.raw, made.shift, made.joint.class_prior.logits]
    loss = -(weights * enumerated(made, batch, r)).sum()
    exact = torch.autograd.grad(loss, parameters)
    fixed = r.log().repeat_interleave(COPIES, 0)

    def given(pairs, scores, documents):
        one = torch.where((batch_of(COPIES).labels >= 0)[pairs.rows], 0.0, 1.0).double()
        return one * fixed[pairs.rows, pairs.components]

    monkeypatch.setattr(made, "_shares", given)
    many = made(batch_of(COPIES))
    found = torch.autograd.grad(2 * many.loss.mean(), parameters)
    assert 2 * many.loss.mean().item() == pytest.approx(loss.item(), abs=0.05)
    for value, truth in zip(found, exact, strict=True):
        torch.testing.assert_close(value, truth, atol=0.05, rtol=0.03)


def test_the_weights_of_the_classes_are_of_other_draws_and_detached():
    torch.manual_seed(1)
    made, batch = make("local-expectation"), batch_of(COPIES)
    pairs = made.pairs(batch)
    assert len(pairs.rows) == 3 * COPIES  # both classes of the one, one of the other
    bound = made(batch).bound.reshape(2, COPIES).mean(1)
    target, q = made.condition(pairs)
    score = (shared_factors.bounds.elbo(target, q) + made._prior(pairs)).detach()
    r = made._shares(pairs, score, 2 * COPIES).exp()
    first = r[pairs.rows < COPIES].reshape(COPIES, 2)
    torch.testing.assert_close(first.sum(1), torch.ones(COPIES).double())
    every = enumerated(made, batch_of())
    naive = made.table(batch_of())[:, 0].logsumexp(0)
    assert bound[1].item() == pytest.approx(every[1].item(), abs=0.02)
    assert bound[0].item() < naive.item()  # a bound in expectation


def test_more_than_eight_factors_are_searched_and_nearly_exact(monkeypatch):
    made, batch = make(), batch_of()
    exact = made.table(batch)
    monkeypatch.setattr(shared_factors, "ENUMERATED", 2)
    searched = made.table(batch)
    assert (searched <= exact + 1e-9).all()
    torch.testing.assert_close(searched, exact, atol=1e-6, rtol=0)  # 8 states are all found
