"""inference="truncated", and the searched posteriors of every other inference."""

import contextlib
import warnings

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.planted import joint_table, matched, model, planted, states_of
from topicfactors import ConfigurationError, FitWarning, InputError, load, save
from topicfactors.gradients import GRADIENTS
from topicfactors.model.likelihoods import LIKELIHOODS


@pytest.fixture(scope="module")
def searched(corpus):
    return model(inference="truncated", max_iter=None).fit(corpus.counts)


def bursty(documents=400, concentration=20.0, seed=0):
    """The planted corpus drawn from an urn."""
    corpus = planted(documents=documents, seed=seed)
    generator = np.random.default_rng(seed)
    weights = np.exp(corpus.truth @ corpus.loadings)
    shares = np.array([generator.dirichlet(concentration * w / w.sum() + 1e-6) for w in weights])
    rows = [generator.multinomial(60, share) for share in shares]
    return corpus._replace(counts=scipy.sparse.csr_matrix(np.array(rows, dtype=np.float64)))


def test_it_finds_every_factor_and_fits_as_exact_does(searched, exact_model, corpus):
    assert matched(searched.transform(corpus.counts), corpus.truth).min() > 0.97
    ours = searched.score_samples(corpus.counts, bound="exact").mean()
    assert ours > exact_model.score_samples(corpus.counts).mean() - 1.0


def test_the_bound_is_below_log_p_and_near_it(corpus):
    fitted = model(8, inference="truncated:final_states=16,final_rounds=20").fit(corpus.counts)
    exact = fitted.score_samples(corpus.counts, bound="exact")
    gaps = exact - fitted.score_samples(corpus.counts, bound="own")
    assert gaps.min() > -2e-3
    assert gaps.mean() < 0.1
    wider = exact - fitted.score_samples(corpus.counts, bound="truncated", samples=4)
    assert wider.mean() > gaps.mean()
    assert fitted.score(corpus.counts) == pytest.approx((exact - gaps).mean())


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("decoder", ["log-linear", "log-linear:nonnegative=true", "mlp"])
@pytest.mark.parametrize("inference", GRADIENTS)
def test_every_inference_serves_every_likelihood_and_decoder(
    inference, likelihood, decoder, corpus
):
    some = corpus.counts[:60]
    learner = model(3, inference=inference, likelihood=likelihood, decoder=decoder, max_iter=3)
    costly = GRADIENTS[inference].flips and decoder == "mlp"
    with pytest.warns(FitWarning) if costly else contextlib.nullcontext():
        fitted = learner.fit(some)
    assert np.isfinite(fitted.transform(some)).all()
    exact = fitted.score_samples(some, bound="exact")
    assert np.isfinite(exact).all()
    searched = fitted.score_samples(some, bound="truncated", samples=8)
    np.testing.assert_allclose(searched, exact, atol=2e-3)  # all 2^3 states
    assert fitted.score(some) <= exact.mean() + 1e-3
    assert np.isfinite(fitted.completion_perplexity(some, some))
    assert np.isfinite(fitted.evaluate(some).unigram.per_document)


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax"])
@pytest.mark.parametrize("likelihood", ["polya", "poisson", "bernoulli"])
def test_each_likelihood_finds_the_factors(inference, likelihood, corpus):
    made = bursty() if likelihood == "polya" else corpus
    passes = None if inference == "truncated" else 40
    fitted = model(inference=inference, likelihood=likelihood, max_iter=passes).fit(made.counts)
    found = matched(fitted.transform(made.counts), made.truth)
    assert (found > 0.7).sum() >= 3
    scores = fitted.evaluate(made.counts)
    assert scores.perplexity.per_document < scores.unigram.per_document


def test_polya_learns_how_bursty_the_words_are():
    def concentration(counts):
        fitted = model(likelihood="polya", max_iter=12, learning_rate=0.1).fit(counts)
        return float(fitted.objective_.joint.likelihood.log_concentration.detach().exp())

    rare, often = (bursty(200, concentration=c) for c in (400.0, 15.0))
    assert concentration(often.counts) == pytest.approx(15, rel=0.35)
    assert concentration(rare.counts) > 60
    urn = model(likelihood="polya", max_iter=8).fit(often.counts)
    plain = model(likelihood="multinomial", max_iter=8).fit(often.counts)
    assert urn.score(often.counts) > plain.score(often.counts) + 10


