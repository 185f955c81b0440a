"""The gradients that are drawn and enumerated are those of the estimators themselves."""

import copy

import pytest
import torch

from topicfactors.gradients import GRADIENTS, NVIL
from topicfactors.studies.drawing import Scene, draw_many, warm_up

ROWS = torch.tensor([3, 7])


@pytest.fixture
def scene(corpus, fitted):
    documents = fitted._documents(fitted._observed(corpus.counts))
    return Scene(fitted.objective_, documents.batch(ROWS))


@pytest.mark.parametrize("name", ["local-expectation", "straight-through", "gumbel-softmax"])
def test_the_variance_is_that_of_direct_draws_of_the_same_documents(scene, name):
    torch.manual_seed(0)
    gradient = GRADIENTS[name](scene.joint.sizes).eval()
    gradient.anneal(1.0)
    moments, _ = draw_many(scene, gradient, 3000)
    found = moments.figures(moments.reference())
    many = scene.part(torch.arange(2).repeat_interleave(20_000))
    target, q, logits = many.posed()
    direct = torch.autograd.grad(gradient(target, q, 1.0).loss.sum(), logits)[0]
    expected = direct.view(2, 20_000, -1).double().var(1).sum(-1).mean()
    assert found.variance == pytest.approx(float(expected), rel=0.1)


def test_the_exact_gradient_is_that_of_the_bound_by_hand(scene):
    logits, encoder = scene.exact()
    target, _, leaf = scene.posed()
    states = ((torch.arange(32)[:, None] >> torch.arange(5)) & 1).float()[:, None, :]
    log_q = (states * leaf).sum(-1) - torch.nn.functional.softplus(leaf).sum(-1)
    joint = target.log_likelihood(states) + target.log_prior(states)
    loss = -(log_q.exp() * (joint - log_q)).sum(0)
    slopes = torch.autograd.grad(loss.mean(), [leaf, *scene.parameters])
    assert torch.allclose(2 * slopes[0].double(), logits.mean, atol=1e-4)
    flat = torch.cat([slope.flatten() for slope in slopes[1:]])
    assert torch.allclose(flat.double(), encoder.mean[0], atol=1e-4)
    assert not logits.error.any()


def test_the_mean_of_many_draws_is_the_exact_gradient_of_the_encoder_too(scene):
    torch.manual_seed(0)
    gradient = GRADIENTS["local-expectation"](scene.joint.sizes)
    _, encoder = draw_many(scene, gradient, 500)
    mean, exact = encoder.reference().mean, scene.exact()[1].mean
    assert torch.nn.functional.cosine_similarity(mean, exact).item() > 0.99


def test_an_estimator_that_learns_is_warmed_up_and_then_stands_still(corpus, fitted, scene):
    documents = fitted._documents(fitted._observed(corpus.counts))
    before = copy.deepcopy(scene.posterior.state_dict())
    gradient = NVIL(fitted.objective_.gradient.sizes._replace(features=33))
    untouched = copy.deepcopy(gradient.state_dict())
    warm_up(scene, gradient, documents, 5, 0)
    learnt = copy.deepcopy(gradient.state_dict())
    assert float(gradient.moments.seen) == 5
    assert any(not torch.equal(learnt[key], untouched[key]) for key in learnt if "layers" in key)
    draw_many(scene, gradient, 10)
    assert all(torch.equal(part, learnt[key]) for key, part in gradient.state_dict().items())
    assert all(torch.equal(part, before[key]) for key, part in scene.posterior.state_dict().items())
