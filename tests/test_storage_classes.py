"""Saved mixtures and classifiers: the same bits, what they know of their fit, and damage."""

from functools import partial

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sklearn.pipeline import make_pipeline

from tests.test_storage import TEXTS, change_config, refused
from topicfactors import (
    ConfigurationError,
    DocumentVectorizer,
    MixtureModel,
    SemiSupervisedClassifier,
    explain,
    load,
    save,
)
from topicfactors.gradients.categorical import CategoricalGumbelSoftmax
from topicfactors.gradients.nvil import NVIL
from topicfactors.model.likelihoods import Polya
from topicfactors.training.tempering import Unit

VECTORIZER = DocumentVectorizer(min_df=1, max_df=1.0)
COUNTS = VECTORIZER.fit_transform(TEXTS)
CLASSES = np.array(["steam", "clock", "bread"])[np.arange(40) % 3]
FEW = [str(name) if row < 9 else None for row, name in enumerate(CLASSES)]
OWN = {"device": "cpu", "n_jobs": 1, "random_state": 0}
FITTED = (
    *("history_", "held_out_", "status_", "n_iter_", "best_iter_", "stopped_", "n_documents_"),
    *("inference_", "init_", "converged_", "objective_value_"),
)
ARRAYS = (
    *("word_totals_", "document_frequency_", "prevalence_", "posterior_variance_"),
    *("covariate_information_", "components_", "weights_", "feature_names_in_"),
)


def mixture(**options):
    return MixtureModel(**{"n_components": 3, "max_iter": 3, "n_init": 2, **OWN, **options})


def classifier(**options):
    quick = {"smoothing": 0.3, "unlabelled_weight": 0.3, "discriminative_weight": 1.0}
    return SemiSupervisedClassifier(**{"max_iter": 3, "calibrate": False} | quick | OWN | options)


def again(model, folder):
    """The model loaded, which knows what the saved one knows, and saves to the same bytes."""
    save(model, folder / "model")
    after = load(folder / "model")
    assert type(after) is type(model)
    for name in FITTED:
        assert getattr(after, name) == getattr(model, name), name
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(after, name), getattr(model, name), name)
    save(after, folder / "again")
    for path in (folder / "model").iterdir():
        assert path.read_bytes() == (folder / "again" / path.name).read_bytes()
    return after


class TestMixture:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"inference": "exact", "likelihood": "polya", "validation_fraction": 0.2},
            {"inference": partial(CategoricalGumbelSoftmax, samples=2), "encoder": "bag-of-words"},
            {"likelihood": Polya, "decoder": "mlp:width=4"},
            {"likelihood": "bernoulli", "init": "random"},
            {"tempering": partial(Unit, norm=2.0), "n_components": np.int64(2)},
        ],
    )
    def test_predicts_bit_for_bit_the_same(self, tmp_path, options):
        before = mixture(**options).fit(COUNTS)
        after = again(before, tmp_path)
        np.testing.assert_array_equal(after.predict_proba(COUNTS), before.predict_proba(COUNTS))
        np.testing.assert_array_equal(after.score_samples(COUNTS), before.score_samples(COUNTS))
        assert after.top_words(4) == before.top_words(4)
        assert after.reseeded_ == before.reseeded_
        assert after.bic(COUNTS) == before.bic(COUNTS)
        assert after.evaluate(COUNTS) == before.evaluate(COUNTS)

    def test_a_tempering_of_options_is_spelt(self, tmp_path):
        after = again(mixture(tempering=partial(Unit, norm=2.0)).fit(COUNTS), tmp_path)
        assert after.tempering_ == after.tempering == "unit:norm=2.0"
        (tmp_path / "auto").mkdir()
        assert again(mixture().fit(COUNTS), tmp_path / "auto").tempering_ == "length"

    def test_covariates_are_kept(self, tmp_path):
        known = {"year": list(range(40)), "place": ["mill", "hall"] * 20}
        before = mixture(covariates=["year:spline", "place:both"])
        before.fit(COUNTS, covariates=known)
        after = again(before, tmp_path)
        np.testing.assert_array_equal(
            after.predict_proba(COUNTS, covariates=known),
            before.predict_proba(COUNTS, covariates=known),
        )
        assert after.effects() == before.effects()

    @pytest.mark.parametrize("inference", ["em", "exact"])
    @pytest.mark.parametrize("family", ["gaussian", "poisson"])
    def test_responses_are_kept(self, tmp_path, inference, family):
        before = mixture(inference=inference, response=family)
        before.fit(COUNTS, response=np.arange(40) % 3 + 1.0)
        after = again(before, tmp_path)
        np.testing.assert_array_equal(after.response_means_, before.response_means_)
        np.testing.assert_array_equal(after.response_deviations_, before.response_deviations_)
        np.testing.assert_array_equal(
            after.predict_response(COUNTS), before.predict_response(COUNTS)
        )

    def test_a_loaded_one_is_fitted_to_other_words(self, tmp_path):
        after = again(mixture().fit(COUNTS), tmp_path)
        after.fit(np.random.default_rng(0).poisson(1.0, (30, 5)))
        assert after.components_.shape == (3, 5)

    def test_what_auto_meant_is_kept(self, tmp_path):
        save(mixture(inference="gumbel-softmax").fit(COUNTS), tmp_path / "model")
        change_config(
            tmp_path / "model",
            lambda config: config["steps"][0]["parameters"].update(inference="auto"),
        )
        assert hasattr(load(tmp_path / "model").objective_, "posterior")

    def test_a_start_of_ones_own_is_refused(self, tmp_path):
        def thirds(counts, components, seed):
            return np.arange(counts.shape[0]) % components

        with pytest.raises(ConfigurationError, match=r"init=.*a file cannot hold"):
            save(mixture(init=thirds).fit(COUNTS), tmp_path / "model")
        assert list(tmp_path.iterdir()) == []


