"""merge and drop of factors: what the smaller model says is its own."""

import warnings

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from tests.estimators.planted import (
    exact_log_prob,
    joint_table,
    model,
    planted,
    states_of,
    word_logs,
)
from topicfactors import ConfigurationError, InputError, load, save
from topicfactors.insight.topics import status
from topicfactors.insight.word_order import word_order

FAMILIES = [
    {"inference": "exact"},
    {},
    {"inference": "gumbel-softmax"},
    {"posterior": "free"},
    {"inference": "nvil"},
    {"prior": "boltzmann"},
    {"prior": "belief-network"},
    {"continuous_layers": 1},
    {"likelihood": "polya"},
    {"likelihood": "poisson"},
    {"likelihood": "bernoulli"},
    {"decoder": "log-linear:nonnegative=true"},
    {"inference": "gumbel-softmax", "posterior": "autoregressive:width=4"},
    {"decoder": "mlp"},
]
UNMERGED = ("autoregressive:width=4", "mlp")


@pytest.fixture(scope="module")
def corpus():
    return planted(4, 300, seed=1)


@pytest.fixture(scope="module")
def exact(corpus):
    """All four found, and the posterior known exactly."""
    return model(4, inference="exact", max_iter=15).fit(corpus.counts)


def set_to(fitted, loadings, prior):
    """A model with these loadings ``(D, V)`` and prior, and no background."""
    joint = fitted._joint()
    with torch.no_grad():
        joint.decoder.raw.copy_(torch.from_numpy(loadings).float().t())
        joint.decoder.bias.zero_()
        joint.prior.logits.copy_(torch.logit(torch.tensor(prior)))
    return fitted


def check_tables(made, counts):
    """Every table is what the parameters and these documents say."""
    found = np.asarray(made.transform(counts)).astype(float)
    factors = found.shape[1]
    np.testing.assert_allclose(made.prevalence_, found.mean(0), atol=1e-6)
    np.testing.assert_allclose(made.posterior_variance_, found.var(0), atol=1e-5)
    assert made.status_ == status(found.mean(0), found.var(0))
    assert made.n_components_ == made.n_components == factors
    assert made.components_.shape == made.topic_word_.shape == (factors, counts.shape[1])
    assert len(made.prior_) == len(made.factor_names_) == len(made.covariate_information_)
    assert len(made.top_words(3)) == len(made.get_feature_names_out()) == factors
    assert made.held_out_ == {}
    assert (made.word_order_ == word_order(counts, made.factors())).all()
    states = np.tile(found.mean(0), (factors, 1))
    np.fill_diagonal(states, 1.0)
    np.testing.assert_allclose(made.topic_word_, made.inverse_transform(states), atol=1e-6)


@pytest.mark.parametrize("options", FAMILIES, ids=str)
def test_every_table_of_every_model_is_true(options, corpus, tmp_path):
    counts = corpus.counts[:120]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = model(4, **({"max_iter": 1} | options)).fit(counts)
        before = {name: part.clone() for name, part in fitted.objective_.state_dict().items()}
        edited = [fitted.drop([1], counts)]
        if not set(UNMERGED) & set(options.values()):
            edited.append(fitted.merge([0, 2], counts))
        again = edited[-1]
        save(again, tmp_path / "model")
    for made in edited:
        check_tables(made, counts)
        assert np.isfinite(made.score(counts))
    stored = load(tmp_path / "model")
    np.testing.assert_array_equal(stored.transform(counts), again.transform(counts))
    np.testing.assert_array_equal(stored.components_, again.components_)
    assert (stored.edits_, stored.factor_names_) == (again.edits_, again.factor_names_)
    for name, part in fitted.objective_.state_dict().items():
        torch.testing.assert_close(part, before[name], rtol=0, atol=0, equal_nan=True)
    assert fitted.n_components == 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again.set_params(warm_start=True, max_iter=1).fit(counts)  # training goes on
    assert again.n_components_ == 3


def test_after_a_drop_the_posterior_is_that_of_the_smaller_model(exact, corpus):
    made = exact.drop([2, 0], corpus.counts)
    table = joint_table(made, corpus.counts)
    posterior = np.exp(table - logsumexp(table, axis=0))
    np.testing.assert_allclose(made.transform(corpus.counts), posterior.T @ states_of(2), atol=1e-5)
    assert made.score(corpus.counts) == pytest.approx(exact_log_prob(made, corpus.counts).mean())


def test_a_drop_keeps_what_the_words_do_on_average(exact, corpus):
    made = exact.drop(1, corpus.counts)
    often = exact.transform(corpus.counts).mean(0)
    states = np.tile(often, (2, 1))
    states[:, 1] = 0, 1
    off, on = exact.inverse_transform(states)
    share = often[1]
    now = made.inverse_transform(np.delete(often, 1)[None])[0]
    np.testing.assert_allclose(now, (1 - share) * off + share * on, rtol=1e-4)
    rest = np.delete(exact.components_, 1, axis=0)
    np.testing.assert_array_equal(made.components_, rest)
    np.testing.assert_array_equal(made.prior_, np.delete(exact.prior_, 1))


