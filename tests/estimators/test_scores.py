"""Bounds, perplexities and completion against sums over all states, written out by hand."""

import numpy as np
import pytest
import scipy.sparse
from scipy.special import logsumexp, softmax

from tests.estimators.planted import (
    exact_log_prob,
    joint_table,
    model,
    posterior_table,
    states_of,
    word_logs,
)
from topicfactors import ConfigurationError, InputError


@pytest.fixture(scope="module")
def small(corpus):
    """A model of three factors with a mean-field posterior."""
    return model(3, inference="gumbel-softmax", max_iter=10).fit(corpus.counts)


def halves(counts, seed=0):
    dense = np.asarray(counts.todense()).astype(int)
    seen = np.random.default_rng(seed).binomial(dense, 0.5)
    return scipy.sparse.csr_matrix(seen), scipy.sparse.csr_matrix(dense - seen)


def test_exact_is_the_sum_over_all_states(small, corpus):
    some = corpus.counts[:50]
    np.testing.assert_allclose(
        small.score_samples(some, bound="exact"), exact_log_prob(small, some), atol=2e-3
    )


def test_elbo_is_the_expectation_under_the_posterior(small, corpus):
    some = corpus.counts[:30]
    log_q, log_p = posterior_table(small, some), joint_table(small, some)
    by_hand = (np.exp(log_q) * (log_p - log_q)).sum(0)
    spread = np.sqrt((np.exp(log_q) * (log_p - (np.exp(log_q) * log_p).sum(0)) ** 2).sum(0))
    drawn = small.score_samples(some, bound="elbo", samples=1000)
    assert (np.abs(drawn - by_hand) < 4.5 * spread / np.sqrt(1000) + 5e-3).all()


def test_iwae_is_the_log_of_the_mean_weight(small, corpus):
    some = corpus.counts[:30]
    log_q, log_p = posterior_table(small, some), joint_table(small, some)
    relative = np.exp(2 * (log_p - logsumexp(log_p, axis=0)) - log_q).sum(0) - 1  # of a weight
    drawn = small.score_samples(some, bound="iwae", samples=4000)
    tolerance = 5 * np.sqrt(np.maximum(relative, 0) / 4000) + 5e-3
    tight = tolerance < 0.3  # where the weights vary too much the draws say nothing
    assert (np.abs(drawn - exact_log_prob(small, some)) < tolerance)[tight].all()
    assert tight.mean() > 0.5


def test_the_bounds_are_a_ladder_in_expectation(relaxed_model, corpus):
    def each(bound, samples):
        return relaxed_model.score_samples(corpus.counts, bound=bound, samples=samples)

    exact = each("exact", 1)
    rungs = [each("elbo", 200), each("iwae", 2), each("iwae", 20), each("iwae", 300)]
    means = [rung.mean() for rung in rungs]
    assert means[0] < means[1] - 0.01 < means[2] < exact.mean()
    for rung in rungs:
        above = rung - exact
        assert above.mean() < 4 * above.std() / np.sqrt(len(above))
    assert means[3] == pytest.approx(exact.mean(), abs=0.3)


@pytest.mark.parametrize("bound", ["elbo", "iwae"])
def test_exact_inference_closes_the_gap(bound, exact_model, corpus):
    np.testing.assert_array_equal(
        exact_model.score_samples(corpus.counts, bound=bound),
        exact_model.score_samples(corpus.counts, bound="exact"),
    )
    assert exact_model.evaluate(corpus.counts, bound=bound).samples == 0


def test_exact_inference_is_the_posterior(exact_model, corpus):
    weights = softmax(joint_table(exact_model, corpus.counts[:40]), axis=0)
    by_hand = weights.T @ states_of(4)
    np.testing.assert_allclose(exact_model.transform(corpus.counts[:40]), by_hand, atol=1e-3)


def test_score_is_the_mean_of_the_inference_s_own_bound(small, corpus):
    each = small.score_samples(corpus.counts, bound="own")
    assert each.dtype == np.float64
    assert small.score(corpus.counts) == pytest.approx(each.mean())
    np.testing.assert_array_equal(each, small.score_samples(corpus.counts, bound="elbo"))


