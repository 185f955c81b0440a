"""Covariates in a factor model: effects that were planted are found; nothing is fitted without."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import torch
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from tests.estimators.planted import BACKGROUND, BLOCK, model, planted
from topicfactors import (
    BinaryFactorModel,
    ConfigurationError,
    DocumentVectorizer,
    FitWarning,
    InputError,
)
from topicfactors import explain as explain_text
from topicfactors.contracts import Sizes
from topicfactors.corpus.counts import Counts
from topicfactors.estimators.observed import Observed, stacked
from topicfactors.gradients import GRADIENTS
from topicfactors.model.decoders import DECODERS
from topicfactors.model.likelihoods import LIKELIHOODS
from topicfactors.model.priors import BernoulliPrior

SLOPE, CONTRAST, MOVED, FAVOURED = 1.5, 1.5, 1.5, 4


class Covaried(NamedTuple):
    counts: scipy.sparse.csr_matrix
    frame: pd.DataFrame
    truth: np.ndarray  # (N, D)


def covaried(documents=600, seed=0, length=60):
    """Factor 0 comes more often with the years, factor 1 in the north and not in the south.

    In the west four words of the background come more often.
    """
    generator = np.random.default_rng(seed)
    year = generator.uniform(1800, 1900, documents)
    section = generator.choice(["north", "south", "west"], documents)
    log_odds = np.full((documents, 3), -0.8)
    log_odds[:, 0] += SLOPE * (year - year.mean()) / year.std()
    log_odds[:, 1] += CONTRAST * ((section == "north").astype(float) - (section == "south"))
    truth = (generator.random(log_odds.shape) < expit(log_odds)).astype(int)
    loadings = np.zeros((3, 3 * BLOCK + BACKGROUND))
    for factor in range(3):
        loadings[factor, factor * BLOCK : (factor + 1) * BLOCK] = 2.5
    eta = truth @ loadings
    eta[:, -FAVOURED:] += MOVED * (section == "west")[:, None]
    words = np.exp(eta)
    lengths = generator.poisson(length, documents) + 5
    rows = [generator.multinomial(n, w / w.sum()) for n, w in zip(lengths, words, strict=True)]
    frame = pd.DataFrame({"year": year, "section": section})
    return Covaried(scipy.sparse.csr_matrix(np.array(rows, dtype=np.float64)), frame, truth)


CORPUS = covaried()
SPECS = ["year", "section:both"]


def fit(corpus=CORPUS, **options):
    chosen = {"inference": "exact", "max_iter": 30, "covariates": SPECS} | options
    return model(3, **chosen).fit(corpus.counts, covariates=corpus.frame)


@pytest.fixture(scope="module")
def fitted():
    return fit()


def places(found, corpus=CORPUS):
    """Which factor stands for each that was planted."""
    posterior = found.transform(corpus.counts, covariates=corpus.frame)
    both = np.corrcoef(corpus.truth.T, posterior.T)[:3, 3:]
    assert (both.max(1) > 0.8).all()
    return both.argmax(1)


def effect(found, factor, column, level):
    return next(
        e
        for e in found.effects()
        if (e.factor, e.column) == (factor, column) and e.level.startswith(level)
    )


@pytest.mark.parametrize("inference", ["exact", "truncated"])
def test_planted_effects_on_the_prevalence_are_found(inference):
    found = fit(inference=inference, max_iter=25)
    rising, northern, steady = places(found)
    year = effect(found, rising, "year", "+")
    assert year.log_odds == pytest.approx(SLOPE, abs=0.4)
    assert year.low > 0.5
    assert effect(found, northern, "section", "north").log_odds == pytest.approx(CONTRAST, abs=0.5)
    assert effect(found, northern, "section", "south").log_odds == pytest.approx(-CONTRAST, abs=0.5)
    assert abs(effect(found, steady, "year", "+").log_odds) < 0.3
    at = found.prevalence(at={"year": [1800, 1850, 1900]})[:, rising]
    truth = expit(-0.8 + SLOPE * (np.array([1800, 1850, 1900]) - 1850) / (100 / 12**0.5))
    np.testing.assert_allclose(at, truth, atol=0.12)


def test_a_sampled_inference_finds_their_signs():
    """Its guess of the posterior pulls them towards nothing."""
    found = fit(inference="gumbel-softmax", max_iter=40)
    rising, northern, _ = places(found)
    assert effect(found, rising, "year", "+").low > 0.5
    assert effect(found, northern, "section", "north").low > 0.2
    assert effect(found, northern, "section", "south").high < -0.2


def test_planted_words_of_a_category_are_found(fitted):
    moved = {each.level: each for each in fitted.covariate_words(FAVOURED)}
    assert list(moved) == ["north", "south", "west"]
    favoured = {str(CORPUS.counts.shape[1] - 1 - n) for n in range(FAVOURED)}
    assert {word for word, _ in moved["west"].words} == favoured
    assert all(nats > 0.5 for _, nats in moved["west"].words)
    assert {word for word, _ in moved["north"].suppressed} == favoured


def test_a_spline_bends():
    """A prevalence that rises and falls again, which no straight line has."""
    generator = np.random.default_rng(1)
    plain = planted(factors=2, documents=600, rate=0.3, seed=1)
    middle = generator.random(600) < 0.6
    year = np.where((plain.truth[:, 0] == 1) & middle, 50, generator.choice([0, 100], 600))
    table = {"year": year + generator.uniform(-20, 20, 600)}
    found = model(2, inference="exact", max_iter=25, covariates="year:spline")
    found.fit(plain.counts, covariates=table)
    which = np.corrcoef(plain.truth[:, 0], found.transform(plain.counts, covariates=table).T)
    at = found.prevalence({"year": [0, 50, 100]})[:, which[0, 1:].argmax()]
    assert at[1] > at[0] + 0.3
    assert at[1] > at[2] + 0.3


def test_intervals_are_wider_where_less_is_known(fitted):
    few = fit(covaried(150))
    narrow = {(e.column, e.level[:1]): e.standard_error for e in fitted.effects()}
    for e in few.effects():
        assert e.standard_error > 1.2 * narrow[e.column, e.level[:1]]
        assert e.low < e.log_odds < e.high
    half = {e[:3]: e for e in fitted.effects(level=0.5)}
    for e in fitted.effects(level=0.95):
        assert e.high - e.low == pytest.approx(
            2.906 * (half[e[:3]].high - half[e[:3]].low), rel=1e-3
        )


def test_the_information_is_the_curvature_of_the_log_likelihood(fitted):
    """Louis' identity against finite differences of log p(x), one factor's own directions."""
    joint = fitted.objective_.joint.double()
    kept = Observed(CORPUS.counts, covariates=fitted.design_.encode(CORPUS.frame))
    documents = fitted._documents(kept)
    target_of = documents.batch(torch.arange(len(documents.counts)))

    def log_prob(step):
        weight = joint.prior.effects.weight
        with torch.no_grad():
            weight[1, 0] += step
            found = joint.condition(target_of).table().logsumexp(0).sum()
            weight[1, 0] -= step
        return float(found)

    curvature = -(log_prob(1e-3) - 2 * log_prob(0.0) + log_prob(-1e-3)) / 1e-6
    joint.float()
    assert fitted._information(kept, None)[1, 1, 1] == pytest.approx(curvature, rel=1e-3)


def test_intervals_of_the_prevalence_hold_it(fitted):
    at = {"year": [1800, 1850, 1900]}
    found, (low, high) = fitted.prevalence(at), fitted.prevalence_interval(at)
    assert low.shape == high.shape == found.shape == (3, 3)
    assert ((low < found) & (found < high)).all()
    one = fitted.prevalence_interval({"section": "north"})
    assert one.low.shape == (3,)
    wide = fitted.prevalence_interval(at, level=0.999)
    assert (wide.low < low).all()


def test_at_the_mean_the_prevalence_is_the_prior(fitted):
    np.testing.assert_allclose(fitted.prevalence(), fitted.prior_, rtol=1e-6)
    mean = {"year": float(CORPUS.frame["year"].mean())}
    np.testing.assert_allclose(fitted.prevalence(mean), fitted.prior_, rtol=1e-5)


def test_a_fixed_prior_has_effects_all_the_same():
    found = fit(prior="bernoulli:learnt=false,probability=0.3", max_iter=3)
    np.testing.assert_allclose(found.prevalence(), 0.3, rtol=1e-6)
    low, high = found.prevalence_interval()
    np.testing.assert_allclose(high - low, 0, atol=1e-4)
    assert all(np.isfinite(e.standard_error) for e in found.effects())


def test_documents_without_words_have_the_prior_of_their_covariates(fitted):
    empty = scipy.sparse.csr_matrix((2, CORPUS.counts.shape[1]))
    table = {"year": [1800, 1900], "section": ["west", "north"]}
    found = fitted.transform(empty, covariates=table)
    np.testing.assert_allclose(found, fitted.prevalence(table), rtol=1e-5)
    assert abs(found[0] - found[1]).max() > 0.2


def test_the_posterior_is_that_of_the_enumeration(fitted):
    part = slice(0, 20)
    counts, table = CORPUS.counts[part], CORPUS.frame.iloc[part]
    design, joint = fitted.design_, fitted.objective_.joint
    coded = design.encode(table).astype(float)
    states = (np.arange(8)[:, None] >> np.arange(3)) & 1
    odds = (
        logit(fitted.prior_.astype(float)) + coded @ joint.prior.effects.weight.detach().numpy().T
    )
    content = coded[:, -design.content :] @ joint.content.detach().numpy().T
    table_of = np.empty((8, 20))
    for row, state in enumerate(states):
        eta = state @ fitted.components_ + fitted.intercept_ + content
        words = eta - np.logaddexp.reduce(eta, axis=1, keepdims=True)
        prior = (state * odds - np.logaddexp(0, odds)).sum(1)
        table_of[row] = prior + np.asarray(counts.multiply(words).sum(1)).ravel()
    log_prob = np.logaddexp.reduce(table_of, axis=0)
    found = fitted.score_samples(counts, covariates=table)
    np.testing.assert_allclose(found, log_prob, rtol=1e-5)
    posterior = np.exp(table_of - log_prob).T @ states
    np.testing.assert_allclose(fitted.transform(counts, covariates=table), posterior, atol=1e-3)


def test_explanations_add_up_with_the_prior_of_the_document(fitted):
    part = CORPUS.frame.iloc[:4]
    for row, told in enumerate(fitted.explain(CORPUS.counts[:4], covariates=part)):
        prior = logit(fitted.prevalence(part.iloc[row].to_dict()).astype(float))
        for factor in told.factors:
            assert factor.prior == pytest.approx(prior[factor.factor], abs=1e-3)
            total = factor.prior + factor.rest + sum(word.nats for word in factor.words)
            assert factor.log_odds == pytest.approx(total)


READERS = {
    "transform": lambda m, X, c: m.transform(X, covariates=c),
    "predict": lambda m, X, c: m.predict(X, covariates=c),
    "states": lambda m, X, c: m.states(X, covariates=c).probabilities,
    "pairwise": lambda m, X, c: m.pairwise(X, covariates=c),
    "entropy": lambda m, X, c: m.entropy(X, covariates=c),
    "score_samples": lambda m, X, c: m.score_samples(X, covariates=c),
    "score": lambda m, X, c: m.score(X, covariates=c),
    "perplexity": lambda m, X, c: m.perplexity(X, covariates=c),
    "evaluate": lambda m, X, c: m.evaluate(X, covariates=c).log_prob,
    "completion": lambda m, X, c: m.completion_perplexity(X, X, covariates=c),
    "explain": lambda m, X, c: [e.log_odds for d in m.explain(X, covariates=c) for e in d.factors],
    "get_document_topics": lambda m, X, c: [
        p for d in m.get_document_topics(X, 0.0, covariates=c) for _, p in d
    ],
    "documents_frame": lambda m, X, c: m.documents_frame(X, covariates=c)["factor_0"],
    "representative": lambda m, X, c: [
        p for d in m.representative_documents(X, covariates=c) for _, p in d
    ],
    "prepare_ldavis": lambda m, X, c: m.prepare_ldavis(X, covariates=c)["doc_topic_dists"],
}


@pytest.mark.parametrize("name", READERS)
def test_whatever_reads_a_posterior_wants_covariates(fitted, name):
    read, X = READERS[name], CORPUS.counts[:6]
    own = np.asarray(read(fitted, X, CORPUS.frame.iloc[:6]), dtype=float)
    carried = Observed(X, covariates=fitted.design_.encode(CORPUS.frame.iloc[:6]))
    np.testing.assert_array_equal(np.asarray(read(fitted, carried, None), dtype=float), own)
    moved = {"year": [2300.0] * 6, "section": ["south"] * 6}
    if name not in ("predict", "representative"):
        assert not np.array_equal(np.asarray(read(fitted, X, moved), dtype=float), own)
    with pytest.raises(InputError, match="was fitted with covariates 'year', 'section', and needs"):
        read(fitted, X, None)
    plain = model(3, max_iter=1).fit(CORPUS.counts)
    with pytest.raises(InputError, match="fitted without; leave them out"):
        read(plain, X, CORPUS.frame.iloc[:6])


@pytest.mark.parametrize("decoder", sorted(DECODERS))
@pytest.mark.parametrize("likelihood", sorted(LIKELIHOODS))
@pytest.mark.parametrize("inference", sorted(GRADIENTS))
def test_every_inference_likelihood_and_decoder_takes_them(inference, likelihood, decoder):
    part = Covaried(CORPUS.counts[:60], CORPUS.frame.iloc[:60], CORPUS.truth[:60])
    costly = GRADIENTS[inference].flips and decoder == "mlp"
    with pytest.warns(FitWarning) if costly else contextlib.nullcontext():
        found = fit(part, inference=inference, likelihood=likelihood, decoder=decoder, max_iter=2)
    scores = found.score_samples(part.counts, covariates=part.frame)
    assert np.isfinite(scores).all()
    assert np.abs(found.objective_.joint.prior.effects.weight.detach().numpy()).max() > 0
    assert np.abs(found.objective_.joint.content.detach().numpy()).max() > 0


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax"])
def test_turning_and_sorting_factors_leaves_the_model_as_it_is(inference):
    found = fit(inference=inference, max_iter=3)
    before = found.score_samples(CORPUS.counts, covariates=CORPUS.frame, bound="exact")
    guess = found.transform(CORPUS.counts, covariates=CORPUS.frame, refine=0)
    found._arrange(np.array([0.9, 0.2, 0.4]))  # factor 0 is turned and becomes the last
    after = found.score_samples(CORPUS.counts, covariates=CORPUS.frame, bound="exact")
    np.testing.assert_allclose(after, before, rtol=1e-4)
    again = found.transform(CORPUS.counts, covariates=CORPUS.frame, refine=0)
    np.testing.assert_allclose(again[:, [2, 1, 0]], [1, 0, 0] + guess * [-1, 1, 1], atol=1e-4)


def test_shrinkage_pulls_effects_to_nothing():
    loose, tight = fit(max_iter=15), fit(max_iter=15, covariate_shrinkage=1e4)
    for each in (loose, tight):
        each.size = float(max(abs(e.log_odds) for e in each.effects()))
    assert tight.size < 0.1 < loose.size


def test_calls_of_partial_fit_add_up_what_is_known():
    found = model(3, inference="exact", covariates=SPECS)
    halves = [(CORPUS.counts[s], CORPUS.frame.iloc[s]) for s in (slice(0, 300), slice(300, 600))]
    for _ in range(8):
        for counts, table in halves:
            found.partial_fit(counts, covariates=table)
    rising = places(found)[0]
    assert effect(found, rising, "year", "+").log_odds > 0.7
    with pytest.raises(InputError, match="which no document of fit had"):
        found.partial_fit(halves[0][0], covariates=halves[0][1].assign(section="east"))
    with pytest.raises(InputError, match="needs those of these documents"):
        found.partial_fit(halves[0][0])


def test_going_on_keeps_the_columns():
    found = fit(max_iter=1, warm_start=True)
    known = CORPUS.frame
    assert found.fit(CORPUS.counts, covariates=known).design_.names == ["year", "section"]
    for specs in (["year"], ["year:spline", "section:both"], ["year", "section"]):
        with pytest.raises(ConfigurationError, match="whose covariates are 'year:number:prevalenc"):
            found.set_params(covariates=specs).fit(CORPUS.counts, covariates=known)
    found.set_params(covariates=None).fit(CORPUS.counts, covariates=known)


def test_content_alone_leaves_the_prevalence_to_the_prior():
    found = fit(covariates="section:content", max_iter=3)
    assert found.objective_.joint.prior.effects is None
    for read in (found.effects, found.prevalence, found.prevalence_interval):
        with pytest.raises(ConfigurationError, match="'section' act on the words only; fit with"):
            read()
    with pytest.raises(ConfigurationError, match="no covariate acts on the words"):
        fit(covariates="year", max_iter=1).covariate_words()


def test_a_column_of_the_words_alone_has_no_prevalence():
    found = fit(covariates=["year", "section:content"], max_iter=1)
    with pytest.raises(InputError, match="at: 'section' acts on the words only"):
        found.prevalence({"section": "north"})
    assert {e.column for e in found.effects()} == {"year"}
    assert {w.column for w in found.covariate_words()} == {"section"}


def test_all_columns_act_on_the_prevalence_where_none_is_named():
    found = fit(covariates=None, max_iter=1)
    assert {e.column for e in found.effects()} == {"year", "section"}
    frame = found.effects_frame()
    assert list(frame["factor"].unique()) == [0, 1, 2]
    assert len(frame) == len(found.effects()) == 3 * 4


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (CORPUS.frame.iloc[:-1], "covariates have 599 rows, and X has 600"),
        (CORPUS.frame[["year"]], "covariates have no column 'section'; they have 'year'"),
        (CORPUS.frame.assign(year=[np.nan] * 600), "row 0: 'year' is NaN; fill it in"),
        (None, "names columns, but none were given; pass them, as in"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_and_loses_nothing(table, said):
    found = fit(max_iter=1)
    before = found.transform(CORPUS.counts, covariates=CORPUS.frame)
    with pytest.raises(InputError, match=said) as refused:
        found.fit(CORPUS.counts, covariates=table)
    assert "\n" not in str(refused.value)
    after = found.transform(CORPUS.counts, covariates=CORPUS.frame)
    np.testing.assert_array_equal(after, before)


def test_rows_of_frames_in_another_order_are_refused():
    counts = pd.DataFrame(CORPUS.counts.toarray())
    with pytest.raises(InputError, match=r"row 0 is 599, and 0 in X; put them in the same order"):
        model(3, max_iter=1).fit(counts, covariates=CORPUS.frame.iloc[::-1])


def test_specs_are_checked_before_anything_is_read():
    with pytest.raises(ConfigurationError, match="2 or more knots"):
        fit(covariates="year:spline=0")
    with pytest.raises(ConfigurationError, match="covariate_shrinkage must be"):
        fit(covariate_shrinkage=-1)


def test_a_prior_that_reads_no_covariates_is_refused():
    class Plain(BernoulliPrior):
        def __init__(self, sizes):
            super().__init__(Sizes(sizes.words, sizes.factors))

    with pytest.raises(ConfigurationError, match="prior='Plain' reads no covariates; use"):
        fit(prior=Plain)
    assert fit(prior=Plain, covariates="section:content", max_iter=1).design_.content == 3


def test_a_model_without_covariates_says_so():
    found = model(3, max_iter=1).fit(CORPUS.counts)
    with pytest.raises(ConfigurationError, match="was fitted without covariates"):
        found.effects()


def test_a_model_with_effects_is_never_asked_without():
    found = fit(max_iter=1)
    batch = found._documents(Observed(CORPUS.counts[:2])).batch(torch.arange(2))
    with pytest.raises(ValueError, match="covariates must be given"):
        found.objective_.joint.condition(batch)
    counts = Counts.from_scipy(CORPUS.counts[:2])
    amortised = fit(inference="gumbel-softmax", max_iter=1).objective_.posterior
    with pytest.raises(ValueError, match="covariates must be given"):
        amortised.amortised(batch._replace(counts=counts))


def test_fit_transform_carries_them():
    one = clone(fit(max_iter=2))
    found = one.fit_transform(CORPUS.counts, covariates=CORPUS.frame)
    np.testing.assert_array_equal(found, one.transform(CORPUS.counts, covariates=CORPUS.frame))


TEXTS = ["the steam engine moves the train", "violin and cello in a quiet sonata"] * 20
KNOWN = pd.DataFrame({"year": np.arange(40) % 7, "place": (["mill", "hall"] * 20)})


def test_metadata_are_routed_through_a_pipeline():
    with sklearn.config_context(enable_metadata_routing=True):
        last = BinaryFactorModel(2, max_iter=3, n_jobs=1, random_state=0)
        last.set_fit_request(covariates=True).set_transform_request(covariates=True)
        pipe = make_pipeline(DocumentVectorizer(), last)
        pipe.fit(TEXTS, covariates=KNOWN)
        found = pipe.transform(TEXTS, covariates=KNOWN)
        again = pipe.fit_transform(TEXTS, covariates=KNOWN)
    np.testing.assert_array_equal(found, again)
    counts = pipe[:-1].transform(TEXTS)
    np.testing.assert_array_equal(found, pipe[-1].transform(counts, covariates=KNOWN))
    told = explain_text(pipe, TEXTS[0], covariates={"year": 3, "place": "mill"})
    assert told.tokens > 0
    with pytest.raises(InputError, match="needs those of these documents"):
        explain_text(pipe, TEXTS[0])


def test_rows_keep_their_covariates():
    coded = np.arange(6, dtype=np.float32).reshape(3, 2)
    counts = Observed(np.eye(3), covariates=coded)
    np.testing.assert_array_equal(counts[np.array([2, 0])].covariates, coded[[2, 0]])
    np.testing.assert_array_equal(counts[1].covariates, coded[[1]])
    np.testing.assert_array_equal(counts.astype(np.float32).covariates, coded)
    np.testing.assert_array_equal(stacked([counts[:1], counts[1:]]).covariates, coded)
    assert stacked([Observed(np.eye(3))]).covariates is None