def test_the_mean_of_the_words_is_better_than_either_state(exact, corpus):
    """Nats a document: the bias of the mean against the bias as it was."""
    made = exact.drop(1, corpus.counts)
    score = made.score(corpus.counts)
    with torch.no_grad():
        made._joint().decoder.bias.copy_(exact._joint().decoder.bias)
    assert score > made.score(corpus.counts) + 2


def test_a_factor_that_is_always_on_moves_into_the_bias_whole(corpus):
    loadings = np.vstack([corpus.loadings, np.zeros((1, corpus.loadings.shape[1]))])
    loadings[4, -8:] = 1.5
    fitted = model(5, inference="exact", max_iter=1).fit(corpus.counts)
    set_to(fitted, loadings, [0.3] * 4 + [1 - 1e-6])
    with torch.no_grad():
        fitted._joint().decoder.bias[-8:] = -1.5
    made = fitted.drop(4, corpus.counts)
    wanted, found = fitted.transform(corpus.counts)[:, :4], made.transform(corpus.counts)
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    assert np.ptp(made.intercept_) < 1e-3  # η is known up to a constant
    assert made.score(corpus.counts) == pytest.approx(fitted.score(corpus.counts), abs=1e-2)


def test_two_halves_of_a_factor_become_it(corpus):
    """One planted factor twice over: either explains a document that has it."""
    twice = np.vstack([corpus.loadings[:1], corpus.loadings])
    fitted = model(5, inference="exact", max_iter=1).fit(corpus.counts)
    set_to(fitted, twice, [0.15, 0.15, 0.3, 0.3, 0.3])
    made = fitted.merge([[0, 1]], corpus.counts)
    assert made.edits_[0].merged == [[0, 1]]
    np.testing.assert_allclose(made.components_, corpus.loadings, atol=0.02)
    found = made.transform(corpus.counts)
    assert np.corrcoef(found[:, 0], corpus.truth[:, 0])[0, 1] > 0.95
    assert made.prior_[0] == pytest.approx(corpus.truth[:, 0].mean(), abs=0.03)
    one = model(4, inference="exact", max_iter=1).fit(corpus.counts)
    set_to(one, corpus.loadings, [0.3] * 4)
    assert made.score(corpus.counts) > one.score(corpus.counts) - 0.1


def test_a_merged_factor_has_the_mean_words_of_its_group(exact, corpus):
    counts = corpus.counts
    made = exact.merge([1, 3], counts)
    table = joint_table(exact, counts)
    weights = np.exp(table - logsumexp(table, axis=0)).sum(1)  # of every state, in documents
    states, often = states_of(4), exact.transform(counts).mean(0)
    any_on = states[:, [1, 3]].any(1)
    shares = dict.fromkeys(((1, 0), (0, 1), (1, 1)), 0.0)
    for state, weight in zip(states[any_on], weights[any_on], strict=True):
        shares[tuple(state[[1, 3]])] += weight / weights[any_on].sum()
    wanted = np.zeros(counts.shape[1])
    for pair, share in shares.items():
        values = often.copy()
        values[[1, 3]] = pair
        wanted += share * exact.inverse_transform(values[None])[0]
    values = made.transform(counts).mean(0) * 0 + np.delete(often, 3)
    values[1] = 1.0
    np.testing.assert_allclose(made.inverse_transform(values[None])[0], wanted, rtol=1e-3)
    assert made.prior_[1] == pytest.approx(weights[any_on].sum() / weights.sum(), abs=1e-4)
    np.testing.assert_array_equal(made.components_[[0, 2]], exact.components_[[0, 2]])
    assert word_logs(made).shape == (8, counts.shape[1])


def test_the_encoder_of_a_merged_factor_guesses_any_of_its_group(corpus):
    counts = corpus.counts
    fitted = model(4, inference="gumbel-softmax", max_iter=30).fit(counts)
    made, before = fitted.merge([0, 2], counts), fitted.transform(counts)
    either = 1 - (1 - before[:, 0]) * (1 - before[:, 2])
    found = made.transform(counts)
    assert np.abs(found[:, 0] - either).mean() < 0.05
    np.testing.assert_allclose(found[:, 1:], before[:, [1, 3]], atol=1e-5)


def test_groups_and_drops_together_are_in_the_numbers_of_before(corpus, exact):
    made = exact._edited([[3, 1]], [0], exact._observed(corpus.counts))
    assert made.edits_[0] == ([[1, 3]], [0], 4)
    np.testing.assert_array_equal(made.components_[1], exact.components_[2])
    further = made.drop(0, corpus.counts)
    assert further.edits_ == [*made.edits_, ([], [0], 2)]


