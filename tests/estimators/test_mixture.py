"""Mixtures: the exact posterior, the two ways to fit, what is scored, drawn and re-seeded."""

import numpy as np
import pytest
import scipy.sparse
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.metrics import normalized_mutual_info_score

from topicfactors import ConfigurationError, FitWarning, InputError, MixtureModel
from topicfactors.model.decoders import DECODERS
from topicfactors.model.likelihoods import LIKELIHOODS

COMPONENTS, WORDS = 3, 30


def corpus(documents=300, length=25, seed=0):
    """Documents of three components, each with ten words of its own."""
    generator = np.random.default_rng(seed)
    words = np.full((COMPONENTS, WORDS), 0.5)
    for component in range(COMPONENTS):
        words[component, 10 * component : 10 * component + 10] += 1.5
    words /= words.sum(1, keepdims=True)
    labels = generator.choice(COMPONENTS, documents, p=[0.5, 0.3, 0.2])
    rows = [generator.multinomial(generator.poisson(length) + 1, words[k]) for k in labels]
    return scipy.sparse.csr_matrix(np.array(rows, float)), labels, words


def model(**options):
    return MixtureModel(COMPONENTS, **({"device": "cpu", "n_jobs": 1, "random_state": 0} | options))


@pytest.fixture(scope="module")
def planted():
    return corpus()


@pytest.fixture(scope="module")
def fitted(planted):
    return model().fit(planted[0])