def test_refine(searched, corpus):
    some = corpus.counts[:50]
    guessed, found = searched.transform(some, refine=0), searched.transform(some)
    assert np.abs(guessed - found).max() > 1e-3
    with torch.no_grad():
        searched.objective_.eval()
        logits = searched.objective_.posterior.amortised(_batch(some)).logits
    np.testing.assert_allclose(guessed, torch.sigmoid(logits).numpy(), atol=1e-6)
    rounds = [searched.transform(some, refine=n) for n in (1, 60)]
    np.testing.assert_allclose(rounds[1], found, atol=1e-4)
    np.testing.assert_array_equal(searched.predict(some, refine=0), guessed > 0.5)


def test_every_round_counts(corpus):
    fitted = model(9, max_iter=1).fit(corpus.counts)
    some = corpus.counts[:100]
    found = [fitted.states(some, 8, refine=n).probabilities.sum() for n in (1, 2, 3)]
    spread = [fitted.transform(some, refine=n) for n in (1, 2, 3)]
    assert not np.array_equal(spread[0], spread[1])
    assert not np.array_equal(spread[1], spread[2])
    assert np.isfinite(found).all()


def _batch(counts):
    from topicfactors.contracts import Batch
    from topicfactors.corpus.counts import Counts

    return Batch(Counts.from_scipy(counts), None, None, torch.arange(counts.shape[0]))


def test_the_guess_is_near_what_the_search_finds(searched, corpus):
    guessed, found = (searched.transform(corpus.counts, refine=n) for n in (0, "auto"))
    assert np.abs(guessed - found).mean() < 0.1


def test_a_sampled_inference_can_be_refined_too(relaxed_model, corpus):
    exact = relaxed_model.score_samples(corpus.counts, bound="exact")
    bound = relaxed_model.score_samples(corpus.counts, bound="truncated")
    np.testing.assert_allclose(bound, exact, atol=2e-3)
    assert relaxed_model.score(corpus.counts) < bound.mean() - 0.05
    weights = joint_table(relaxed_model, corpus.counts)
    weights = np.exp(weights - weights.max(0)) / np.exp(weights - weights.max(0)).sum(0)
    pairs = relaxed_model.pairwise(corpus.counts)
    np.testing.assert_allclose(
        pairs.diagonal(axis1=1, axis2=2), weights.T @ states_of(4), atol=1e-3
    )
    missed = [
        np.abs(relaxed_model.transform(corpus.counts, refine=n) - weights.T @ states_of(4)).mean()
        for n in (0, 20)
    ]
    assert missed[1] < 0.5 * missed[0]
    np.testing.assert_array_equal(
        relaxed_model.transform(corpus.counts), relaxed_model.transform(corpus.counts, refine=0)
    )


@pytest.mark.parametrize(("fixture", "refine"), [("relaxed_model", "auto"), ("searched", 0)])
def test_a_transform_by_the_encoder_asks_it_once(fixture, refine, corpus, request, monkeypatch):
    fitted, calls = request.getfixturevalue(fixture), []
    posterior = fitted.objective_.posterior
    encoder = getattr(posterior, "guess", posterior).encoder
    original = encoder.forward
    monkeypatch.setattr(encoder, "forward", lambda counts: calls.append(1) or original(counts))
    fitted.transform(corpus.counts, refine=refine)
    assert len(calls) == 1


@pytest.mark.parametrize("value", [-1, 2.5, "many", None, True])
def test_nonsense_rounds_are_refused(value, searched, corpus):
    with pytest.raises(
        ConfigurationError, match="refine must be 'auto', 'exact' or a whole number of 0"
    ):
        searched.transform(corpus.counts, refine=value)


def test_an_exact_posterior_is_not_refined(exact_model, corpus):
    with pytest.raises(ConfigurationError, match="is exact and cannot be refined, got refine=0"):
        exact_model.transform(corpus.counts, refine=0)