def test_names_and_anchors_go_with_their_factors(corpus):
    names = [f"w{column}" for column in range(corpus.counts.shape[1])]
    anchors = {"first": ["w0", "-w20"], "second": ["w8", "w20", "zzz"]}
    fitted = model(4, anchors=anchors, max_iter=2)
    with pytest.warns(UserWarning, match="left out"):
        fitted.fit(corpus.counts, feature_names=names)
    places = fitted.anchored_
    other = next(place for place in range(4) if place not in places.values())
    fitted.set_names({other: "other"})
    made = fitted.drop(["first"], corpus.counts)
    assert (set(made.anchored_), set(made.anchors)) == ({"second"}, {"second"})
    assert made.missing_anchors_ == {"second": ["zzz"]}
    assert {"second", "other"} <= set(made.factor_names_)
    both = fitted.merge([["first", "second"]], corpus.counts)
    assert both.anchors == {"first": ["w0", "w8", "w20", "zzz"]} or both.anchors == {
        "second": ["w8", "w20", "zzz", "w0"]
    }
    assert list(both.anchored_) == list(both.anchors)
    assert fitted.anchors == anchors
    both.set_params(warm_start=True, max_iter=1).fit(corpus.counts, feature_names=names)
    alone = fitted.merge([[other, "first"]], corpus.counts)
    assert sorted(map(str, alone.factor_names_))[-2:] == sorted(
        ["second", "other" if other < places["first"] else "first"]
    )


def test_effects_of_covariates_are_those_of_the_new_factors(corpus):
    generator = np.random.default_rng(0)
    year = corpus.truth[:, 0] + corpus.truth[:, 1] + generator.normal(0, 0.5, 300)
    fitted = model(4, max_iter=8).fit(corpus.counts, covariates={"year": year})
    loads = fitted.components_ @ corpus.loadings.T
    ends = [int(loads[:, factor].argmax()) for factor in (0, 1)]
    made = fitted.merge(ends, corpus.counts, covariates={"year": year})
    place = min(ends)
    truth = (corpus.truth[:, :2].any(1)).astype(float)
    standard = (year - year.mean()) / year.std()
    effect = made.effects()[place]
    assert effect.log_odds == pytest.approx(_logistic_slope(standard, truth), abs=0.4)
    assert effect.low < effect.log_odds < effect.high
    with pytest.raises(InputError, match="needs"):
        fitted.drop(0, corpus.counts)


def _logistic_slope(values, truth):
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0).fit(values[:, None], truth).coef_[0, 0]


@pytest.mark.parametrize("family", ["gaussian", "poisson"])
def test_a_response_keeps_its_mean(corpus, family):
    expected = 2 + corpus.truth @ np.array([3.0, 2.0, 1.0, 0.5])
    fitted = model(4, response=family, inference="exact", max_iter=20)
    fitted.fit(corpus.counts, response=expected)
    mean = fitted.predict_response(corpus.counts).mean()
    for made in (fitted.drop(0, corpus.counts), fitted.merge([0, 1], corpus.counts)):
        assert made.predict_response(corpus.counts).mean() == pytest.approx(mean, rel=0.03)
        assert len(made.response_coef_) == 3


def test_a_prior_that_is_fixed_stays_so(corpus):
    fitted = model(3, prior="bernoulli:learnt=false,probability=0.1", max_iter=1)
    made = fitted.fit(corpus.counts).merge([0, 1], corpus.counts)
    np.testing.assert_allclose(made.prior_, [0.19, 0.1], rtol=1e-4)


def test_more_factors_than_anyone_needs_may_go_but_not_all(exact, corpus):
    assert exact.drop([0, 1, 2], corpus.counts).transform(corpus.counts).shape == (300, 1)


@pytest.mark.parametrize(
    ("edit", "error", "said"),
    [
        (lambda m, X: m.drop(7, X), InputError, "no factor 7; this model has factors 0 to 3"),
        (lambda m, X: m.drop(["steam"], X), InputError, "no factor 'steam'"),
        (lambda m, X: m.drop([0, 1, 2, 3], X), InputError, "keep one at least"),
        (lambda m, X: m.drop([], X), InputError, "no factor is named"),
        (lambda m, X: m.drop(None, X), ConfigurationError, "numbers or names"),
        (lambda m, X: m.drop([1, 1], X), InputError, "mentioned twice"),
        (lambda m, X: m.drop([True], X), InputError, "no factor True"),
        (lambda m, X: m.merge([[0, 1], [1, 2]], X), InputError, "mentioned twice"),
        (lambda m, X: m.merge([[0]], X), InputError, "two or more"),
        (lambda m, X: m.merge("01", X), ConfigurationError, "list of groups"),
        (lambda m, X: m.drop(0, X[:, :3]), InputError, "3 features"),
    ],
)
def test_what_cannot_be_edited_is_refused(exact, corpus, edit, error, said):
    with pytest.raises(error, match=said):
        edit(exact, corpus.counts)


def test_large_groups_and_models_without_loadings_are_refused(corpus):
    counts = corpus.counts[:60]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        many = model(10, max_iter=1).fit(counts)
        mlp = model(3, decoder="mlp", max_iter=1).fit(counts)
        drawn = model(3, inference="gumbel-softmax", posterior="autoregressive", max_iter=1)
        drawn.fit(counts)
    with pytest.raises(ConfigurationError, match="at most 8"):
        many.merge(range(9), counts)
    with pytest.raises(ConfigurationError, match="decoder='log-linear'"):
        mlp.merge([0, 1], counts)
    with pytest.raises(ConfigurationError, match="posterior='mean-field'"):
        drawn.merge([0, 1], counts)
