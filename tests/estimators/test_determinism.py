"""Same seed, same bits; a document is read alike in any company."""

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.planted import model

INFERENCES = ["exact", "gumbel-softmax", "nvil", "dvae"]


@pytest.mark.parametrize("inference", INFERENCES)
def test_the_same_seed_gives_the_same_bits(inference, corpus):
    first, second, other = (
        model(inference=inference, max_iter=3, random_state=seed).fit(corpus.counts)
        for seed in (5, 5, 6)
    )
    for name in ("components_", "intercept_", "prior_", "prevalence_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.transform(corpus.counts), second.transform(corpus.counts))
    times = [[epoch._replace(seconds=0) for epoch in each.history_] for each in (first, second)]
    assert times[0] == times[1]
    assert not np.array_equal(first.components_, other.components_)


def test_what_was_drawn_before_makes_no_difference(corpus):
    first = model(inference="gumbel-softmax", max_iter=2).fit(corpus.counts)
    torch.rand(7), np.random.default_rng().random()
    second = model(inference="gumbel-softmax", max_iter=2).fit(corpus.counts)
    np.testing.assert_array_equal(first.components_, second.components_)


@pytest.mark.parametrize("name", ["exact_model", "relaxed_model"])
def test_a_document_is_read_alike_in_any_batch_and_order(name, corpus, request):
    fitted, counts = request.getfixturevalue(name), corpus.counts
    whole = fitted.transform(counts)
    order = np.random.default_rng(1).permutation(len(whole))
    np.testing.assert_allclose(fitted.transform(counts[order]), whole[order], atol=1e-5)
    alone = np.concatenate([fitted.transform(counts[row]) for row in range(20)])
    np.testing.assert_allclose(alone, whole[:20], atol=1e-5)


@pytest.mark.parametrize("bound", ["elbo", "iwae", "exact"])
def test_a_score_that_samples_depends_on_the_document_alone(bound, relaxed_model, corpus):
    counts = corpus.counts[:40]
    whole = relaxed_model.score_samples(counts, bound=bound, samples=3)
    np.testing.assert_array_equal(
        relaxed_model.score_samples(counts, bound=bound, samples=3), whole
    )
    order = np.random.default_rng(1).permutation(40)
    turned = relaxed_model.score_samples(counts[order], bound=bound, samples=3)
    np.testing.assert_allclose(turned, whole[order], rtol=1e-5)
    alone = [relaxed_model.score_samples(counts[row], bound=bound, samples=3) for row in range(9)]
    np.testing.assert_allclose(np.concatenate(alone), whole[:9], rtol=1e-5)


def test_more_documents_than_a_batch_change_nothing(relaxed_model, corpus):
    many = scipy.sparse.vstack([corpus.counts] * 11, format="csr")  # 4,400 rows: several blocks
    once = relaxed_model.score_samples(corpus.counts, bound="elbo", samples=2)
    np.testing.assert_allclose(
        relaxed_model.score_samples(many, bound="elbo", samples=2), np.tile(once, 11), rtol=1e-5
    )
    np.testing.assert_allclose(
        relaxed_model.transform(many),
        np.tile(relaxed_model.transform(corpus.counts), (11, 1)),
        atol=1e-5,
    )


@pytest.mark.parametrize("inference", INFERENCES)
def test_the_callers_generators_and_threads_are_left_alone(inference, corpus):
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002 - the global generator is what this is about
    before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    threads = torch.get_num_threads()
    seen = []
    fitted = model(
        inference=inference,
        max_iter=2,
        n_jobs=threads + 1,
        callbacks=[lambda epoch: seen.append(torch.get_num_threads())],
    ).fit(corpus.counts[:50])
    fitted.partial_fit(corpus.counts[:50])
    fitted.transform(corpus.counts[:50])
    fitted.score(corpus.counts[:50])
    assert torch.equal(torch.get_rng_state(), before)
    after = np.random.get_state()  # noqa: NPY002
    assert after[2] == numpy_before[2]
    np.testing.assert_array_equal(after[1], numpy_before[1])
    assert set(seen) == {threads + 1}
    assert torch.get_num_threads() == threads


def test_threads_are_given_back_after_a_failure(corpus):
    before = torch.get_num_threads()

    def fail(epoch):
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        model(n_jobs=before + 1, callbacks=[fail]).fit(corpus.counts)
    assert torch.get_num_threads() == before


def test_an_instance_of_random_state_moves_on(corpus):
    generator = np.random.RandomState(0)
    one = model(max_iter=1, random_state=generator).fit(corpus.counts[:50])
    first = one.components_
    assert not np.array_equal(one.fit(corpus.counts[:50]).components_, first)