class TestClassifier:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"discriminative_weight": 0.0},
            {"components_per_class": 2, "likelihood": "polya"},
            {"n_factors": 2},
            {"n_factors": 2, "inference": partial(NVIL, samples=2), "encoder": "bag-of-words"},
            {"n_factors": 9, "discriminative_weight": 0.0},
            {"class_prior": np.array([0.2, 0.3, 0.5]), "calibrate": True},
        ],
    )
    def test_predicts_bit_for_bit_the_same(self, tmp_path, options):
        before = classifier(**options).fit(COUNTS, FEW)
        after = again(before, tmp_path)
        np.testing.assert_array_equal(after.predict(COUNTS), before.predict(COUNTS))
        np.testing.assert_array_equal(after.predict_proba(COUNTS), before.predict_proba(COUNTS))
        np.testing.assert_array_equal(after.score_samples(COUNTS), before.score_samples(COUNTS))
        np.testing.assert_array_equal(after.class_of_component_, before.class_of_component_)
        assert after.top_words_of_classes(4) == before.top_words_of_classes(4)
        assert after.factor_names_ == before.factor_names_
        for name in ("chosen_", "cross_validation_", "temperature_", "reliability_", "tempering_"):
            assert getattr(after, name) == getattr(before, name)

    def test_what_was_tried_is_kept(self, tmp_path):
        labels = [str(name) if row < 18 else None for row, name in enumerate(CLASSES)]
        options = {"tempering": partial(Unit, norm=1.5), "smoothing": "auto"}
        before = classifier(calibrate=True, **options).fit(COUNTS, labels)
        after = again(before, tmp_path)
        assert len(after.cross_validation_) == 3
        assert after.cross_validation_[0].setting.tempering == "unit:norm=1.5"
        assert [t.log_loss for t in after.cross_validation_] == [
            t.log_loss for t in before.cross_validation_
        ]
        assert after.reliability_ == before.reliability_ is not None
        assert after.temperature_ == before.temperature_ != 1.0
        np.testing.assert_array_equal(after.predict_proba(COUNTS), before.predict_proba(COUNTS))

    @pytest.mark.parametrize(
        "kinds", [[0, 1, 2], [1.0, 2.0, 3.0], [True, False, True], ["a", "b", "é 1"]]
    )
    def test_classes_keep_their_type(self, tmp_path, kinds):
        labels = [kinds[row % 3] if row < 9 else None for row in range(40)]
        if isinstance(kinds[0], float):
            labels = np.array([kinds[row % 3] for row in range(40)], dtype=object)
        before = classifier().fit(COUNTS, labels)
        after = again(before, tmp_path)
        assert after.classes_.tolist() == before.classes_.tolist()
        assert after.classes_.dtype == before.classes_.dtype
        assert [type(label) for label in after.predict(COUNTS).tolist()] == [
            type(label) for label in before.predict(COUNTS).tolist()
        ]

    def test_classes_that_a_file_cannot_hold(self, tmp_path):
        made = classifier().fit(COUNTS, np.arange(40) % 2)
        made.classes_ = np.array(["2024-01-01", "2024-01-02"], "datetime64[D]")
        with pytest.raises(ConfigurationError, match="fit with the labels as strings"):
            save(made, tmp_path / "model")

    def test_a_class_prior_becomes_a_list(self, tmp_path):
        before = classifier(class_prior=np.array([0.2, 0.3, 0.5]), callbacks=[lambda epoch: None])
        after = again(before.fit(COUNTS, FEW), tmp_path)
        assert after.class_prior == after.class_prior_ == [0.2, 0.3, 0.5]
        (tmp_path / "auto").mkdir()
        assert again(classifier().fit(COUNTS, FEW), tmp_path / "auto").class_prior_ == "balanced"
        assert after.callbacks is None

    def test_the_pupil_is_in_double_precision(self, tmp_path):
        after = again(classifier().fit(COUNTS, FEW), tmp_path)
        assert after.objective_.recognition.weight.dtype == torch.float64
        (tmp_path / "none").mkdir()
        none = again(classifier(discriminative_weight=0).fit(COUNTS, FEW), tmp_path / "none")
        assert none.objective_.recognition is None

    def test_a_loaded_one_learns_other_classes(self, tmp_path):
        after = again(classifier().fit(COUNTS, FEW), tmp_path)
        after.fit(COUNTS, np.arange(40) % 2)
        assert after.predict(COUNTS).dtype.kind == "i"


