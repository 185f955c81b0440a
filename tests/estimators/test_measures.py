"""The ladder of scores, which of them is meant, posterior samples and the bracket of log p(x)."""

import itertools
import math

import numpy as np
import pytest
import scipy.sparse

from tests.estimators.planted import exact_log_prob, joint_table, model, planted, states_of
from topicfactors import ConfigurationError, InputError, MixtureModel
from topicfactors.estimators import measuring
from topicfactors.estimators.halves import halves


@pytest.fixture(scope="module")
def ten():
    """500 documents of ten factors."""
    return planted(10, 500, length=40, seed=1).counts


@pytest.fixture(scope="module")
def guessed(ten):
    """A model of ten factors whose encoder guesses badly."""
    return model(10, inference="gumbel-softmax", encoder="bag-of-words:width=4", max_iter=15).fit(
        ten
    )


@pytest.fixture(scope="module")
def many(ten):
    """More factors than are summed over by default, fitted by a search."""
    return model(13, max_iter=3).fit(ten)


def test_every_bound_is_where_the_ladder_has_it(guessed, ten):
    def each(bound, samples=None):
        return guessed.score_samples(ten, bound=bound, samples=samples)

    exact = each("exact")
    rungs = [each("elbo", 100), each("iwae", 10), each("iwae", 1000), exact]
    for lower, upper in itertools.pairwise(rungs):
        gap = upper - lower
        assert gap.mean() > -3 * gap.std() / math.sqrt(len(gap))
    assert rungs[0].mean() < rungs[1].mean() - 0.3 < rungs[2].mean() < exact.mean()
    truncated = each("truncated")
    assert (truncated <= exact + 1e-3).all()
    assert rungs[1].mean() < truncated.mean()
    annealed = each("ais")
    assert np.abs((annealed - exact).mean()) < 0.05
    assert (np.abs(annealed - exact) < 0.3).mean() > 0.95
    np.testing.assert_allclose(exact[:20], exact_log_prob(guessed, ten[:20]), atol=2e-3)


def test_annealing_errs_low_and_less_with_more_temperatures(guessed, ten):
    some = ten[:100]
    exact = guessed.score_samples(some, bound="exact")

    def gap(samples, temperatures):
        asked = {"bound": "ais", "samples": samples, "temperatures": temperatures}
        return (exact - guessed.score_samples(some, **asked)).mean()

    assert gap(1, 5) > gap(1, 30) > gap(4, 60) > -0.02
    assert gap(1, 5) > 1


def test_the_default_is_the_tightest_affordable_bound(guessed, many, ten):
    some = ten[:30]
    found = guessed.evaluate(some)
    assert (found.bound, found.samples, found.temperatures) == ("exact", 0, 0)
    found = many.evaluate(some)
    assert (found.bound, found.samples) == ("truncated", 64)
    assert many.score(some) == pytest.approx(found.log_prob)
    sampled = model(13, inference="gumbel-softmax", max_iter=1).fit(ten)
    found = sampled.evaluate(some)
    assert (found.bound, found.samples) == ("iwae", 100)
    assert sampled.evaluate(some, bound="iwae").samples == 32
    assert sampled.score(some) == pytest.approx(sampled.evaluate(some, bound="elbo").log_prob)
    urns = model(7, likelihood="polya", max_iter=1).fit(ten)
    assert urns.evaluate(some).bound == "truncated"  # every document's table is its own
    assert urns.evaluate(some, bound="exact").bound == "exact"


def test_a_score_has_its_standard_error_and_what_it_cost(guessed, ten):
    found = guessed.evaluate(ten[:50], bound="ais", samples=2, temperatures=7)
    assert (found.bound, found.samples, found.temperatures) == ("ais", 2, 7)
    logs = guessed.score_samples(ten[:50], bound="ais", samples=2, temperatures=7)
    assert found.standard_error == pytest.approx(logs.std() / math.sqrt(50))
    assert found.log_prob == pytest.approx(logs.mean())


