"""The discrete VAE as users choose it: smoothings, continuous layers, and its own score."""

import numpy as np
import pytest

from tests.estimators.planted import model, planted
from topicfactors import ConfigurationError, load, save
from topicfactors.estimators.smoothing import Layers, asked_layers
from topicfactors.gradients.smoothings import SMOOTHINGS


@pytest.fixture(scope="module")
def counts():
    return planted(factors=3, documents=150).counts


def dvae(counts, **options):
    return model(3, inference="dvae", **options).fit(counts)


@pytest.fixture(scope="module")
def layered(counts):
    return dvae(counts, continuous_layers="2:width=3", smoothing="exponential")


@pytest.mark.parametrize("name", SMOOTHINGS)
def test_a_smoothing_is_used_and_kept(name, counts, tmp_path):
    fitted = dvae(counts, smoothing=name)
    smoothed = fitted.score_samples(counts, bound="smoothed-iwae", samples=20)
    assert type(fitted.objective_.gradient.smoother) is SMOOTHINGS[name]
    assert np.isfinite(smoothed).all()
    assert (smoothed == fitted.score_samples(counts, bound="smoothed-iwae", samples=20)).all()
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_allclose(
        again.score_samples(counts, bound="smoothed-iwae", samples=20), smoothed, rtol=1e-5
    )


def test_smoothings_differ_and_auto_is_the_first(counts):
    found = {name: dvae(counts, smoothing=name).components_ for name in [*SMOOTHINGS, "auto"]}
    np.testing.assert_array_equal(found["auto"], found["spike-and-exponential"])
    assert not np.allclose(found["power"], found["exponential"])


def test_the_smoothed_score_is_named_and_is_not_the_hard_one(counts):
    fitted = dvae(counts)
    evaluated = fitted.evaluate(counts, bound="smoothed-iwae", samples=50)
    assert evaluated.bound == "smoothed-iwae"
    assert evaluated.log_prob != pytest.approx(
        fitted.evaluate(counts, bound="iwae", samples=50).log_prob, abs=1e-3
    )
    one, many = (
        fitted.score_samples(counts, bound="smoothed-iwae", samples=samples).mean()
        for samples in (1, 100)
    )
    assert one < many


def test_factors_are_not_turned_where_that_would_be_another_smoothing(counts):
    """The spike stands at 0 for a bit that is off."""
    often = np.array([0.9, 0.2, 0.1])
    for name, kind in SMOOTHINGS.items():
        fitted = dvae(counts, smoothing=name, max_iter=1)
        before = fitted.score_samples(counts, bound="smoothed-iwae", samples=200)
        _, flipped = fitted._arrange(often)
        assert flipped.tolist() == [kind.overlapping, False, False]
        after = fitted.score_samples(counts, bound="smoothed-iwae", samples=200)
        assert after.mean() == pytest.approx(before.mean(), abs=0.2)


def test_a_model_with_layers_serves(layered, counts, tmp_path):
    assert layered.transform(counts).shape == (150, 3)
    assert layered.transform(counts, refine=0).shape == (150, 3)
    assert len(layered.top_words(5)) == 3
    np.testing.assert_allclose(layered.topic_word_.sum(1), 1, rtol=1e-5)
    elbo, iwae = (layered.score_samples(counts, bound=bound) for bound in ("elbo", "iwae"))
    assert elbo.mean() < iwae.mean()
    assert layered.completion_perplexity(counts, counts) > 1
    save(layered, tmp_path / "model")
    again = load(tmp_path / "model")
    np.testing.assert_array_equal(again.score_samples(counts, bound="iwae"), iwae)
    np.testing.assert_array_equal(again.transform(counts), layered.transform(counts))


def test_a_score_does_not_depend_on_the_other_documents(layered, counts):
    for bound in ("iwae", "smoothed-iwae"):
        every = layered.score_samples(counts, bound=bound)
        some = layered.score_samples(counts[5:9], bound=bound)
        np.testing.assert_allclose(some, every[5:9], rtol=1e-5)


def test_layers_explain_what_factors_do_not(counts):
    """One factor for a corpus of three: what it leaves, Gaussian units take up."""
    plain, more = (
        model(1, inference="dvae", max_iter=25, continuous_layers=number).fit(counts)
        for number in (0, 1)
    )
    gain = more.evaluate(counts, bound="iwae").log_prob - plain.evaluate(counts).log_prob
    assert gain > 2


@pytest.mark.parametrize(
    "ask",
    [
        lambda fitted, counts: fitted.states(counts),
        lambda fitted, counts: fitted.pairwise(counts),
        lambda fitted, counts: fitted.entropy(counts),
        lambda fitted, counts: fitted.explain(counts[:2]),
        lambda fitted, counts: fitted.transform(counts, refine=3),
        lambda fitted, counts: fitted.score_samples(counts, bound="exact"),
        lambda fitted, counts: fitted.score_samples(counts, bound="truncated"),
    ],
)
def test_what_layers_hide_is_refused_with_the_cure(layered, counts, ask):
    with pytest.raises(ConfigurationError, match="fit with continuous_layers=0"):
        ask(layered, counts)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (0, None),
        ("0", None),
        (2, Layers(2, {})),
        ("2", Layers(2, {})),
        ("1:hidden=64,width=8", Layers(1, {"hidden": 64, "width": 8})),
    ],
)
def test_layers_are_a_number_with_options(asked, found):
    assert asked_layers(asked) == found


@pytest.mark.parametrize("asked", [-1, 1.5, True, None, "two", "1:depth=3", "1:width=0", "1:width"])
def test_other_layers_are_refused(asked):
    with pytest.raises(ConfigurationError, match="continuous_layers must be a whole number"):
        asked_layers(asked)


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({"inference": "truncated", "smoothing": "power"}, "use inference='dvae'"),
        ({"inference": "dvae", "smoothing": "powr"}, "'power'"),
        ({"inference": "dvae:start=0.5", "smoothing": "power"}, "smoothing='exponential'"),
        ({"inference": "truncated", "continuous_layers": 1}, "use one of dvae"),
        ({"inference": "exact", "continuous_layers": 1}, "or continuous_layers=0"),
        ({"inference": "local-expectation", "continuous_layers": 1}, "or continuous_layers=0"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(counts, options, cure):
    with pytest.raises(ConfigurationError, match=cure):
        model(3, **options).fit(counts)


def test_layers_and_a_number_that_is_found_are_refused(counts):
    with pytest.raises(ConfigurationError, match="n_components='auto' weighs"):
        model("auto", inference="dvae", continuous_layers=1).fit(counts)


def test_the_smoothed_score_is_of_smoothed_models(counts):
    fitted = model(2, inference="gumbel-softmax", max_iter=1).fit(counts)
    with pytest.raises(ConfigurationError, match="use bound='iwae'"):
        fitted.score_samples(counts, bound="smoothed-iwae")
