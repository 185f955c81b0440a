"""A saved model is the model: same numbers, no code, and one clear line when it is damaged."""

import json
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import spacy
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from topicfactors import BinaryFactorModel, CorpusWarning, DocumentVectorizer, load, save
from topicfactors.errors import ConfigurationError, InputError, StorageError, TopicFactorsError
from topicfactors.gradients.nvil import NVIL

THEMES = ["steam engine piston boiler valve", "clock pendulum spring dial", "bread flour oven"]
TEXTS = [f"{THEMES[n % 3]} {THEMES[n % 3]} {THEMES[(n // 3) % 3]}" for n in range(40)]


def fitted(**options):
    model = BinaryFactorModel(
        **{"n_components": 2, "max_iter": 2, "n_jobs": 1, "random_state": 0, **options}
    )
    pipeline = make_pipeline(DocumentVectorizer(min_df=1, max_df=1.0), model)
    return pipeline.fit(TEXTS)


@pytest.fixture(scope="module")
def pipeline():
    return fitted()


@pytest.fixture
def saved(pipeline, tmp_path):
    save(pipeline, tmp_path / "model")
    return tmp_path / "model"


def refused(folder):
    """The one line with which a damaged folder is refused."""
    with pytest.raises(StorageError) as caught:
        load(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def change_config(folder, change):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    change(config)
    path.write_text(json.dumps(config), encoding="utf-8")


class TestRoundTrip:
    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"n_components": 12},
            {"inference": "gumbel-softmax:end=0.3", "decoder": "mlp", "n_components": 3},
            {"inference": partial(NVIL, samples=3), "encoder": "bag-of-words:width=16"},
            {"inference": "dvae", "prior": "bernoulli:learnt=false,probability=0.2"},
            {"decoder": "log-linear:nonnegative=true", "init": "random", "overlap_penalty": 1.0},
            {"validation_fraction": 0.3, "n_components": np.int64(2), "random_state": np.int64(3)},
            {"random_state": np.random.RandomState(0), "callbacks": [lambda epoch: None]},
        ],
    )
    def test_a_pipeline_gives_the_same_numbers(self, tmp_path, options):
        before = fitted(**options)
        save(before, tmp_path / "model")
        after = load(tmp_path / "model")
        assert isinstance(after, Pipeline)
        assert list(after.named_steps) == list(before.named_steps)
        np.testing.assert_array_equal(before.transform(TEXTS), after.transform(TEXTS))
        first, second = before[-1], after[-1]
        assert first.top_words(5) == second.top_words(5)
        for name in ("components_", "intercept_", "prior_", "topic_word_", "feature_names_in_"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
        for name in ("history_", "held_out_", "status_", "n_iter_", "best_iter_", "stopped_"):
            assert getattr(first, name) == getattr(second, name)
        counts = before[0].transform(TEXTS)
        assert first.score(counts) == second.score(counts)
        assert first.perplexity(counts) == second.perplexity(counts)
        assert first.inference_ == second.inference_
        assert first.init_ == second.init_

    def test_a_loaded_pipeline_saves_to_the_same_bytes(self, saved, tmp_path):
        save(load(saved), tmp_path / "again")
        for name in ("config.json", "weights.safetensors", "vocabulary.txt"):
            assert (saved / name).read_bytes() == (tmp_path / "again" / name).read_bytes()

    def test_a_model_alone_keeps_the_names_of_its_columns(self, pipeline, tmp_path):
        model = pipeline[-1]
        save(model, tmp_path / "model")
        after = load(tmp_path / "model")
        assert isinstance(after, BinaryFactorModel)
        assert after.top_words() == model.top_words()
        counts = pipeline[0].transform(TEXTS)
        np.testing.assert_array_equal(model.transform(counts), after.transform(counts))
        with pytest.raises(InputError):
            after.transform(counts[:, 1:])

    def test_a_model_of_columns_without_names(self, tmp_path):
        counts = np.random.default_rng(0).poisson(1.0, (30, 7))
        model = BinaryFactorModel(2, max_iter=2, random_state=0).fit(counts)
        save(model, tmp_path / "model")
        assert not (tmp_path / "model" / "vocabulary.txt").exists()
        after = load(tmp_path / "model")
        np.testing.assert_array_equal(model.transform(counts), after.transform(counts))
        assert after.top_words(2) == model.top_words(2)

    @pytest.mark.parametrize("stop", ["language", None, {"steam", "Dial"}, ("steam",)])
    def test_a_vectorizer_alone(self, tmp_path, stop):
        before = DocumentVectorizer(
            stop_words=stop, min_df=np.int64(1), max_df=np.float64(1.0), letters_only=False
        ).fit([*TEXTS, "Škoda 東京 \u2028 1712 $"])
        save(before, tmp_path / "model")
        after = load(tmp_path / "model")
        assert isinstance(after, DocumentVectorizer)
        assert after.vocabulary_ == before.vocabulary_
        assert (before.transform(TEXTS) != after.transform(TEXTS)).nnz == 0
        assert after.rules() == before.rules()
        assert not (tmp_path / "model" / "weights.safetensors").exists()

    def test_a_loaded_model_goes_on_learning(self, saved):
        pipeline = load(saved)
        model, counts = pipeline[-1], pipeline[0].transform(TEXTS)
        before = model.components_.copy()
        epochs = model.n_iter_
        model.partial_fit(counts)
        assert model.n_iter_ == epochs + 1
        assert not np.array_equal(before, model.components_)
        assert np.isfinite(model.score(counts))
        pipeline.fit(TEXTS)

    def test_parameters_survive(self, saved, pipeline):
        before, after = pipeline.get_params(), load(saved).get_params()
        plain = {name: value for name, value in before.items() if "__" in name}
        assert {name: after[name] for name in plain} == plain

    def test_training_state_is_no_part_of_it(self, saved):
        model = load(saved)[-1]
        assert model.callbacks is None
        assert next(model.objective_.parameters()).device.type == "cpu"

    def test_another_process_gives_the_same_numbers(self, saved, pipeline, tmp_path):
        code = (
            "import sys, numpy; from topicfactors import load; "
            "numpy.save(sys.argv[2], load(sys.argv[1]).transform(['steam engine', 'bread oven']))"
        )
        out = tmp_path / "z.npy"
        subprocess.run([sys.executable, "-c", code, saved, out], check=True)
        expected = pipeline.transform(["steam engine", "bread oven"])
        np.testing.assert_allclose(np.load(out), expected, rtol=1e-6)


class TestFolder:
    def test_it_holds_numbers_and_settings_and_no_code(self, saved):
        names = sorted(path.name for path in saved.iterdir())
        assert names == ["config.json", "vocabulary.txt", "weights.safetensors"]
        config = json.loads((saved / "config.json").read_text(encoding="utf-8"))
        assert config["format"] == 1
        with safe_open(saved / "weights.safetensors", framework="pt") as source:
            assert all(torch.isfinite(source.get_tensor(name)).all() for name in source.keys())  # noqa: SIM118
        for path in saved.iterdir():
            with pytest.raises(Exception):  # noqa: B017 - whatever pickle says of such bytes
                pickle.loads(path.read_bytes())

    def test_it_holds_no_training_texts(self, saved):
        data = b"".join(path.read_bytes() for path in saved.iterdir())
        assert TEXTS[0].encode() not in data

    def test_an_existing_folder_is_kept_unless_overwrite(self, saved, pipeline):
        before = (saved / "config.json").read_bytes()
        with pytest.raises(StorageError, match="exists and is kept"):
            save(pipeline, saved)
        assert (saved / "config.json").read_bytes() == before
        save(pipeline[0], saved, overwrite=True)
        assert isinstance(load(saved), DocumentVectorizer)
        assert [path.name for path in saved.parent.iterdir()] == ["model"]

    def test_a_folder_of_something_else_is_kept_even_with_overwrite(self, tmp_path, pipeline):
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter1.txt").write_text("years")
        with pytest.raises(StorageError, match="holds something else"):
            save(pipeline, tmp_path / "thesis", overwrite=True)
        assert (tmp_path / "thesis" / "chapter1.txt").exists()

    def test_parents_are_made(self, pipeline, tmp_path):
        save(pipeline, tmp_path / "a" / "b")
        load(str(tmp_path / "a" / "b"))


class TestRefusedToSave:
    def check(self, model, folder, match):
        with pytest.raises(ConfigurationError, match=match):
            save(model, folder / "model")
        assert list(folder.iterdir()) == []

    def test_a_constructor_of_ones_own(self, tmp_path):
        class Mine(NVIL):
            pass

        model = fitted(inference=Mine)[-1]
        self.check(model, tmp_path, r"inference=.*a file cannot hold; use one of .*dvae, exact")

    def test_a_foreign_step(self, tmp_path):
        steps = make_pipeline(DocumentVectorizer(max_df=1.0), FunctionTransformer()).fit(TEXTS)
        self.check(steps, tmp_path, r"'functiontransformer' \(FunctionTransformer\).*use joblib")

    @pytest.mark.parametrize("thing", [None, 5, "model"])
    def test_another_object(self, tmp_path, thing):
        self.check(thing, tmp_path, "it holds DocumentVectorizer, BinaryFactorModel")

    @pytest.mark.parametrize("word", ["two\nlines", "carriage\rreturn"])
    def test_a_word_with_a_line_break(self, tmp_path, word):
        counts = np.random.default_rng(0).poisson(1.0, (20, 2))
        model = BinaryFactorModel(2, max_iter=1, random_state=0)
        model.fit(counts, feature_names=["steam", word])
        self.check(model, tmp_path, "has a line break")

    def test_what_is_not_fitted(self, tmp_path):
        for thing in (
            BinaryFactorModel(2),
            DocumentVectorizer(),
            make_pipeline(BinaryFactorModel()),
        ):
            with pytest.raises(ValueError, match="not fitted"):
                save(thing, tmp_path / "model")
        assert list(tmp_path.iterdir()) == []


class TestRefusedToLoad:
    def test_nothing_there(self, tmp_path):
        assert "no model here (config.json is missing)" in refused(tmp_path / "nothing")
        assert "no model here (config.json is missing)" in refused(tmp_path)

    def test_a_file(self, tmp_path):
        (tmp_path / "model").write_text("x")
        refused(tmp_path / "model")

    @pytest.mark.parametrize(
        "data",
        [
            *(b"", b"{", b"\xff\xfe\x00", b"[]", b"3", b"null", b"{}", b"[" * 100_000),
            *(b'{"format": 1}', b'{"format": 1, "steps": []}', b'{"format": "1", "steps": [1]}'),
        ],
    )
    def test_a_config_of_something_else(self, saved, data):
        (saved / "config.json").write_bytes(data)
        assert "config.json" in refused(saved)

    def test_a_newer_format_asks_for_an_upgrade(self, saved):
        change_config(saved, lambda config: config.update(format=2, topicfactors="9.9"))
        message = refused(saved)
        assert "format 2, written by topicfactors 9.9" in message
        assert "pip install --upgrade topicfactors" in message

    @pytest.mark.parametrize(
        "change",
        [
            lambda c: c.update(steps=[5]),
            lambda c: c.update(steps=["a"]),
            lambda c: c.update(steps=[{}]),
            lambda c: c["steps"][0].pop("fitted"),
            lambda c: c["steps"][0].update(fitted=None),
            lambda c: c["steps"][0].update(parameters={"unheard": 1}),
            lambda c: c["steps"][1].update({"class": "Unheard"}),
            lambda c: c["steps"][1].update({"class": ["list"]}),
            lambda c: c["steps"][1].pop("parameters"),
            lambda c: c["steps"][1].update(parameters=[1]),
            lambda c: c["steps"][1]["parameters"].update(inference="unheard"),
            lambda c: c["steps"][1]["parameters"].update(decoder="mlp"),
            lambda c: c["steps"][1]["fitted"].update(words=10_000_000),
            lambda c: c["steps"][1]["fitted"].update(factors=3),
            lambda c: c["steps"][1]["fitted"].update(history=[[1]]),
            lambda c: c["steps"][1]["fitted"].update(history=5),
            lambda c: c["steps"][1]["fitted"].update(held_out=[[]]),
            lambda c: c["steps"][1]["fitted"].pop("status"),
        ],
    )
    def test_a_damaged_config(self, saved, change):
        change_config(saved, change)
        refused(saved)

    def test_without_weights(self, saved):
        (saved / "weights.safetensors").unlink()
        assert "weights.safetensors" in refused(saved)

    @pytest.mark.parametrize("keep", [0, 5, 100, -1])
    def test_truncated_weights(self, saved, keep):
        path = saved / "weights.safetensors"
        path.write_bytes(path.read_bytes()[:keep])
        assert "weights.safetensors" in refused(saved)

    def test_corrupt_weights(self, saved):
        (saved / "weights.safetensors").write_bytes(b"\x80" * 1000)
        assert "weights.safetensors" in refused(saved)

    def test_weights_of_another_model(self, saved, tmp_path):
        save(fitted(n_components=3), tmp_path / "other")
        data = (tmp_path / "other" / "weights.safetensors").read_bytes()
        (saved / "weights.safetensors").write_bytes(data)
        assert "of another model" in refused(saved)

    def test_without_a_vocabulary(self, saved):
        (saved / "vocabulary.txt").unlink()
        assert "vocabulary.txt is missing" in refused(saved)

    @pytest.mark.parametrize("keep", [0, 20, -1])
    @pytest.mark.parametrize("alone", [True, False])
    def test_a_truncated_vocabulary(self, pipeline, tmp_path, keep, alone):
        save(pipeline[0] if alone else pipeline, tmp_path / "model")
        path = tmp_path / "model" / "vocabulary.txt"
        path.write_bytes(path.read_bytes()[:keep])
        assert "vocabulary.txt" in refused(tmp_path / "model")

    @pytest.mark.parametrize("alone", [True, False])
    def test_a_vocabulary_of_fewer_or_doubled_words(self, pipeline, tmp_path, alone):
        save(pipeline[0] if alone else pipeline, tmp_path / "model")
        path = tmp_path / "model" / "vocabulary.txt"
        lines = path.read_text().splitlines(keepends=True)
        for changed in (lines[1:], [*lines, "more\n"], [lines[0], *lines[:-1]]):
            path.write_text("".join(changed))
            assert "vocabulary.txt" in refused(tmp_path / "model")

    def test_a_vocabulary_that_is_no_utf8(self, saved):
        (saved / "vocabulary.txt").write_bytes(b"caf\xe9\n")
        assert "vocabulary.txt: cannot be read" in refused(saved)


def outcome(folder):
    try:
        load(folder)
    except TopicFactorsError as error:
        return str(error)
    return ""


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_damaged_byte_of_the_config_is_refused_or_harmless(saved, data):
    path = saved / "config.json"
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    try:
        path.write_bytes(whole[:place] + data.draw(st.binary(max_size=2)) + whole[place + 1 :])
        message = outcome(saved)
    finally:
        path.write_bytes(whole)
    assert "\n" not in message


def test_a_loaded_pipeline_warns_of_empty_rows_like_the_first(saved):
    with pytest.warns(CorpusWarning, match="row 1"):
        assert load(saved).transform(["steam engine", None]).shape == (2, 2)


class TestTokens:
    """What a vectorizer does with texts is the same after saving and loading."""

    def same(self, before, folder):
        save(before, folder)
        after = load(folder)
        found = [*TEXTS, "Mice see 1712 engines at example.org, steam engine"]
        assert list(after.tokenize(found)) == list(before.tokenize(found))
        assert (after.transform(found) != before.transform(found)).nnz == 0
        assert after.rules() == before.rules()
        return after

    @pytest.mark.parametrize(
        "options",
        [
            {"numbers": "fold", "urls": "keep", "strict": True},
            {"lemmatize": True, "language": "en"},
            {"token_pattern": r"(?:\w|')+", "lowercase": False},
        ],
    )
    def test_parameters(self, tmp_path, options):
        before = DocumentVectorizer(min_df=1, max_df=1.0, **options).fit(TEXTS)
        after = self.same(before, tmp_path / "model")
        assert after.get_params() == before.get_params()
        assert after.phrases_ == {}
        assert not (tmp_path / "model" / "phrases.json").exists()

    @pytest.fixture
    def phrased(self, tmp_path):
        options = {"phrases": True, "phrase_min_count": 3, "phrase_threshold": 0.1}
        before = DocumentVectorizer(min_df=1, max_df=1.0, **options).fit(TEXTS)
        assert "steam_engine" in before.phrases_
        after = self.same(before, tmp_path / "model")
        assert after.phrases_ == before.phrases_
        return tmp_path / "model"

    def test_phrases(self, phrased, tmp_path):
        save(load(phrased), tmp_path / "again")
        for name in ("config.json", "vocabulary.txt", "phrases.json"):
            assert (phrased / name).read_bytes() == (tmp_path / "again" / name).read_bytes()

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "5", "{}", '{"a_b": "high"}', '{"a_b": 1.0}', "[" * 100_000]
    )
    def test_damaged_phrases(self, phrased, text):
        (phrased / "phrases.json").write_text(text)
        assert "phrases.json" in refused(phrased)

    def test_phrases_that_are_no_utf8_or_not_there(self, phrased):
        (phrased / "phrases.json").write_bytes(b'{"caf\xe9": 1.0}')
        assert "phrases.json: cannot be read" in refused(phrased)
        (phrased / "phrases.json").unlink()
        assert "phrases.json: cannot be read" in refused(phrased)

    def test_a_pipeline_of_spacy_is_kept_by_name(self, tmp_path):
        nlp = spacy.blank("en")
        nlp.add_pipe("attribute_ruler").add([[{"LOWER": "steam"}]], {"POS": "NOUN"})
        nlp.to_disk(tmp_path / "spacy")
        options = {"spacy_model": str(tmp_path / "spacy"), "pos": ("NOUN",)}
        before = DocumentVectorizer(min_df=1, max_df=1.0, **options).fit(TEXTS)
        after = self.same(before, tmp_path / "model")
        assert list(after.vocabulary_) == ["steam"]

    def test_one_that_is_not_installed_is_named_when_it_is_needed(self, tmp_path):
        save(DocumentVectorizer(min_df=1, max_df=1.0).fit(TEXTS), tmp_path / "model")
        change_config(
            tmp_path / "model",
            lambda config: config["steps"][0]["parameters"].update(spacy_model="en_core_qq"),
        )
        after = load(tmp_path / "model")
        with pytest.raises(
            ConfigurationError, match="python -m spacy download en_core_qq"
        ) as found:
            after.transform(TEXTS)
        assert "\n" not in str(found.value)


def test_covariates_are_kept(tmp_path):
    known = {"year": list(range(40)), "place": ["mill", "hall"] * 20, "new": [True, False] * 20}
    counts = DocumentVectorizer(min_df=1, max_df=1.0).fit_transform(TEXTS)
    specs = ["year:spline", "place:both", "new:content"]
    before = BinaryFactorModel(2, covariates=specs, max_iter=2, n_jobs=1, random_state=0)
    before.fit(counts, covariates=known)
    save(before, tmp_path / "model")
    after = load(tmp_path / "model")
    np.testing.assert_array_equal(
        after.transform(counts, covariates=known), before.transform(counts, covariates=known)
    )
    assert after.effects() == before.effects()
    assert after.covariate_words(3) == before.covariate_words(3)
    assert after.get_params()["covariates"] == specs
    change_config(tmp_path / "model", lambda config: config["steps"][0]["fitted"].pop("covariates"))
    assert "damaged" in refused(tmp_path / "model")


def test_the_folder_of_a_run_is_loaded_as_its_model(tmp_path, pipeline):
    save(pipeline, tmp_path / "run" / "model")
    np.testing.assert_array_equal(
        load(tmp_path / "run").transform(TEXTS), pipeline.transform(TEXTS)
    )
