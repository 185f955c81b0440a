"""Calibration against factors that are known, and tempering of long documents."""

import numpy as np
import pytest
import scipy.sparse
import torch

from tests.estimators.planted import model, planted
from topicfactors import (
    BinaryFactorModel,
    ConfigurationError,
    FitWarning,
    InputError,
    load,
    save,
)
from topicfactors.estimators.base import seeded
from topicfactors.estimators.halves import halves
from topicfactors.insight.calibration import calibrated
from topicfactors.model.likelihoods import LIKELIHOODS

SHORT = planted(documents=300, length=12)


def bursty(documents=400, seed=0):
    """Planted factors, but each word that is drawn comes three times: too sure by design."""
    once = planted(documents=documents, length=16, seed=seed)
    return once._replace(counts=once.counts * 3)


@pytest.fixture(scope="module")
def exact():
    return model(inference="exact", max_iter=15, validation_fraction=0.0).fit(SHORT.counts)


@pytest.fixture(scope="module")
def sure():
    """A model of bursts as if each word were drawn by itself."""
    corpus = bursty()
    return model(inference="exact", max_iter=10, length_tempering="auto").fit(corpus.counts)


def on_the_diagonal(found, errors=4.0):
    """Is every bin of 30 pairs or more within so many standard errors?"""
    bins = zip(found.predicted, found.observed, found.standard_error, found.pairs, strict=True)
    return all(abs(p - o) < errors * e + 2e-3 for p, o, e, n in bins if n >= 30)


class TestSimulated:
    @pytest.mark.parametrize("likelihood", sorted(LIKELIHOODS))
    def test_exact_inference_is_calibrated(self, likelihood):
        options = {"likelihood": likelihood, "inference": "exact", "max_iter": 5}
        made = model(**options).fit(SHORT.counts)
        lengths = None if likelihood != "poisson" else SHORT.counts
        found = made.calibration(lengths, how="simulated", n_documents=300, random_state=1)
        assert (found.how, found.documents, sum(found.pairs)) == ("simulated", 300, 1200)
        assert on_the_diagonal(found)
        assert found.log_loss < found.base_log_loss

    def test_an_inference_that_is_wrong_shows(self, exact):
        """The same documents, with words believed thrice; and what a raw encoder says of them."""
        with seeded(0, torch.device("cpu")):
            known, truth = exact._drawn_documents(None, 800, np.random.default_rng(0))
        right = calibrated(exact.transform(known), truth)
        wrong = calibrated(exact.transform(known * 3), truth)
        assert on_the_diagonal(right)
        assert not on_the_diagonal(wrong)
        assert wrong.expected_calibration_error > 2 * right.expected_calibration_error
        assert wrong.log_loss > right.log_loss

    def test_refining_a_poor_guess_mends_the_curve(self):
        options = {"inference": "gumbel-softmax", "max_iter": 40, "validation_fraction": 0.0}
        made = model(**options).fit(SHORT.counts)
        asked = {"how": "simulated", "n_documents": 600, "random_state": 0}
        guess = made.calibration(refine=0, **asked)
        summed = made.calibration(refine="exact", **asked)
        assert on_the_diagonal(summed)
        assert guess.expected_calibration_error > 1.5 * summed.expected_calibration_error
        assert guess.log_loss > summed.log_loss + 0.03

    def test_lengths_are_those_of_the_documents(self, exact):
        lengths = np.asarray(SHORT.counts.sum(1)).ravel()
        known, _ = exact._drawn_documents(
            exact._observed(SHORT.counts), None, np.random.default_rng(0)
        )
        assert np.asarray(known.sum(1)).ravel().tolist() == lengths.tolist()
        sharp = exact.calibration(SHORT.counts * 6, how="simulated", random_state=0)
        blunt = exact.calibration(SHORT.counts, how="simulated", random_state=0)
        assert sharp.log_loss < blunt.log_loss

    def test_the_seed_decides(self, exact):
        asked = {"n_documents": 50}
        first = exact.calibration(random_state=3, **asked)
        assert first == exact.calibration(random_state=3, **asked)
        assert first != exact.calibration(random_state=4, **asked)

    def test_continuous_layers_cannot_be_simulated(self):
        options = {"inference": "gumbel-softmax", "continuous_layers": "1:width=4", "max_iter": 1}
        made = model(**options).fit(SHORT.counts)
        with pytest.raises(ConfigurationError, match="how='simulated' needs"):
            made.calibration()
        assert made.calibration(SHORT.counts).documents == 300


class TestHeldOut:
    def test_the_half_is_judged_by_the_whole(self, exact):
        found = exact.calibration(SHORT.counts)
        seen, _ = halves(SHORT.counts)
        by_hand = calibrated(exact.transform(seen), exact.transform(SHORT.counts))
        assert found.how == "held-out"
        assert found.predicted == pytest.approx(by_hand.predicted)
        assert found.observed == pytest.approx(by_hand.observed)

    def test_documents_of_one_token_have_no_half(self, exact):
        single = scipy.sparse.csr_matrix(np.eye(3, SHORT.counts.shape[1]))
        both = scipy.sparse.vstack([single, SHORT.counts[:20]]).tocsr()
        assert exact.calibration(both) == exact.calibration(SHORT.counts[:20])
        with pytest.raises(InputError, match=r"how='held-out' hides half .* none of the 3"):
            exact.calibration(single)
        with pytest.raises(InputError, match=r"got 0\.5 in row"):
            exact.calibration(SHORT.counts / 2)

    def test_so_many_documents_are_drawn(self, exact):
        found = exact.calibration(SHORT.counts, n_documents=40, random_state=0)
        assert found.documents == 40

    def test_without_documents_there_are_no_words(self, exact):
        with pytest.raises(InputError, match="needs documents"):
            exact.calibration(how="held-out")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"how": "simulate"}, "did you mean 'simulated'"),
        ({"by": "widths"}, "did you mean 'width'"),
        ({"bins": 0}, "bins must be"),
        ({"n_documents": 0.5}, "n_documents must be"),
    ],
)
def test_mistakes_are_refused(exact, asked, said):
    with pytest.raises(ConfigurationError, match=said):
        exact.calibration(**asked)