def test_the_curve_rises_with_the_draws_and_begins_at_the_elbo(guessed, ten):
    curve = guessed.iwae_curve(ten, (1, 10, 100))
    assert [found.samples for found in curve] == [1, 10, 100]
    means = [found.log_prob for found in curve]
    assert means == sorted(means)
    assert means[0] == pytest.approx(
        guessed.evaluate(ten, bound="elbo", samples=100).log_prob, abs=0.1
    )
    last = guessed.evaluate(ten, bound="iwae", samples=100)
    assert curve[-1].log_prob == pytest.approx(last.log_prob, abs=1e-4)
    assert curve[-1].unigram == last.unigram


def test_draws_are_made_a_block_at_a_time(guessed, ten, monkeypatch):
    whole = {b: guessed.score_samples(ten[:40], bound=b, samples=50) for b in ("elbo", "iwae")}
    monkeypatch.setattr(measuring, "DRAWN", 512 * 10 * 7)
    for bound, expected in whole.items():
        found = guessed.score_samples(ten[:40], bound=bound, samples=50)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("bound", ["iwae", "ais", "exact", "truncated", "completion"])
def test_a_score_depends_on_the_document_alone(guessed, ten, bound):
    order = np.random.default_rng(0).permutation(40)
    asked = {"bound": bound, "samples": 4}
    whole = guessed.score_samples(ten[:40], **asked)
    turned = guessed.score_samples(ten[:40][order], **asked)
    np.testing.assert_allclose(turned, whole[order], atol=1e-3)
    parts = [guessed.score_samples(ten[row : row + 1], **asked) for row in range(5)]
    np.testing.assert_allclose(np.concatenate(parts), whole[:5], atol=1e-3)