def test_components_are_found(planted, fitted):
    counts, labels, words = planted
    assert normalized_mutual_info_score(labels, fitted.predict(counts)) > 0.95
    assert fitted.weights_.tolist() == sorted(fitted.weights_, reverse=True)
    shares = np.sort(np.bincount(labels))[::-1] / len(labels)
    np.testing.assert_allclose(fitted.weights_, shares, atol=0.03)
    assert fitted.converged_
    assert fitted.reseeded_ == []
    own = [{int(word) for word, _ in listed} for listed in fitted.top_words(5)]
    assert all(len({word // 10 for word in listed}) == 1 for listed in own)
    assert np.abs(np.exp(fitted.components_).sum(1) - 1).max() < 1e-5
    assert words.shape == fitted.components_.shape


def test_the_posterior_is_bayes_rule(planted):
    counts, _, _ = planted
    found = model(tempering="none").fit(counts)
    joint = counts @ found.components_.T.astype(float) + np.log(found.weights_)
    expected = joint - logsumexp(joint, axis=1, keepdims=True)
    np.testing.assert_allclose(found.predict_log_proba(counts), expected, atol=1e-4)
    np.testing.assert_allclose(found.predict_proba(counts).sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(found.score_samples(counts), logsumexp(joint, axis=1), atol=1e-3)
    assert found.score(counts) == pytest.approx(found.score_samples(counts).mean())
    nothing = scipy.sparse.csr_matrix((1, WORDS))
    np.testing.assert_allclose(found.predict_proba(nothing)[0], found.weights_, rtol=1e-5)


def test_tempering_serves_posteriors_and_leaves_scores(planted, fitted):
    counts = planted[0]
    joint = counts @ fitted.components_.T.astype(float) + np.log(fitted.weights_)
    np.testing.assert_allclose(fitted.score_samples(counts), logsumexp(joint, axis=1), atol=1e-3)
    lengths = np.asarray(counts.sum(1))
    tempered = joint - np.log(fitted.weights_)
    tempered = tempered * np.minimum(1, 3 / np.sqrt(lengths)) + np.log(fitted.weights_)
    expected = tempered - logsumexp(tempered, axis=1, keepdims=True)
    np.testing.assert_allclose(fitted.predict_log_proba(counts), expected, atol=1e-4)


def test_em_and_the_gradient_come_to_the_same(planted):
    counts = planted[0]
    closed = model(tol=1e-10, max_iter=500).fit(counts)
    options = {"max_iter": 400, "batch_size": 300, "learning_rate": 0.05, "tol": 0.0}
    gradient = model(inference="exact", **options).fit(counts)
    assert gradient.objective_value_ == pytest.approx(closed.objective_value_, rel=1e-5)
    np.testing.assert_allclose(gradient.components_, closed.components_, atol=0.02)
    np.testing.assert_allclose(gradient.weights_, closed.weights_, atol=1e-3)
    np.testing.assert_allclose(
        gradient.predict_proba(counts), closed.predict_proba(counts), atol=0.01
    )


@pytest.mark.parametrize("decoder", list(DECODERS))
@pytest.mark.parametrize("likelihood", list(LIKELIHOODS))
def test_every_likelihood_and_decoder(planted, likelihood, decoder):
    counts, labels, _ = planted
    made = model(likelihood=likelihood, decoder=decoder, max_iter=20).fit(counts)
    closed = likelihood == "multinomial" and decoder == "log-linear"
    assert made.inference_ == ("em" if closed else "exact")
    assert made.tempering_ == ("none" if likelihood == "bernoulli" else "length")
    assert normalized_mutual_info_score(labels, made.predict(counts)) > 0.85
    seen = made.evaluate(counts)
    assert seen.bound == "exact"
    assert seen.perplexity.per_document < seen.unigram.per_document
    drawn, components = made.sample(500, random_state=1)
    again = made.predict(drawn)
    assert normalized_mutual_info_score(components, again) > 0.4


def test_a_relaxed_posterior_is_there_to_be_compared(planted):
    counts, labels, _ = planted
    made = model(inference="gumbel-softmax:end=0.5", max_iter=20).fit(counts)
    assert made.inference_ == "gumbel-softmax"
    assert normalized_mutual_info_score(labels, made.predict(counts)) > 0.8
    assert made.history_[-1].bound < made.score(made._evidence(made._observed(counts))) + 1


def test_criteria_prefer_the_true_number(planted):
    counts = planted[0]
    fits = {k: model(n_init=3).set_params(n_components=k).fit(counts) for k in (1, 3, 8)}
    bic = {k: made.bic(counts) for k, made in fits.items()}
    assert min(bic, key=bic.get) == 3
    assert fits[3].aic(counts) < fits[1].aic(counts)
    free = 3 * (WORDS - 1) + 2
    expected = -2 * fits[3].score_samples(counts).sum() + free * np.log(300)
    assert bic[3] == pytest.approx(expected)


def test_unseen_tokens_are_predicted(planted, fitted):
    counts = planted[0]
    halves = np.random.default_rng(0).binomial(counts.toarray().astype(int), 0.5)
    found = fitted.completion_perplexity(halves, counts.toarray() - halves)
    joint = halves @ fitted.components_.T.astype(float) + np.log(fitted.weights_)
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    unseen = counts.toarray() - halves
    logs = np.log(posterior @ np.exp(fitted.components_))
    assert found == pytest.approx(np.exp(-(unseen * logs).sum() / unseen.sum()), rel=1e-4)
    assert found < fitted.evaluate(counts).unigram.corpus


def test_sampling_is_of_the_lengths_that_are_asked_for(fitted):
    lengths = np.arange(1, 41)
    drawn, labels = fitted.sample(40, lengths=lengths, random_state=0)
    assert sorted(np.asarray(drawn.sum(1)).ravel()) == lengths.tolist()
    same, _ = fitted.sample(40, lengths=lengths, random_state=0)
    assert (drawn != same).nnz == 0
    assert labels.shape == (40,)
    with pytest.raises(InputError, match="lengths must be 3 whole numbers"):
        fitted.sample(3, lengths=[1.5, 2, 3])


def test_starts_are_compared_and_the_best_is_kept():
    counts = corpus(120, 8, seed=3)[0]
    single = [model(init="random", n_init=1, random_state=s).fit(counts) for s in range(3)]
    several = model(init="random", n_init=8).fit(counts)
    assert several.objective_value_ >= max(m.objective_value_ for m in single) - 1.0
    assert clone(several).fit(counts).objective_value_ == several.objective_value_


def test_held_out_documents_are_scored_and_leave_the_fit_alone(planted):
    counts = planted[0]
    made = model(validation_fraction=0.2).fit(counts)
    assert list(made.held_out_) == ["exact"]
    assert made.held_out_["exact"].perplexity.documents == 60
    assert made.n_documents_ == 300


def test_components_that_become_empty_are_begun_anew_and_named():
    counts = scipy.sparse.csr_matrix(np.array([[9, 1, 0]] * 20 + [[1, 9, 0]] * 20, float))
    counts = scipy.sparse.vstack([counts, scipy.sparse.csr_matrix([[0.0, 0.0, 9.0]])]).tocsr()

    def two_of_three(matrix, components, seed):
        return np.array([0] * 20 + [1] * 21)

    with pytest.warns(FitWarning, match=r"components? \d became empty"):
        made = model(init=two_of_three, n_init=1, smoothing=0.01).fit(counts)
    assert len(made.reseeded_) == 1
    assert made.predict(counts)[-1] not in made.predict(counts)[:-1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"inference": "em", "likelihood": "polya"}, "use inference='exact'"),
        ({"inference": "nvil"}, "inference"),
        ({"likelihood": "bernoulli", "tempering": "length"}, "use 'none'"),
        ({"n_init": 0}, "n_init must be"),
        ({"smoothing": 0}, "smoothing must be"),
        ({"tempering": "unit:norm=-1"}, "norm"),
    ],
)
def test_what_cannot_be_is_refused(planted, options, said):
    with pytest.raises(ConfigurationError, match=said):
        model(**options).fit(planted[0])


def test_an_interruption_keeps_the_best_so_far(planted):
    def stop(event):
        if event.number == 3:
            raise KeyboardInterrupt

    made = model(callbacks=[stop])
    with pytest.raises(KeyboardInterrupt):
        made.fit(planted[0])
    assert made.stopped_ == "interrupted"
    assert made.predict_proba(planted[0]).shape == (300, COMPONENTS)
