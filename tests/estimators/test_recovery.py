"""Every inference finds the factors that a corpus was made from."""

import numpy as np
import pytest

from tests.estimators.planted import exact_log_prob, matched, model, planted

SAMPLED = [
    "gumbel-softmax",
    "gumbel-softmax:hard=true",
    "local-expectation",
    "dvae",
    "straight-through",
]


@pytest.mark.parametrize("decoder", ["log-linear", "log-linear:nonnegative=true", "mlp"])
def test_exact_inference_finds_every_factor(decoder, corpus):
    fitted = model(inference="exact", decoder=decoder, max_iter=25).fit(corpus.counts)
    assert matched(fitted.transform(corpus.counts), corpus.truth).min() > 0.97
    assert fitted.status_ == ["active"] * 4
    assert fitted.score(corpus.counts) > -221


def test_exact_inference_finds_the_loadings_and_the_rates(exact_model, corpus):
    for weights in exact_model.components_:
        best = np.argsort(-weights)[:8]
        assert len(set(best // 8)) == 1  # the block of one true factor
        others = np.delete(weights, best)  # a constant added to all words changes nothing
        assert weights[best].mean() - others.mean() == pytest.approx(2.5, abs=0.4)
    np.testing.assert_allclose(
        np.sort(exact_model.prevalence_), np.sort(corpus.truth.mean(0)), atol=0.03
    )
    np.testing.assert_allclose(
        np.sort(exact_model.prior_), np.sort(corpus.truth.mean(0)), atol=0.06
    )


def test_exact_inference_finds_most_of_six():
    corpus = planted(factors=6, rate=0.25, seed=3)
    fitted = model(6, inference="exact", max_iter=25).fit(corpus.counts)
    assert matched(fitted.transform(corpus.counts), corpus.truth).mean() > 0.75


@pytest.mark.parametrize("inference", SAMPLED)
def test_a_sampled_inference_finds_most(inference, corpus):
    fitted = model(inference=inference, max_iter=50).fit(corpus.counts)
    found = matched(fitted.transform(corpus.counts), corpus.truth)
    assert (found > 0.7).sum() >= 3
    assert found.mean() > 0.7
    assert fitted.score(corpus.counts) > -230  # the unigram has -243, exact inference -219.5
    lists = [{int(word) for word, _ in listed} for listed in fitted.top_words(6)]
    pure = [words for words in lists if len({word // 8 for word in words}) == 1]
    assert len(pure) >= 3


def test_gumbel_softmax_with_an_mlp(corpus):
    fitted = model(inference="gumbel-softmax", decoder="mlp", max_iter=40).fit(corpus.counts)
    assert (matched(fitted.transform(corpus.counts), corpus.truth) > 0.7).sum() >= 3


def test_nvil_learns(corpus):
    fitted = model(inference="nvil:samples=10", learning_rate=0.02, max_iter=40).fit(corpus.counts)
    assert fitted.score(corpus.counts) > -236


@pytest.mark.slow
def test_nvil_finds_most_in_the_best_of_a_few_starts(corpus):
    fits = [
        model(inference="nvil:samples=10", learning_rate=0.02, max_iter=80, random_state=seed).fit(
            corpus.counts
        )
        for seed in range(4)
    ]
    best = max(fits, key=lambda fitted: fitted.score(corpus.counts))
    assert (matched(best.transform(corpus.counts), corpus.truth) > 0.75).sum() >= 3


def test_nonnegative_loadings_stay_so(corpus):
    for inference in ("exact", "gumbel-softmax"):
        fitted = model(
            6, inference=inference, decoder="log-linear:nonnegative=true", max_iter=8
        ).fit(corpus.counts)
        assert fitted.components_.min() >= 0
        assert (np.diff(fitted.prevalence_) <= 1e-9).all()


def overlap(fitted):
    unit = fitted.components_ / np.linalg.norm(fitted.components_, axis=1, keepdims=True)
    return ((unit @ unit.T - np.eye(len(unit))) ** 2).mean()


def test_the_overlap_penalty_keeps_factors_apart(corpus):
    free, mild, strong = (
        model(8, inference="gumbel-softmax", max_iter=8, overlap_penalty=weight).fit(corpus.counts)
        for weight in (0.0, 3.0, 30.0)
    )
    assert overlap(strong) < overlap(mild) < overlap(free)
    assert overlap(strong) < 0.5 * overlap(free)


@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax"])
def test_a_fixed_prior_stays_fixed(inference, corpus):
    fixed = model(inference=inference, prior="bernoulli:learnt=false,probability=0.2", max_iter=8)
    np.testing.assert_allclose(fixed.fit(corpus.counts).prior_, 0.2, rtol=1e-6)
    learnt = model(inference=inference, prior="bernoulli:probability=0.2", max_iter=8)
    assert np.abs(learnt.fit(corpus.counts).prior_ - 0.2).max() > 0.002


@pytest.mark.filterwarnings("ignore:n_components=12 is more factors")
@pytest.mark.parametrize("init", ["auto", "clusters", "nmf", "random"])
@pytest.mark.parametrize(("factors", "documents", "words"), [(4, 400, 48), (12, 6, 48), (9, 60, 5)])
def test_every_start_works_with_more_factors_than_documents_or_words(
    init, factors, documents, words, corpus
):
    counts = corpus.counts[:documents, :words]
    fitted = model(factors, init=init, inference="gumbel-softmax", max_iter=2).fit(counts)
    assert fitted.components_.shape == (factors, words)
    assert np.isfinite(fitted.components_).all()
    assert fitted.init_ == ("clusters" if init == "auto" else init)


def test_auto_is_truncated_under_a_log_linear_decoder(corpus):
    some = corpus.counts[:50]
    assert model(3, max_iter=1).fit(some).inference_ == "truncated"
    assert model(30, max_iter=1, likelihood="polya").fit(some).inference_ == "truncated"
    assert model(4, max_iter=1, decoder="mlp").fit(some).inference_ == "gumbel-softmax"
    nonnegative = model(4, max_iter=1, decoder="log-linear:nonnegative=true").fit(some)
    assert nonnegative.inference_ == "truncated"


# Order and orientation


def often_on(rates, seed=0):
    """A corpus whose factors are on at these rates."""
    made = planted(len(rates), 300, rate=np.array(rates), seed=seed)
    return made.counts


@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax", "nvil"])
def test_factors_are_sorted_and_off_in_most_documents(inference):
    counts = often_on([0.9, 0.2, 0.75, 0.4])
    fitted = model(inference=inference, init="random", max_iter=10).fit(counts)
    assert (np.diff(fitted.prevalence_) <= 1e-9).all()
    assert fitted.prevalence_.max() <= 0.5 + 1e-6
    np.testing.assert_allclose(fitted.transform(counts).mean(0), fitted.prevalence_, atol=1e-5)


@pytest.mark.parametrize("decoder", ["log-linear", "mlp"])
@pytest.mark.parametrize("inference", ["exact", "gumbel-softmax"])
def test_turning_and_sorting_leave_the_probability_of_every_document(inference, decoder, corpus):
    fitted = model(inference=inference, decoder=decoder, max_iter=6).fit(corpus.counts)
    logs = fitted.score_samples(corpus.counts, bound="exact")
    ratios = fitted.score_samples(corpus.counts, bound="elbo", samples=1000).mean()
    posteriors, words = fitted.transform(corpus.counts), fitted.components_
    fitted._arrange(np.array([0.95, 0.1, 0.51, 0.2]))  # turns two factors, and moves all
    turned = fitted.score_samples(corpus.counts, bound="exact")
    assert np.abs(turned - logs).max() < 1e-3  # of 220 nats, in float32
    assert abs((turned - logs).mean()) < 1e-4
    moved = fitted.transform(corpus.counts)
    expected = np.stack(
        [1 - posteriors[:, 2], posteriors[:, 3], posteriors[:, 1], 1 - posteriors[:, 0]], 1
    )
    np.testing.assert_allclose(moved, expected, atol=1e-4)
    again = fitted.score_samples(corpus.counts, bound="elbo", samples=1000).mean()
    assert again == pytest.approx(ratios, abs=0.2)
    if decoder == "log-linear":
        np.testing.assert_array_equal(fitted.components_[[1, 2]], words[[3, 1]])
        np.testing.assert_array_equal(fitted.components_[[0, 3]], -words[[2, 0]])
        np.testing.assert_allclose(exact_log_prob(fitted, corpus.counts[:20]), logs[:20], atol=5e-3)


def test_dead_and_always_on_factors_are_named(corpus):
    fitted = model(
        3,
        inference="gumbel-softmax",
        decoder="log-linear:nonnegative=true",
        max_iter=15,
        kl_warmup=0,
    ).fit(corpus.counts)
    head = fitted.objective_.posterior.head
    head.weight.data[:2] = 0
    head.bias.data[:2] = head.bias.new_tensor([-4.0, 4.0])
    fitted._note_moments(*fitted._moments([(fitted._observed(corpus.counts), None)]))
    assert fitted.status_ == ["dead", "always-on", "active"]


def test_an_always_on_factor_of_a_log_linear_decoder_becomes_background(corpus):
    fitted = model(2, inference="gumbel-softmax", max_iter=2).fit(corpus.counts)
    head = fitted.objective_.posterior.head
    head.weight.data[0] = 0
    head.bias.data[0] = 6.0
    loadings, background = fitted.components_[0], fitted.intercept_
    fitted._arrange(fitted._moments([(fitted._observed(corpus.counts), None)])[0])
    fitted._note_moments(*fitted._moments([(fitted._observed(corpus.counts), None)]))
    assert fitted.status_[1] == "dead"
    np.testing.assert_allclose(fitted.intercept_, background + loadings, atol=1e-6)


def test_a_corpus_without_factors_leaves_them_dead():
    noise = np.random.default_rng(0).poisson(1.0, (200, 30)).astype(float)
    fitted = model(3, inference="local-expectation", max_iter=30).fit(noise)
    assert fitted.status_.count("dead") >= 2
    for name, variance in zip(fitted.status_, fitted.posterior_variance_, strict=True):
        assert (name == "active") == (variance >= 0.05**2)