def test_halves_are_halves_and_always_the_same(ten):
    seen, unseen = halves(ten)
    assert abs(seen + unseen - ten).sum() == 0
    lengths = np.asarray(ten.sum(1)).ravel()
    np.testing.assert_array_equal(np.asarray(unseen.sum(1)).ravel(), lengths // 2)
    order = np.random.default_rng(0).permutation(ten.shape[0])
    assert abs(halves(ten[order])[1] - unseen[order]).sum() == 0
    share = unseen.sum(0) / ten.sum(0)  # no word is favoured
    assert share.min() > 0.3
    assert share.max() < 0.7
    ones = scipy.sparse.csr_matrix([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    assert [part.sum(1).ravel().tolist() for part in halves(ones)] == [[[1, 1, 0]], [[0, 1, 0]]]


def test_completion_is_that_of_the_fixed_halves(guessed, ten):
    some = ten[:60]
    seen, unseen = halves(some)
    found = guessed.evaluate(some, bound="completion")
    assert (found.bound, found.samples) == ("completion", 32)
    assert found.perplexity.corpus == pytest.approx(guessed.completion_perplexity(seen, unseen))
    totals = np.asarray(ten.sum(0)).ravel()
    assert found.unigram.corpus == pytest.approx(
        np.exp(-(unseen @ np.log(guessed_shares(guessed, totals))).sum() / unseen.sum())
    )
    assert found.perplexity.corpus < 0.9 * found.unigram.corpus
    assert guessed.perplexity(some, bound="completion") == found.perplexity.per_document
    searched = model(5, max_iter=2).fit(ten).evaluate(some, bound="completion")
    assert searched.samples == 64


def test_more_draws_are_completed_fewer_documents_at_a_time(guessed, ten, monkeypatch):
    some, at_once = ten[:60], []
    whole = guessed.score_samples(some, bound="completion")

    def told(target, q, unseen, samples, noise):
        at_once.append(samples * len(unseen))
        return completion(target, q, unseen, samples, noise)

    completion = measuring.bounds.completion
    monkeypatch.setattr(measuring, "PREDICTED", 320)
    monkeypatch.setattr(measuring.bounds, "completion", told)
    found = guessed.score_samples(some, bound="completion")
    np.testing.assert_allclose(found, whole, rtol=1e-5)
    assert at_once == [320] * 6


def guessed_shares(fitted, totals):
    raised = fitted.word_totals_ + 0.5
    assert len(raised) == len(totals)
    return raised / raised.sum()


def test_components_complete_too(ten):
    fitted = MixtureModel(4, random_state=0, n_jobs=1).fit(ten)
    found = fitted.evaluate(ten[:60], bound="completion")
    expected = fitted.completion_perplexity(*halves(ten[:60]))
    assert found.perplexity.corpus == pytest.approx(expected)
    with pytest.raises(ConfigurationError, match="'completion' without samples"):
        fitted.evaluate(ten, bound="iwae")


def test_tokens_can_only_be_hidden_where_there_are_some(guessed, ten):
    broken = ten[:3].copy().tolil()
    broken[1, 0] = 0.5
    with pytest.raises(InputError, match=r"must be whole numbers, got 0.5 in row 1; split"):
        guessed.evaluate(broken.tocsr(), bound="completion")
    with pytest.raises(InputError, match="none of the 2 documents has two"):
        guessed.evaluate(scipy.sparse.csr_matrix(np.eye(2, ten.shape[1])), bound="completion")


def test_refinement_to_the_exact_posterior(guessed, ten):
    some = ten[:40]
    logs = joint_table(guessed, some)
    weights = np.exp(logs - logs.max(0))
    weights /= weights.sum(0)  # (2^D, N)
    states = states_of(10)
    found = guessed.transform(some, refine="exact")
    np.testing.assert_allclose(found, weights.T @ states, atol=2e-3)
    assert np.abs(found - guessed.transform(some)).max() > 0.02
    best = guessed.states(some, 3, refine="exact")
    order = np.argsort(-weights, 0)[:3].T
    np.testing.assert_allclose(
        best.probabilities, np.take_along_axis(weights.T, order, 1), atol=2e-3
    )
    assert (best.bits[:, 0] == states[order[:, 0]]).mean() > 0.99
    pairs = guessed.pairwise(some, refine="exact")
    np.testing.assert_allclose(
        pairs, np.einsum("sn,sd,se->nde", weights, states, states), atol=2e-3
    )
    entropy = -(weights * np.log(np.maximum(weights, 1e-300))).sum(0)
    np.testing.assert_allclose(guessed.entropy(some, refine="exact"), entropy, atol=5e-3)
    assert [guessed.explain(some[:1], refine=way)[0].posterior for way in ("exact", "auto")] == [
        "exact",
        "searched",
    ]


def test_exact_refinement_is_what_exact_inference_does(exact_model, corpus):
    np.testing.assert_array_equal(
        exact_model.transform(corpus.counts, refine="exact"), exact_model.transform(corpus.counts)
    )


def test_too_many_factors_for_exact_refinement(ten):
    with pytest.raises(ConfigurationError, match=r"refine='exact' .* at most 20 factors .* has 21"):
        model(21, max_iter=1).fit(ten).transform(ten, refine="exact")


def test_samples_of_few_factors_are_exact_draws(guessed, ten):
    some = ten[:30]
    found = guessed.posterior_samples(some, 400, random_state=0)
    assert found.shape == (30, 400, 10)
    assert found.dtype == np.int8
    expected = guessed.transform(some, refine="exact")
    error = np.sqrt(expected * (1 - expected) / 400)
    assert (np.abs(found.mean(1) - expected) < 5 * error + 2e-3).all()


def test_samples_of_many_factors_come_from_chains_that_reach_the_posterior(many, ten):
    some = ten[:30]
    expected = many.transform(some, refine="exact")
    error = np.sqrt(expected * (1 - expected) / 400) + 2e-3
    found = many.posterior_samples(some, 400, random_state=0)
    assert (np.abs(found.mean(1) - expected) / error).mean() < 1.2
    assert np.abs(found.mean(1) - expected).max() < 0.15
    sampled = model(13, inference="gumbel-softmax", max_iter=1).fit(ten)  # a poor encoder
    expected = sampled.transform(some, refine="exact")
    start = sampled.posterior_samples(some, 200, sweeps=0, random_state=0)
    ended = sampled.posterior_samples(some, 200, random_state=0)
    before, after = (np.abs(drawn.mean(1) - expected).mean() for drawn in (start, ended))
    assert after < 0.03
    assert before > 2 * after


def test_samples_depend_on_the_document_and_the_seed_alone(many, ten):
    def drawn(counts, seed=3):
        return many.posterior_samples(counts, 5, sweeps=2, random_state=seed)

    order = np.random.default_rng(0).permutation(20)
    whole = drawn(ten[:20])
    np.testing.assert_array_equal(drawn(ten[:20][order]), whole[order])
    parts = [drawn(ten[row : row + 1]) for row in range(5)]
    np.testing.assert_array_equal(np.concatenate(parts), whole[:5])
    assert (drawn(ten[:20], 4) != whole).any()
    longer = many.posterior_samples(ten[:20], 9, sweeps=2, random_state=3)
    np.testing.assert_array_equal(longer[:, :5], whole)


def test_the_bracket_holds_log_p_and_narrows(guessed, many):
    wide = guessed.bracket(100, samples=1, temperatures=5, random_state=0)
    found = guessed.bracket(100, random_state=0)
    assert abs(found.gap) < 0.1 < wide.gap
    assert abs(found.gap) < 4 * found.standard_error
    assert found.gap == pytest.approx(found.upper - found.lower)
    assert (found.documents, found.chains, found.temperatures) == (100, 16, 100)
    assert wide.lower < found.lower + 0.05 < wide.upper
    lengths = np.full(50, 3)
    short = many.bracket(50, lengths=lengths, random_state=0)
    assert short.lower > found.lower / 4
    with pytest.raises(InputError, match="lengths must be 50 whole numbers"):
        many.bracket(50, lengths=lengths[:4])


@pytest.mark.parametrize("likelihood", ["polya", "poisson", "bernoulli"])
def test_a_bracket_of_every_likelihood_is_around_the_exact_value(likelihood, ten, monkeypatch):
    fitted = model(5, likelihood=likelihood, max_iter=2).fit(ten)
    from topicfactors.estimators import sampling

    exact = []

    def spy(target, *rest):
        exact.append(target.table().logsumexp(0).mean().item())
        return original(target, *rest)

    original = sampling.annealed
    monkeypatch.setattr(sampling, "annealed", spy)
    found = fitted.bracket(60, samples=4, temperatures=40, random_state=0)
    assert found.lower - 0.05 < exact[0] < found.upper + 0.05
    assert found.gap < 0.5


def test_covariates_are_at_their_mean_in_a_bracket_and_read_elsewhere(ten):
    rows = np.arange(500)
    table = {"year": rows % 7, "side": ["left" if row % 2 else "right" for row in rows]}
    fitted = model(13, max_iter=1, covariates=["year", "side:content"]).fit(ten, covariates=table)
    assert fitted.bracket(20, temperatures=20, random_state=0).gap < 5
    some = {name: column[:20] for name, column in table.items()}
    found = fitted.posterior_samples(ten[:20], 50, covariates=some, random_state=0)
    expected = fitted.transform(ten[:20], covariates=some, refine="exact")
    assert np.abs(found.mean(1) - expected).mean() < 0.05
    scores = [
        fitted.score_samples(ten[:20], covariates=some, bound=bound) for bound in ("ais", "exact")
    ]
    np.testing.assert_allclose(*scores, atol=1.0)
    assert abs((scores[0] - scores[1]).mean()) < 0.15


def test_numbers_that_make_no_sense_are_refused(guessed, ten):
    for call, what in (
        (lambda: guessed.posterior_samples(ten, 0), "n must be a whole number of 1"),
        (lambda: guessed.posterior_samples(ten, sweeps=-1), "sweeps must be a whole number of 0"),
        (lambda: guessed.bracket(2.5), "n_documents must be a whole number of 1"),
        (lambda: guessed.iwae_curve(ten, (1, 0)), "samples must be some whole numbers"),
        (lambda: guessed.iwae_curve(ten, ()), "samples must be some whole numbers"),
        (lambda: guessed.evaluate(ten, temperatures=5), "temperatures are of bound='ais'"),
        (lambda: guessed.evaluate(ten, bound="ais", temperatures=0), "temperatures must be None"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            call()


@pytest.mark.parametrize(("likelihood", "most"), [("multinomial", 2**24), ("polya", 2**16)])
def test_tables_of_documents_that_share_nothing_are_of_few_documents(likelihood, most, ten):
    """Under polya a table has a number for each word that comes again, not for the document."""
    fitted = model(4, likelihood=likelihood, max_iter=1).fit(ten[:40])
    assert fitted._tabled() * 2**4 == most
