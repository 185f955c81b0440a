"""posterior="autoregressive" and "free", and coordinate ascent, through BinaryFactorModel."""

from functools import partial

import numpy as np
import pytest

from tests.estimators.planted import matched, model
from topicfactors import ConfigurationError, load, save
from topicfactors.gradients import GRADIENTS
from topicfactors.inference.autoregressive import AutoregressivePosterior

SAMPLING = [name for name, kind in GRADIENTS.items() if kind.sampled and not kind.factorised]
HARD = [name for name, kind in GRADIENTS.items() if kind.sampled and not kind.relaxed]


def free(inference="local-expectation", **options):
    return model(posterior="free", inference=inference, **options)


@pytest.fixture(scope="module")
def grouped(corpus):
    chosen = {"posterior": "autoregressive:groups=3", "inference": "gumbel-softmax"}
    return model(**chosen, max_iter=30).fit(corpus.counts)


@pytest.fixture(scope="module")
def unencoded(corpus):
    return free(max_iter=20).fit(corpus.counts)


@pytest.mark.parametrize("inference", SAMPLING)
def test_an_autoregressive_posterior_serves_every_sampling_inference(inference, corpus):
    some = corpus.counts[:60]
    fitted = model(3, posterior="autoregressive:groups=2,width=4", inference=inference).fit(some)
    assert np.isfinite(fitted.transform(some)).all()
    assert np.isfinite(fitted.score_samples(some)).all()
    assert fitted.states(some[:4], 2).bits.shape == (4, 2, 3)


@pytest.mark.parametrize("inference", HARD)
def test_a_free_posterior_serves_every_inference_that_reads_hard_bits(inference, corpus):
    some = corpus.counts[:60]
    chosen = "nvil:input_baseline=false" if inference == "nvil" else inference
    fitted = free(chosen, n_components=3).fit(some)
    assert np.isfinite(fitted.transform(some)).all()
    assert np.isfinite(fitted.score_samples(some)).all()


def test_refined_scores_are_of_what_transform_gives(unencoded, grouped, corpus):
    for fitted in (unencoded, grouped):
        scored = fitted.evaluate(corpus.counts, bound="elbo", refine=2).log_prob
        gained = fitted.refinement(corpus.counts, refine=2)
        assert scored == pytest.approx(gained.after.mean(), abs=1e-4)


def test_they_find_the_factors(grouped, unencoded, corpus):
    assert matched(grouped.transform(corpus.counts), corpus.truth).mean() > 0.85
    assert matched(unencoded.transform(corpus.counts), corpus.truth).min() > 0.85


@pytest.mark.parametrize("fixture", ["grouped", "unencoded"])
def test_the_ladder_of_bounds(fixture, corpus, request):
    fitted = request.getfixturevalue(fixture)
    bounds = [("elbo", 32), ("iwae", 10), ("iwae", 500), ("exact", None)]
    found = [
        fitted.evaluate(corpus.counts, bound=bound, samples=samples).log_prob
        for bound, samples in bounds
    ]
    assert found[0] < found[1] < found[2] + 0.02 < found[3] + 0.04
    assert list(fitted.held_out_) == ["elbo", "iwae"]


@pytest.mark.parametrize("fixture", ["grouped", "unencoded"])
@pytest.mark.parametrize("refine", ["auto", 6])
def test_a_posterior_does_not_depend_on_the_batch(fixture, refine, corpus, request, monkeypatch):
    from topicfactors.estimators import posteriors, refining

    fitted = request.getfixturevalue(fixture)
    whole = fitted.transform(corpus.counts, refine=refine)
    order = np.random.default_rng(0).permutation(400)[:90]
    monkeypatch.setattr(posteriors, "AT_ONCE", 33)
    monkeypatch.setattr(refining, "AT_ONCE", 17)
    part = fitted.transform(corpus.counts[order], refine=refine)
    np.testing.assert_allclose(part, whole[order], atol=2e-4)
    steps = 6 if refine == "auto" else refine
    gained = fitted.refinement(corpus.counts[order], refine=steps)
    assert gained.before.shape == gained.after.shape == (90,)


@pytest.mark.parametrize("fixture", ["grouped", "relaxed_model"])
def test_refinement_is_what_the_ascent_gains(fixture, corpus, request):
    fitted = request.getfixturevalue(fixture)
    few, many = (fitted.refinement(corpus.counts, refine=steps) for steps in (2, 20))
    assert 0 < few.gain < many.gain + 0.05
    np.testing.assert_allclose(many.before.mean(), fitted.score(corpus.counts), atol=1e-4)
    scores = [
        fitted.evaluate(corpus.counts, bound=bound, refine=20).log_prob
        for bound in ("elbo", "iwae")
    ]
    np.testing.assert_allclose(scores[0], many.after.mean(), atol=1e-4)
    exact = fitted.evaluate(corpus.counts, bound="exact").log_prob
    assert scores[0] < scores[1] < exact + 0.02
    assert many.after.mean() > exact - 0.4


