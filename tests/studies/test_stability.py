"""Factors that are in a corpus come back with other seeds; what is asked for is checked."""

import numpy as np
import pytest

from tests.estimators.planted import matched, model, planted
from topicfactors import ConfigurationError, FitWarning, MixtureModel, SemiSupervisedClassifier
from topicfactors.studies import stability
from topicfactors.studies.stability import seeds_of


@pytest.fixture(scope="module")
def corpus():
    return planted(documents=200)


@pytest.fixture(scope="module")
def found(corpus):
    return stability(model(4, max_iter=8), corpus.counts, 3)


def test_planted_factors_come_back(corpus, found):
    assert found.agreement > 0.95
    assert found.chance < 0.2
    assert found.lost == []
    assert [row.came_back for row in found.factors] == [1.0] * 4
    assert min(row.words for row in found.factors) > 0.9
    assert matched(found.model.transform(corpus.counts), corpus.truth).min() > 0.95


def test_what_is_read(found):
    text = str(found)
    assert text.startswith("3 runs agree to ")
    assert text.endswith("none.")
    frame = found.to_pandas()
    assert frame.index.name == "factor"
    np.testing.assert_allclose(frame["prevalence"], found.model.prevalence_)
    assert len(frame["top_words"][0]) == 8
    told = found.as_dict()
    assert told["seeds"] == [0, 1, 2]
    assert np.array(told["between"]).shape == (3, 3)
    assert told["factors"][0]["partners"][told["chosen"]] == 0


def test_factors_of_noise_do_not_come_back():
    """Every fit is told where its factors begin, and there is nothing that would move them."""
    counts = np.random.default_rng(0).poisson(0.5, (150, 40))

    def anywhere(counts, factors, seed):
        return np.random.default_rng(seed).normal(size=(factors, counts.shape[1]))

    found = stability(model(3, init=anywhere, max_iter=2), counts, 3, by="words")
    assert found.agreement < 0.4
    assert found.lost == [0, 1, 2]


def test_components_come_back_too_and_in_other_processes_the_same(corpus):
    chosen = MixtureModel(3, n_init=1, max_iter=5, random_state=5)
    here = stability(chosen, corpus.counts, 2)
    there = stability(chosen, corpus.counts, 2, n_jobs=2)
    assert here.seeds == (5, 6)
    np.testing.assert_allclose(here.found.between, there.found.between, atol=1e-6)
    assert [row.top_words for row in here.factors] == [row.top_words for row in there.factors]


def test_covariates_are_read(corpus):
    years = {"year": np.linspace(1700, 1800, 200)}
    found = stability(model(4, max_iter=2), corpus.counts, 2, covariates=years)
    assert found.model.design_.names == ["year"]


def test_what_a_fit_warns_of_is_told_once():
    counts = planted(factors=2, documents=6).counts
    with pytest.warns(FitWarning, match="more factors than documents") as heard:
        stability(model(8, max_iter=1), counts, 2)
    assert len(heard) == 1


def test_seeds_follow_each_other():
    assert seeds_of(model(2), 2, None) == (0, 1)
    assert seeds_of(model(2, random_state=None), 2, None) == (0, 1)
    assert seeds_of(model(2), 2, 7) == (7, 8)


@pytest.mark.parametrize(
    ("chosen", "options", "said"),
    [
        (SemiSupervisedClassifier(), {}, "the names of their labels in every fit"),
        (model(2), {"n_runs": 1}, "n_runs must be a whole number of 2 or more"),
        (model(2), {"by": "topics"}, "by must be one of 'documents', 'words'"),
        (model(2), {"threshold": -1}, "threshold must be"),
        (model(2), {"n_jobs": 0}, "n_jobs must be None, a number of processes"),
        (model(2), {"random_state": -1}, "random_state must be"),
    ],
)
def test_what_cannot_be_is_refused(corpus, chosen, options, said):
    with pytest.raises(ConfigurationError, match=said):
        stability(chosen, corpus.counts, **options)