class TestTempering:
    def test_bursts_are_found_and_the_curve_is_better_for_it(self, sure):
        assert sure.length_tempering_ in (2.0, 3.0, 4.0, 6.0)
        others = bursty(seed=1).counts
        tempered = sure.calibration(others)
        assert tempered.length_tempering == sure.length_tempering_
        sure.set_params(length_tempering=None)
        plain = sure.calibration(others)
        sure.set_params(length_tempering="auto")
        assert tempered.log_loss < plain.log_loss
        assert tempered.expected_calibration_error < plain.expected_calibration_error

    def test_what_is_true_of_independent_words_is_left_alone(self):
        corpus = planted(documents=400, length=16)
        made = model(inference="exact", max_iter=10, length_tempering="auto").fit(corpus.counts)
        assert made.length_tempering_ is None
        np.testing.assert_array_equal(
            made.transform(corpus.counts),
            made.set_params(length_tempering=None).transform(corpus.counts),
        )

    def test_every_posterior_reads_the_evidence_and_scores_the_counts(self, exact):
        counts = SHORT.counts[:30] * 4
        n = np.asarray(counts.sum(1))
        evidence = scipy.sparse.csr_matrix(counts.multiply(np.minimum(1, 3 / np.sqrt(n))))
        reads = {
            "transform": lambda X: exact.transform(X),
            "states": lambda X: exact.states(X).probabilities,
            "pairwise": lambda X: exact.pairwise(X),
            "entropy": lambda X: exact.entropy(X),
            "explain": lambda X: [e.factors[0].log_odds for e in exact.explain(X)],
            "samples": lambda X: exact.posterior_samples(X, 200, random_state=0).mean(1),
        }
        wanted = {name: read(evidence) for name, read in reads.items()}
        score = exact.score_samples(counts)
        exact.set_params(length_tempering=3)
        try:
            for name, read in reads.items():
                tolerance = 0.2 if name == "samples" else 1e-4  # other documents, other noise
                assert np.asarray(read(counts)) == pytest.approx(
                    np.asarray(wanted[name]), rel=1e-4, abs=tolerance
                ), name
            assert exact.score_samples(counts) == pytest.approx(score)
            found = exact.explain(counts[:1])[0]
        finally:
            exact.set_params(length_tempering=None)
        assert found.tokens == n[0, 0]
        words = {word.word: word.tokens for word in found.factors[0].words}
        assert words == {str(v): x for v, x in zip(counts[0].indices, counts[0].data, strict=True)}

    def test_responses_are_expected_under_the_same_posterior(self):
        answers = SHORT.truth[:, 0] * 2.0
        made = model(inference="exact", max_iter=5, length_tempering=2.0)
        made.fit(SHORT.counts, response=answers)
        told = made.transform(SHORT.counts) @ made.response_coef_ + made.response_intercept_
        assert made.predict_response(SHORT.counts) == pytest.approx(told, abs=1e-4)

    def test_it_is_saved(self, sure, tmp_path):
        save(sure, tmp_path / "model")
        again = load(tmp_path / "model")
        assert again.length_tempering_ == sure.length_tempering_
        np.testing.assert_array_equal(again.transform(SHORT.counts), sure.transform(SHORT.counts))

    def test_whole_numbers_are_not_cut_off(self):
        counts = SHORT.counts.astype(np.int32)
        made = model(inference="exact", max_iter=5, length_tempering=2.0).fit(counts)
        assert made.transform(counts) == pytest.approx(
            made.transform(counts.astype(float)), abs=1e-6
        )

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            ({"length_tempering": 0}, "None, 'auto' or a number above 0"),
            ({"length_tempering": "automatic"}, "None, 'auto' or a number above 0"),
            ({"length_tempering": 4, "likelihood": "bernoulli"}, "presence alone; leave it out"),
        ],
    )
    def test_mistakes_are_refused_before_training(self, asked, said):
        with pytest.raises(ConfigurationError, match=said):
            model(**asked).fit(SHORT.counts)

    def test_auto_needs_whole_counts_and_all_documents(self, exact):
        auto = BinaryFactorModel(2, length_tempering="auto")
        with pytest.raises(InputError, match="length_tempering='auto' hides half"):
            auto.fit(SHORT.counts * 0.5)
        with pytest.raises(ConfigurationError, match="which partial_fit is not"):
            auto.partial_fit(SHORT.counts)
        exact.set_params(length_tempering="auto")
        try:
            with pytest.raises(ConfigurationError, match="is chosen by fit; fit again"):
                exact.transform(SHORT.counts)
        finally:
            exact.set_params(length_tempering=None)

    def test_an_automatic_number_of_factors_is_tempered_once(self):
        made = model("auto:most=4", max_iter=4, length_tempering="auto")
        with pytest.warns(FitWarning, match="at the most it may try"):
            made.fit(bursty().counts)
        assert made.length_tempering_ is not None
