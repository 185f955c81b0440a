"""Fits of a store: as good as those of the same documents in memory, whatever passes by."""

import numpy as np
import pytest

from tests.estimators.planted import matched, model, planted
from topicfactors import MixtureModel
from topicfactors.corpus.store import CountsStore, StoreWriter
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators import shards, streaming

CORPUS = planted(factors=3, documents=420, seed=1)
NAMES = [f"word{number}" for number in range(CORPUS.counts.shape[1])]


def stored(folder, documents=420, columns=None, size=60):
    with StoreWriter(folder, words=NAMES, shard_documents=size) as writer:
        counts = CORPUS.counts[:documents]
        writer.add(counts, ids=[str(n) for n in range(documents)], columns=columns)
    return CountsStore.open(folder)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return stored(tmp_path_factory.mktemp("stores") / "store")


@pytest.fixture(scope="module")
def fitted(store):
    return model(3, inference="truncated", max_iter=10).fit(store)


def test_the_factors_of_the_corpus_are_found(store, fitted):
    assert matched(fitted.transform(CORPUS.counts), CORPUS.truth).min() > 0.9
    assert fitted.n_documents_ == 420
    assert fitted.feature_names_in_.tolist() == NAMES
    np.testing.assert_array_equal(fitted.word_totals_, np.asarray(CORPUS.counts.sum(0)).ravel())
    assert fitted.document_frequency_.sum() == CORPUS.counts.nnz


@pytest.mark.parametrize("inference", ["truncated", "gumbel-softmax", "nvil"])
def test_the_bound_is_that_of_a_fit_in_memory(store, inference):
    options = {"inference": inference, "max_iter": 10, "validation_fraction": 0.1}
    found = [
        model(3, **options).fit(X).evaluate(CORPUS.counts).log_prob for X in (store, CORPUS.counts)
    ]
    assert found[0] == pytest.approx(found[1], rel=0.01)


def test_a_store_is_read_as_its_counts_are(store, fitted):
    counts = CORPUS.counts.astype(np.float32)
    for read in (fitted.transform, fitted.predict, fitted.score_samples):
        np.testing.assert_allclose(read(store), read(counts), atol=1e-4, rtol=1e-5)
    assert fitted.score(store) == pytest.approx(fitted.score(counts), rel=1e-6)
    streamed, whole = fitted.evaluate(store), fitted.evaluate(counts)
    assert streamed[:3] == whole[:3]
    np.testing.assert_allclose(streamed[3:5], whole[3:5], rtol=1e-6)
    np.testing.assert_allclose(streamed.perplexity, whole.perplexity, rtol=1e-5)
    np.testing.assert_allclose(streamed.unigram, whole.unigram, rtol=1e-6)


def test_the_same_seed_is_the_same_fit(store, fitted):
    again = model(3, inference="truncated", max_iter=10).fit(store)
    np.testing.assert_array_equal(again.components_, fitted.components_)


def test_documents_that_are_held_out_are_not_trained_on(store):
    made = model(3)
    streamed = streaming.Streamed(made, store, None)
    _, counts, table, answers = streamed.sample()
    made._prepared(counts, table, answers, None, None, False)
    streamed.hold_out(np.array([419, 0, 61, 62]))
    assert streamed.sizes() == [59, 58, 60, 60, 60, 60, 59]
    assert [streamed.read(number).total for number in range(7)] == streamed.sizes()
    first = streamed.read(0).counts
    assert first.values.sum() == CORPUS.counts[1:60].sum()


def test_a_sample_stands_for_many_documents(store, monkeypatch):
    monkeypatch.setattr(streaming, "SAMPLE", 100)
    monkeypatch.setattr(streaming, "LOOKED_AT", 50)
    fitted = model(3, inference="truncated", max_iter=10, validation_fraction=0.2).fit(store)
    assert matched(fitted.transform(CORPUS.counts), CORPUS.truth).min() > 0.9
    assert fitted.n_documents_ == 420
    exact = CORPUS.truth.mean(0)
    assert np.abs(np.sort(fitted.prevalence_) - np.sort(exact)).max() < 0.15


def test_the_sample_is_spread_over_the_shards(store):
    rows, counts, known = shards.sample_of(store, 100, [])
    assert len(set(rows // 60)) == 7
    assert known is None
    assert (counts != CORPUS.counts[rows].astype(np.float32)).nnz == 0


def test_covariates_and_responses_are_columns_of_the_store(tmp_path):
    early = (CORPUS.truth[:, 0] + np.arange(420) % 2 > 0).astype(float)
    columns = {"early": early.tolist(), "size": (3.0 * CORPUS.truth[:, 1]).tolist()}
    store = stored(tmp_path / "store", columns=columns)
    options = {"inference": "truncated", "max_iter": 8, "covariates": ["early"]}
    streamed = model(3, **options).fit(store, response="size")
    whole = model(3, **options).fit(
        CORPUS.counts, covariates={"early": columns["early"]}, response=columns["size"]
    )
    assert streamed.response_coef_.max() == pytest.approx(whole.response_coef_.max(), abs=0.3)
    assert streamed.evaluate(store).log_prob == pytest.approx(
        whole.evaluate(CORPUS.counts, covariates={"early": columns["early"]}).log_prob, rel=0.01
    )
    with pytest.raises(InputError, match=r"has 'early', 'size' beside its counts, and no 'year'"):
        model(3, covariates=["year"]).fit(store)


def test_fewer_passes_over_very_many_documents(store, monkeypatch):
    monkeypatch.setattr(streaming, "VISITS", 1200)
    assert len(model(3, inference="truncated", max_iter=None).fit(store).history_) == 3
    monkeypatch.setattr(streaming, "VISITS", 10)
    assert len(model(3, inference="truncated", max_iter=None).fit(store).history_) == 2


@pytest.mark.parametrize(
    ("options", "given", "error", "match"),
    [
        ({"n_components": "auto"}, {}, ConfigurationError, r"n_components='auto' takes several"),
        ({"n_runs": 2}, {}, ConfigurationError, r"n_runs takes several fits"),
        ({}, {"covariates": {"a": [1]}}, InputError, r"covariates of a store are columns of it"),
        ({}, {"id2word": {0: "a"}}, InputError, r"a store has words of its own, got a dict as id2"),
        ({}, {"response": [1.0]}, InputError, r"name of a column of it, got a list"),
        ({}, {"response": "year"}, InputError, r"has no columns beside its counts, and no 'year'"),
    ],
)
def test_what_a_store_does_not_go_with_is_told(store, options, given, error, match):
    with pytest.raises(error, match=match):
        model(**options).fit(store, **given)


def test_what_needs_documents_in_memory_says_so(store, fitted):
    for method in (fitted.partial_fit, fitted.states, fitted.coherence):
        with pytest.raises(InputError, match=r"is not read at once here; give some of its"):
            method(store)
    with pytest.raises(InputError, match=r"is not read at once here"):
        MixtureModel(2).fit(store)


def test_shards_can_be_fitted_one_by_one(store):
    made = model(3, inference="truncated")
    for number in range(len(store.sizes)):
        made.partial_fit(store.shard(number))
    assert made.n_documents_ == 420