def test_a_model_that_is_fitted_twice_is_the_same(corpus):
    for chosen in ({"posterior": "autoregressive", "inference": "nvil"}, {"posterior": "free"}):
        usual = {"inference": "local-expectation", **chosen, "max_iter": 2}
        one, other = (model(**usual).fit(corpus.counts[:90]) for _ in range(2))
        np.testing.assert_array_equal(one.transform(corpus.counts), other.transform(corpus.counts))


@pytest.mark.parametrize("fixture", ["grouped", "unencoded"])
def test_what_was_saved_is_the_same(fixture, corpus, request, tmp_path):
    fitted = request.getfixturevalue(fixture)
    save(fitted, tmp_path / "model")
    again = load(tmp_path / "model")
    for refine in ("auto", 3):
        np.testing.assert_array_equal(
            again.transform(corpus.counts, refine=refine),
            fitted.transform(corpus.counts, refine=refine),
        )
    assert again.evaluate(corpus.counts) == fitted.evaluate(corpus.counts)


def test_an_interrupted_order_is_kept(corpus):
    """fit sorts and turns the factors: the bound before and after is the same."""
    from topicfactors.estimators.records import RecordsMixin

    scores, arrange = [], RecordsMixin._arrange

    def watched(self, mean):
        before = self.score(corpus.counts)
        done = arrange(self, np.where(np.arange(len(mean)) == 1, 0.9, mean))
        scores.append((before, self.score(corpus.counts)))
        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RecordsMixin, "_arrange", watched)
        model(posterior="autoregressive:groups=4", inference="nvil", max_iter=6).fit(corpus.counts)
    assert scores[0][0] == pytest.approx(scores[0][1], abs=0.5)


def test_partial_fit_and_warm_starts_go_on(corpus):
    for chosen in (
        {"posterior": "autoregressive", "inference": "gumbel-softmax"},
        {"posterior": "free", "inference": "local-expectation"},
    ):
        learner = model(**chosen)
        for _ in range(3):
            learner.partial_fit(corpus.counts)
        first = learner.score(corpus.counts)
        warm = learner.set_params(warm_start=True, max_iter=4).fit(corpus.counts)
        assert warm.score(corpus.counts) > first


def test_a_response_is_expected_of_every_posterior(corpus):
    answers = corpus.truth @ np.arange(1.0, 5.0)
    for chosen in (
        {"posterior": "autoregressive", "inference": "gumbel-softmax"},
        {"posterior": "free", "inference": "local-expectation"},
    ):
        fitted = model(**chosen, max_iter=10, response="poisson")
        fitted.fit(corpus.counts, response=answers)
        found = fitted.predict_response(corpus.counts)
        assert np.corrcoef(found, answers)[0, 1] > 0.5


@pytest.mark.filterwarnings("ignore:n_components=.auto. ended at the most")
def test_a_number_of_factors_is_found_with_groups(corpus):
    found = model("auto:most=16", posterior="autoregressive", inference="gumbel-softmax")
    fitted = found.fit(corpus.counts)
    assert fitted.transform(corpus.counts).shape[1] == fitted.n_components_


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"posterior": "free", "inference": "gumbel-softmax"}, "does not have"),
        ({"posterior": "free", "inference": "nvil"}, "input_baseline=false"),
        (
            {"posterior": "autoregressive", "inference": "local-expectation"},
            "posterior that is factorised",
        ),
        (
            {"posterior": "autoregressive", "inference": "truncated"},
            "use inference='gumbel-softmax'",
        ),
        ({"posterior": "free", "inference": "truncated"}, "use inference='local-expectation'"),
        ({"posterior": "enumerated", "inference": "truncated"}, "use inference='exact'"),
        ({"posterior": "autoregressive:groups=0", "inference": "nvil"}, "groups"),
        ({"posterior": "free:rate=0", "inference": "local-expectation"}, "rate"),
    ],
)
def test_what_does_not_go_together_is_refused(options, said, corpus):
    with pytest.raises(ConfigurationError, match=said):
        model(**options).fit(corpus.counts)


def test_a_refinement_that_cannot_be_is_refused(grouped, exact_model, corpus):
    for refine in (0, "auto", 2.5):
        with pytest.raises(ConfigurationError, match="whole number"):
            grouped.refinement(corpus.counts, refine=refine)
    with pytest.raises(ConfigurationError, match="exact"):
        exact_model.refinement(corpus.counts)
    with pytest.raises(ConfigurationError, match="serves bound='elbo'"):
        grouped.evaluate(corpus.counts, bound="exact", refine=3)


def test_a_constructor_is_a_choice(corpus):
    chosen = partial(AutoregressivePosterior, groups=2)
    fitted = model(posterior=chosen, inference="gumbel-softmax").fit(corpus.counts)
    assert fitted.objective_.posterior.groups.max() == 1