class TestDamage:
    @pytest.fixture
    def saved(self, tmp_path):
        save(classifier().fit(COUNTS, FEW), tmp_path / "model")
        return tmp_path / "model"

    @pytest.mark.parametrize(
        "name",
        [
            *("tempering", "classes", "chosen", "cross_validation", "temperature", "reliability"),
            *("converged", "components", "factors", "history", "covariates"),
        ],
    )
    def test_a_missing_fact(self, saved, name):
        change_config(saved, lambda config: config["steps"][0]["fitted"].pop(name))
        assert "damaged" in refused(saved)

    @pytest.mark.parametrize(
        "changed",
        [
            {"components": 4},
            {"classes": {"type": "str", "values": ["a", "b"]}},
            {"classes": {"type": "object", "values": ["a", "b", "c"]}},
            {"classes": {"type": "int64", "values": ["a", "b", "c"]}},
            {"tempering": "unti"},
            {"cross_validation": [1]},
            {"temperature": "warm"},
            {"documents": None},
            {"factors": 3},
        ],
    )
    def test_a_wrong_fact(self, saved, changed):
        change_config(saved, lambda config: config["steps"][0]["fitted"].update(changed))
        refused(saved)

    @pytest.mark.parametrize(
        "name", ["objective.recognition.weight", "word_totals_", "objective.joint.decoder.bias"]
    )
    def test_a_missing_tensor(self, saved, name):
        tensors = load_file(saved / "weights.safetensors")
        del tensors[name]
        save_file(tensors, saved / "weights.safetensors")
        assert "weights.safetensors" in refused(saved) or "damaged" in refused(saved)

    def test_weights_of_another_model(self, saved, tmp_path):
        save(mixture(n_components=5).fit(COUNTS), tmp_path / "other")
        (tmp_path / "other" / "weights.safetensors").replace(saved / "weights.safetensors")
        assert "of another model" in refused(saved)


class TestPipelines:
    @pytest.mark.parametrize("model", [mixture(), classifier()], ids=["mixture", "classifier"])
    def test_texts_are_explained_after_loading(self, tmp_path, model):
        pipeline = make_pipeline(DocumentVectorizer(min_df=1, max_df=1.0), model)
        pipeline.fit(TEXTS, FEW)
        save(pipeline, tmp_path / "run" / "model")
        after = load(tmp_path / "run")
        found = explain(after, "steam engine, and an elephant")
        assert found == explain(pipeline, "steam engine, and an elephant")
        assert found.unknown == ["elephant"]
        assert found.tokens == 2
        assert found.noun == model._noun
        assert {word.word for word in found.factors[0].words} == {"steam", "engine"}
        np.testing.assert_array_equal(after.predict(TEXTS), pipeline.predict(TEXTS))
        with pytest.raises(ConfigurationError, match="refine is for the search of a Binary") as no:
            explain(after, "steam", refine=5)
        assert "\n" not in str(no.value)

    def test_covariates_of_a_text(self):
        known = {"year": np.arange(40) * 1.0}
        model = mixture(covariates="year").fit(COUNTS, covariates=known)
        pipeline = make_pipeline(VECTORIZER, model)
        early, late = (
            explain(pipeline, "clock dial", covariates={"year": year}) for year in (0.0, 39.0)
        )
        assert early.factors[0].prior != late.factors[0].prior
