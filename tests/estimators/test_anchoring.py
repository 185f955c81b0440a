"""Factors that a user names, pulled by words."""

import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from tests.estimators.planted import matched, model, planted
from topicfactors import ConfigurationError, FitWarning, InputError, load, save
from topicfactors.estimators.anchoring import Wanted, read_anchors

ANCHORS = {"rare": ["w50", "w51", "-w0"]}
NAMES = [f"w{column}" for column in range(64)]


@pytest.fixture(scope="module")
def corpus():
    """Six factors, and a seventh of words from w50, in 6 of 500 documents."""
    made, generator = planted(6, 500, rate=0.25, seed=3), np.random.default_rng(0)
    rare = generator.random(500) < 0.014
    counts = made.counts.toarray()
    counts[np.ix_(rare, range(50, 55))] += generator.poisson(3.0, (rare.sum(), 5))
    return scipy.sparse.csr_matrix(counts), made.truth, rare


def fit(counts, factors=7, **options):
    chosen = {"max_iter": None, "anchors": ANCHORS} | options
    return model(factors, **chosen).fit(counts, feature_names=NAMES)


@pytest.fixture(scope="module")
def anchored(corpus):
    return fit(corpus[0])


@pytest.fixture(scope="module")
def plain(corpus):
    return fit(corpus[0], anchors=None)


def test_anchors_bring_a_factor_that_the_data_alone_do_not(corpus, anchored, plain):
    counts, _, rare = corpus
    without = max(np.corrcoef(column, rare)[0, 1] for column in plain.transform(counts).T)
    found = anchored.transform(counts)[:, anchored.anchored_["rare"]]
    assert without < 0.6
    assert np.corrcoef(found, rare)[0, 1] > 0.75
    top = anchored.top_words(5)[anchored.anchored_["rare"]]
    assert {word for word, _ in top} == {f"w{column}" for column in range(50, 55)}


def test_the_other_factors_are_as_without_anchors(corpus, anchored, plain):
    counts, truth, _ = corpus
    with_them, without = (matched(each.transform(counts), truth) for each in (anchored, plain))
    assert without.min() > 0.9
    assert np.abs(with_them - without).max() < 0.03


def test_words_are_pulled_and_kept_out(anchored):
    loadings = anchored.components_[anchored.anchored_["rare"]]
    assert loadings[50:52].min() > 1.5
    assert loadings[0] <= 0


def test_what_is_kept_out_stays_out_where_data_want_it(corpus):
    counts = corpus[0]
    free = fit(counts, 6, anchors={"block": ["w1", "w2", "w3"]})
    assert free.components_[free.anchored_["block"]][0] > 1  # w0 belongs with them
    barred = fit(counts, 6, anchors={"block": ["w1", "w2", "w3", "-w0"]})
    assert barred.components_[barred.anchored_["block"]][0] <= 0


@pytest.mark.parametrize("options", [{"inference": "gumbel-softmax"}, {"inference": "exact"}])
def test_every_inference_takes_anchors(options, corpus):
    fitted = fit(corpus[0], max_iter=3, **options)
    assert fitted.components_[fitted.anchored_["rare"]][50:52].min() > 1.5


def test_nonnegative_loadings_can_be_kept_out(corpus):
    fitted = fit(corpus[0], max_iter=2, decoder="log-linear:nonnegative=true")
    assert 0 <= fitted.components_[fitted.anchored_["rare"]][0] < 1e-6


def test_names_travel_with_their_factors(anchored):
    place = anchored.anchored_["rare"]
    assert place == np.argmin(anchored.prevalence_)  # sorted by prevalence like all others
    assert anchored.factor_names_[place] == "rare"
    assert [name for name in anchored.factor_names_ if name != "rare"] == list(range(6))
    names = anchored.get_feature_names_out()
    assert names[place] == "rare"
    assert names[0] == "binaryfactormodel0"


def test_frames_and_explanations_have_the_names(corpus, anchored):
    counts, _, rare = corpus
    assert "rare" in anchored.topics_frame()["factor"].tolist()
    assert anchored.documents_frame(counts[:3]).columns[2:].tolist() == [
        name if name == "rare" else f"factor_{name}" for name in anchored.factor_names_
    ]
    row = np.flatnonzero(rare)[0]
    found = anchored.explain(counts[row])[0]
    assert "rare" in [factor.factor for factor in found.factors]
    assert isinstance(anchored.set_output(transform="pandas").transform(counts[:2]), pd.DataFrame)
    anchored.set_output(transform="default")