@pytest.mark.parametrize("fixture", ["searched", "exact_model", "relaxed_model"])
def test_states_pairs_and_entropy_are_those_of_enumeration(fixture, corpus, request):
    fitted = request.getfixturevalue(fixture)
    some = corpus.counts[:40]
    table = joint_table(fitted, some)
    weights = np.exp(table - table.max(0))
    weights = (weights / weights.sum(0)).T  # (N, 16)
    found = fitted.states(some, 3)
    assert found.bits.shape == (40, 3, 4)
    assert found.bits.dtype == np.int8
    order = np.argsort(-weights, axis=1)[:, :3]
    np.testing.assert_allclose(
        found.probabilities, np.take_along_axis(weights, order, 1), atol=2e-3
    )
    np.testing.assert_array_equal(found.bits[:, 0], states_of(4)[order[:, 0]])
    pairs = np.einsum("ns,sd,se->nde", weights, states_of(4), states_of(4))
    np.testing.assert_allclose(fitted.pairwise(some), pairs, atol=2e-3)
    entropy = -(weights * np.log(np.maximum(weights, 1e-30))).sum(1)
    np.testing.assert_allclose(fitted.entropy(some), entropy, atol=1e-2)


def test_more_states_are_asked_for_than_there_are(searched, corpus):
    found = searched.states(corpus.counts[:5], 1000)
    assert found.bits.shape == (5, 16, 4)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-5)
    many = model(9, max_iter=1).fit(corpus.counts).states(corpus.counts[:5], 100)
    assert many.bits.shape == (5, 100, 9)
    assert (np.diff(many.probabilities, axis=1) <= 1e-7).all()
    for n in (0, 2.5, "all"):
        with pytest.raises(ConfigurationError, match="n must be a whole number"):
            searched.states(corpus.counts, n)
    with pytest.raises(ConfigurationError, match="has no states"):
        searched.states(corpus.counts, refine=0)


@pytest.mark.parametrize("likelihood", ["multinomial", "polya"])
def test_a_set_does_not_depend_on_the_batch(likelihood, corpus, monkeypatch):
    """Bit by bit the same states, whatever is transformed together."""
    from topicfactors.estimators import posteriors

    fitted = model(12, likelihood=likelihood, max_iter=3).fit(corpus.counts)
    whole = fitted.states(corpus.counts, 8)
    for rows in (slice(0, 1), slice(0, 7), slice(100, 333)):
        part = fitted.states(corpus.counts[rows], 8)
        np.testing.assert_array_equal(part.bits, whole.bits[rows])
        np.testing.assert_allclose(part.probabilities, whole.probabilities[rows], atol=1e-4)
    monkeypatch.setattr(posteriors, "AT_ONCE", 33)
    np.testing.assert_array_equal(fitted.states(corpus.counts, 8).bits, whole.bits)


def test_partial_fit_learns(corpus):
    learner = model(inference="truncated")
    scores = []
    for _ in range(12):
        learner.partial_fit(corpus.counts)
        scores.append(learner.score(corpus.counts))
    assert scores[-1] > scores[0] + 2
    assert matched(learner.transform(corpus.counts), corpus.truth).min() > 0.9
    assert learner.n_iter_ == 12
    assert matched(learner.transform(corpus.counts, refine=0), corpus.truth).min() > 0.7


def test_a_warm_start_goes_on(corpus):
    fitted = model(inference="truncated", max_iter=2, warm_start=True).fit(corpus.counts)
    first = fitted.score(corpus.counts)
    for _ in range(4):
        fitted.fit(corpus.counts)
    assert fitted.score(corpus.counts) > first + 1


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_what_was_saved_searches_as_before(likelihood, corpus, tmp_path):
    fitted = model(
        inference="truncated:final_states=5,final_rounds=3", likelihood=likelihood, max_iter=2
    ).fit(corpus.counts)
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.transform(corpus.counts), fitted.transform(corpus.counts))
    assert again.score(corpus.counts) == fitted.score(corpus.counts)
    assert again.evaluate(corpus.counts) == fitted.evaluate(corpus.counts)
    assert again.n_documents_ == 400
    more = again.partial_fit(corpus.counts)
    assert more.n_documents_ == 800


def test_auto_is_the_same_for_a_part_and_its_name(corpus, tmp_path):
    from topicfactors.model.decoders import LogLinearDecoder

    fitted = model(decoder=LogLinearDecoder, max_iter=1).fit(corpus.counts)
    assert fitted.inference_ == "truncated"
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.transform(corpus.counts), fitted.transform(corpus.counts))