def test_perplexity_is_per_document(small, corpus):
    some = scipy.sparse.vstack([corpus.counts[:20], corpus.counts[:2] * 0], format="csr")
    logs, lengths = small.score_samples(some)[:20], np.asarray(some.sum(1)).ravel()[:20]
    assert small.perplexity(some) == pytest.approx(np.exp(-(logs / lengths).mean()))
    found = small.evaluate(some, bound="iwae", samples=7)
    assert (found.bound, found.samples) == ("iwae", 7)
    assert (found.perplexity.documents, found.perplexity.left_out) == (20, 2)
    logs = small.score_samples(some, bound="iwae", samples=7)
    assert found.log_prob == pytest.approx(logs.mean())
    assert found.perplexity.corpus == pytest.approx(np.exp(-logs[:20].sum() / lengths.sum()))
    totals = np.asarray(corpus.counts.sum(0)).ravel() + 0.5
    unigram = np.asarray(some @ np.log(totals / totals.sum())).ravel()[:20]
    assert found.unigram.per_document == pytest.approx(np.exp(-(unigram / lengths).mean()))


def test_a_fitted_model_is_better_than_the_unigram(exact_model, corpus):
    found = exact_model.evaluate(corpus.counts)
    assert found.perplexity.per_document < 0.75 * found.unigram.per_document
    held_out = exact_model.held_out_["exact"]
    assert held_out.perplexity.documents == 20
    assert held_out.perplexity.per_document < 0.8 * held_out.unigram.per_document


def test_held_out_documents_are_left_out_of_the_unigram_and_the_start(corpus):
    seen = []

    def spy(counts, factors, seed):
        seen.append(counts)
        return np.zeros((factors, counts.shape[1]))

    fitted = model(2, init=spy, max_iter=1, validation_fraction=0.25).fit(corpus.counts)
    assert seen[0].shape[0] == 300
    kept = np.asarray(seen[0].sum(0)).ravel() + 0.5
    held = corpus.counts.sum() - seen[0].sum()
    assert fitted.held_out_["truncated"].perplexity.documents == 100
    rest = np.asarray(corpus.counts.sum(0)).ravel() - (kept - 0.5)
    corpus_perplexity = np.exp(-(rest @ np.log(kept / kept.sum())) / held)
    assert fitted.held_out_["truncated"].unigram.corpus == pytest.approx(corpus_perplexity)


def completed(fitted, seen, unseen, weights):
    """Perplexity of the unseen tokens when states have the weights ``(2^D, N)``."""
    words = np.log(np.exp(word_logs(fitted)).T @ weights).T  # (N, V)
    dense = np.asarray(unseen.todense())
    return np.exp(-(dense * words).sum() / dense.sum())


def test_completion_of_exact_inference(exact_model, corpus):
    seen, unseen = halves(corpus.counts[:60])
    weights = softmax(joint_table(exact_model, seen), axis=0)
    found = exact_model.completion_perplexity(seen, unseen, samples=2000)
    assert found == pytest.approx(completed(exact_model, seen, unseen, weights), rel=2e-3)


def test_completion_of_a_mean_field_posterior(small, corpus):
    seen, unseen = halves(corpus.counts[:60])
    weights = np.exp(posterior_table(small, seen))
    found = small.completion_perplexity(seen, unseen, samples=2000)
    assert found == pytest.approx(completed(small, seen, unseen, weights), rel=2e-3)
    order = np.random.default_rng(2).permutation(60)
    turned = small.completion_perplexity(seen[order], unseen[order], samples=2000)
    assert turned == pytest.approx(found, rel=1e-6)


def test_completion_needs_two_halves_of_the_same_documents(small, corpus):
    with pytest.raises(InputError, match="same documents, got 3 and 4 rows"):
        small.completion_perplexity(corpus.counts[:3], corpus.counts[:4])
    with pytest.raises(InputError, match="X_unseen has no tokens"):
        small.completion_perplexity(corpus.counts[:3], corpus.counts[:3] * 0)


def test_exact_is_refused_with_many_factors(corpus):
    fitted = model(21, max_iter=1).fit(corpus.counts)
    with pytest.raises(ConfigurationError, match=r"at most 20 factors .*, this model has 21; use"):
        fitted.score_samples(corpus.counts, bound="exact")
    with pytest.raises(ConfigurationError, match=r"at most 16 factors .*, got n_components=17"):
        model(17, inference="exact").fit(corpus.counts)
    with pytest.raises(ConfigurationError, match="at most 10 factors under likelihood='polya'"):
        model(13, inference="exact", likelihood="polya").fit(corpus.counts)


def test_unknown_bounds_and_numbers_of_samples_are_refused(small, corpus):
    with pytest.raises(ConfigurationError, match="got 'elb'; did you mean 'elbo'"):
        small.perplexity(corpus.counts, bound="elb")
    for samples in (0, -3, 2.5, "many", True):
        with pytest.raises(ConfigurationError, match="samples must be None or a whole number of 1"):
            small.score_samples(corpus.counts, samples=samples)
        with pytest.raises(ConfigurationError, match="samples must be None or a whole number of 1"):
            small.completion_perplexity(corpus.counts, corpus.counts, samples=samples)