def test_an_anchored_factor_is_not_turned_around(corpus):
    fitted = fit(corpus[0][:50], 2, max_iter=1)
    before, place = fitted.components_, fitted.anchored_["rare"]
    _, flipped = fitted._arrange(np.array([0.9, 0.9]))
    assert flipped.tolist() == [number != place for number in range(2)]
    now = fitted.components_[fitted.anchored_["rare"]]
    np.testing.assert_array_equal(now, before[place])


def test_anchors_are_stored(corpus, anchored, tmp_path):
    save(anchored, tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.anchors == ANCHORS
    assert again.factor_names_ == anchored.factor_names_
    np.testing.assert_array_equal(again.transform(corpus[0]), anchored.transform(corpus[0]))
    again.set_params(warm_start=True, max_iter=1).fit(corpus[0], feature_names=NAMES)
    assert "rare" in again.factor_names_


def test_words_that_are_not_in_the_vocabulary_are_told_of(corpus):
    with pytest.warns(FitWarning, match=r"left out \(rare: boiler, piston\)"):
        fitted = fit(corpus[0], anchors={"rare": ["w50", "boiler", "-piston"]}, max_iter=1)
    assert fitted.missing_anchors_ == {"rare": ["boiler", "piston"]}


def test_partial_fit_takes_anchors(corpus):
    streamed = model(7, anchors=ANCHORS).partial_fit(corpus[0], feature_names=NAMES)
    streamed.partial_fit(corpus[0])
    assert streamed.factor_names_[0] == "rare"  # the order stays
    assert streamed.components_[0][50:52].min() > 1.5


def test_automatic_numbers_keep_the_anchored(corpus):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)  # there may be more than eight
        fitted = fit(corpus[0][:200], "auto:most=8", max_iter=4)
    assert "rare" in fitted.factor_names_
    assert fitted.components_[fitted.anchored_["rare"]][50:52].min() > 1


def test_anchors_are_taken_apart():
    read = read_anchors({"steam": ("engine", "engine", "-rail"), "salt": ["sodium"]})
    assert read == {"steam": Wanted(["engine"], ["rail"]), "salt": Wanted(["sodium"], [])}
    assert read_anchors(None) == {}


@pytest.mark.parametrize(
    ("anchors", "said"),
    [
        (["engine"], "anchors must be a dict"),
        (
            {"steam": "engine"},
            r"must be a list of words such as \['engine', 'boiler'\], got 'engine'",
        ),
        ({"steam": ["engine", 3]}, "must be words, got 3"),
        ({"steam": ["-"]}, "must be words, got '-'"),
        ({"steam": ["-engine"]}, "must have a word without '-'"),
        ({"steam": []}, "must have a word without '-'"),
        ({"steam": ["engine", "-engine"]}, "both with and without"),
        ({"3": ["engine"]}, "not a number"),
        ({"id": ["engine"]}, "which tables use"),
        ({"factor_1": ["engine"]}, "which tables use"),
        ({"a\nb": ["engine"]}, "text on one line"),
        ({7: ["engine"]}, "text on one line"),
    ],
)
def test_what_is_no_anchor_is_refused(anchors, said):
    with pytest.raises(ConfigurationError, match=said):
        model(3, anchors=anchors).fit(planted(documents=20).counts)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"anchor_strength": 0}, "anchor_strength must be a number above 0"),
        ({"anchor_strength": "much"}, "anchor_strength must be a number above 0"),
        ({"decoder": "mlp"}, "use decoder='log-linear'"),
        ({"anchors": {"a": ["0"], "b": ["1"], "c": ["2"]}}, "more than n_components=2"),
    ],
)
def test_what_cannot_be_anchored_is_refused(options, said):
    with pytest.raises(ConfigurationError, match=said):
        model(2, **({"anchors": {"a": ["0"]}} | options)).fit(planted(documents=20).counts)


def test_an_anchor_without_any_known_word_is_refused(corpus):
    with pytest.raises(InputError, match=r"no word of 'rare' is in the vocabulary.*did you mean"):
        fit(corpus[0], anchors={"rare": ["w500"]})


def test_training_does_not_go_on_with_other_anchors(corpus):
    fitted = fit(corpus[0][:50], 2, max_iter=1)
    fitted.set_params(warm_start=True, anchors={"other": ["w1"]})
    with pytest.raises(ConfigurationError, match="clone the model to start anew"):
        fitted.fit(corpus[0][:50], feature_names=NAMES)