def test_a_folder_keeps_what_auto_meant(corpus, tmp_path):
    """A model that was fitted when "auto" meant something else is loaded as what it is."""
    import json

    save(model(inference="gumbel-softmax", max_iter=1).fit(corpus.counts), tmp_path / "model")
    path = tmp_path / "model" / "config.json"
    config = json.loads(path.read_text())
    config["steps"][0]["parameters"]["inference"] = "auto"
    path.write_text(json.dumps(config))
    assert load(tmp_path / "model").objective_.gradient.posterior == "mean-field"


def test_shrinkage_of_partial_fit_is_that_of_all_documents_so_far(corpus):
    learner = model(shrinkage=2.0)
    for calls in range(1, 4):
        learner.partial_fit(corpus.counts[:100])
        assert learner.objective_.shrinkage == pytest.approx(2.0 / (100 * calls))


def test_an_exact_model_has_one_bound(exact_model, corpus):
    found = exact_model.evaluate(corpus.counts, bound="truncated", samples=3)
    assert (found.bound, found.samples) == ("exact", 0)


def test_callbacks_may_interrupt_and_the_model_stays_usable(corpus):
    def interrupt(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    fitted = model(inference="truncated", max_iter=8, callbacks=[interrupt])
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(corpus.counts)
    assert fitted.stopped_ == "interrupted"
    assert np.isfinite(fitted.transform(corpus.counts)).all()


def test_an_interruption_of_the_lesson_is_passed_on(corpus, monkeypatch):
    from topicfactors.estimators import fitting

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(fitting, "distil", interrupted)
    fitted = model(inference="truncated", max_iter=2)
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(corpus.counts)
    assert fitted.stopped_ == "interrupted"
    assert np.isfinite(fitted.score(corpus.counts))


def test_shrinkage_makes_loadings_smaller(corpus):
    norms = [
        np.square(model(shrinkage=s, max_iter=6).fit(corpus.counts).components_).sum()
        for s in (0, 1.0, 20.0)
    ]
    assert norms[0] > norms[1] > 1.3 * norms[2]


def test_more_factors_than_a_word_of_bits(corpus):
    fitted = model(70, max_iter=2).fit(corpus.counts)
    assert fitted.transform(corpus.counts).shape == (400, 70)
    assert fitted.states(corpus.counts[:9], 4).bits.shape == (9, 4, 70)


def test_empty_documents_have_the_prior(searched):
    nothing = scipy.sparse.csr_matrix((2, 48))
    np.testing.assert_allclose(
        searched.transform(nothing), np.tile(searched.prior_, (2, 1)), atol=1e-4
    )
    for likelihood in ("polya", "poisson", "bernoulli"):
        counts = scipy.sparse.vstack([planted().counts[:80], nothing], format="csr")
        fitted = model(3, likelihood=likelihood, max_iter=2).fit(counts)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isfinite(fitted.score_samples(counts)).all()


def test_real_valued_counts_go_through_the_urn():
    counts = planted().counts * 0.37
    fitted = model(likelihood="polya", max_iter=4).fit(counts)
    assert np.isfinite(fitted.score_samples(counts)).all()
    exact = fitted.evaluate(counts)
    assert exact.bound == "exact"
    assert fitted.score(counts) == pytest.approx(exact.log_prob, abs=1e-3)  # 64 states hold all 16


def test_completion_uses_the_words_seen(corpus):
    """Where words come in bursts, the urn predicts the other half better."""
    made = bursty(concentration=15.0)
    dense = np.asarray(made.counts.todense()).astype(int)
    seen = np.random.default_rng(0).binomial(dense, 0.5)
    halves = [scipy.sparse.csr_matrix(part.astype(float)) for part in (seen, dense - seen)]
    urn, plain = (
        model(likelihood=name, max_iter=None).fit(made.counts).completion_perplexity(*halves)
        for name in ("polya", "multinomial")
    )
    assert urn < 0.95 * plain
    with pytest.raises(InputError, match="same documents"):
        model(2).fit(made.counts).completion_perplexity(halves[0], halves[1][:3])
