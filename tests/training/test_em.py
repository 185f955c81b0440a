"""Closed-form EM: its steps are maxima, its objective rises, and it keeps to the labels."""

import numpy as np
import pytest
import scipy.sparse
from scipy.special import logsumexp

from topicfactors.training import em
from topicfactors.training.em_responses import Answers, Overall

WORDS, COMPONENTS, DOCUMENTS = 12, 3, 60


@pytest.fixture
def counts():
    generator = np.random.default_rng(0)
    return scipy.sparse.csr_matrix(generator.poisson(0.7, (DOCUMENTS, WORDS)).astype(float))


def smoothing(counts, words=2.0, weights=1.0, fixed=None):
    totals = np.asarray(counts.sum(0)).ravel() + 0.5
    return em.Smoothing(totals / totals.sum(), words, weights, fixed)


def guess(seed=0):
    return np.random.default_rng(seed).dirichlet(np.ones(COMPONENTS), DOCUMENTS)


def labelled():
    classes = np.full(DOCUMENTS, -1)
    classes[:10], classes[10:20] = 0, 1
    members = np.array([[True, True, False], [False, False, True]])
    return em.Known(np.where(classes >= 0, 1.0, 0.4), classes, members)


def unlabelled():
    return em.Known.nothing(DOCUMENTS, COMPONENTS)


def direct(counts, components, pull, known):
    """The objective in the module's docstring, written out densely."""
    dense = counts.toarray()
    joint = dense @ components.log_words.T + components.log_weights
    for row, label in enumerate(known.classes):
        if label >= 0:
            joint[row, ~known.members[label]] = -np.inf
    total = known.weights @ logsumexp(joint, axis=1)
    total += pull.words * (components.log_words @ pull.shares).sum()
    return total + pull.weights * components.log_weights.sum()


@pytest.mark.parametrize("known", [unlabelled(), labelled()], ids=["mixture", "labelled"])
@pytest.mark.parametrize("block", [7, 10**6])
def test_the_objective_is_the_one_of_the_docstring(counts, known, block, monkeypatch):
    monkeypatch.setattr(em, "BLOCK", block)
    pull = smoothing(counts)
    start = em.begin(counts, guess(), pull, known)
    step = next(em.iterate(counts, start, pull, known))
    assert step.objective == pytest.approx(direct(counts, start, pull, known), rel=1e-12)


@pytest.mark.parametrize("known", [unlabelled(), labelled()], ids=["mixture", "labelled"])
def test_it_never_falls_and_ends_where_nothing_moves(counts, known):
    pull = smoothing(counts)
    start = em.begin(counts, guess(1), pull, known)
    steps = []
    for step in em.iterate(counts, start, pull, known):
        steps.append(step)
        if len(steps) > 1 and em.settled(steps[-2], step, 1e-12):
            break
    rises = np.diff([step.objective for step in steps])
    assert len(steps) > 3
    assert (rises > -1e-9).all()
    last, rng = steps[-1].components, np.random.default_rng(2)
    for _ in range(20):
        moved = last.log_words + 0.01 * rng.normal(size=last.log_words.shape)
        moved -= logsumexp(moved, axis=1, keepdims=True)
        near = em.Components(moved, last.log_weights)
        assert direct(counts, near, pull, known) < steps[-1].objective


@pytest.mark.parametrize("weight", [1.0, 3.0])
@pytest.mark.parametrize("family", ["gaussian", "poisson"])
@pytest.mark.parametrize("block", [7, 10**6])
def test_responses_are_explained_too(counts, family, weight, block, monkeypatch):
    monkeypatch.setattr(em, "BLOCK", block)
    generator = np.random.default_rng(5)
    numbers = generator.poisson(20, DOCUMENTS) + np.where(np.arange(DOCUMENTS) < 30, 0.0, 40.0)
    numbers[::7] = np.nan
    answers = Answers(numbers, family, Overall.of(numbers, family), weight)
    known, pull = unlabelled()._replace(answers=answers), smoothing(counts)
    start, steps = em.begin(counts, guess(1), pull, known), []
    for step in em.iterate(counts, start, pull, known):
        steps.append(step)
        if len(steps) == 60:
            break
    assert (np.diff([step.objective for step in steps]) > -1e-9).all()
    last = steps[-1].components
    dense = counts.toarray() @ last.log_words.T + last.log_weights
    total = logsumexp(dense + weight * last.responses.log_prob(numbers), axis=1).sum()
    assert steps[-1].log_prob == pytest.approx(total)
    assert np.ptp(last.responses.means) > 10


def test_a_label_keeps_a_document_in_its_class(counts):
    known = labelled()
    components = em.begin(counts, guess(), smoothing(counts), known)
    joint = known.allow(components.log_joint(counts), slice(0, DOCUMENTS))
    assert np.isneginf(joint[:10, 2]).all()
    assert np.isneginf(joint[10:20, :2]).all()
    assert np.isfinite(joint[20:]).all()


def test_fixed_weights_stay(counts):
    fixed = np.array([0.7, 0.2, 0.1])
    pull = smoothing(counts, fixed=fixed)
    step = next(
        em.iterate(counts, em.begin(counts, guess(), pull, unlabelled()), pull, unlabelled())
    )
    np.testing.assert_allclose(np.exp(step.components.log_weights), fixed)


def test_an_empty_component_begins_anew_from_what_is_explained_worst():
    rows = [[9, 1, 0, 0]] * 20 + [[1, 9, 0, 0]] * 20 + [[0, 0, 5, 5]]
    counts = scipy.sparse.csr_matrix(np.array(rows, float))
    start = np.zeros((41, 3))
    start[:20, 0] = start[20:, 1] = 1.0
    known, pull = em.Known.nothing(41, 3), smoothing(counts, words=0.1, weights=0.0)
    start[:, 2] = 1e-9
    seen, steps = [], em.iterate(counts, em.begin(counts, start, pull, known), pull, known)
    for _ in range(6):
        seen.append(next(steps))
    assert seen[0].reseeded == [2]
    assert not seen[-1].reseeded
    assert seen[-1].components.log_joint(counts)[40].argmax() == 2


def test_no_component_of_a_class_begins_anew_from_a_document_of_another(counts):
    responsibilities = np.tile([1.0, 0.0, 0.0], (DOCUMENTS, 1))
    for known, expected in ((labelled(), []), (unlabelled(), [1, 2])):
        pull = smoothing(counts, weights=1e-9)
        start = em.begin(counts, responsibilities, pull, known)
        start = start._replace(log_weights=np.array([0.0, -1e4, -1e4]))
        classes = np.where(known.classes == 1, -1, known.classes)
        step = next(em.iterate(counts, start, pull, known._replace(classes=classes)))
        assert step.reseeded == expected


def test_a_balance_is_the_same_in_blocks(counts, monkeypatch):
    start = em.begin(counts, guess(), smoothing(counts), unlabelled())
    shares = np.array([0.6, 0.3, 0.1])
    whole = em.balanced(counts, start, shares)
    monkeypatch.setattr(em, "BLOCK", 20)
    np.testing.assert_allclose(em.balanced(counts, start, shares).log_weights, whole.log_weights)
