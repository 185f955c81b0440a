"""Blank pipelines of any language, trained ones by name or path, and one line for what is not."""

import importlib.util

import pytest
import spacy

from topicfactors.corpus import pipelines
from topicfactors.corpus.pipelines import (
    LEMMAS,
    PARTS_OF_SPEECH,
    blank,
    check_lookup_lemmas,
    language_stop_words,
    lookup_lemmas,
    sets,
    trained,
)
from topicfactors.errors import ConfigurationError


def refused(function, *arguments):
    with pytest.raises(ConfigurationError) as caught:
        function(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_stop_words_are_those_of_the_language():
    assert {"the", "and"} <= language_stop_words("en")
    assert {"und", "die"} <= language_stop_words("de")


def test_a_language_is_made_once():
    assert blank("en") is blank("en")
    assert blank("en").lang == spacy.blank("en").lang


@pytest.mark.parametrize("language", ["qq", "", "qq-not-installed", None, "lex_attrs", 5])
def test_an_unknown_language_is_refused_with_some_that_are_known(language):
    message = refused(blank, language)
    assert message.startswith("language must be a spaCy language code such as 'de', 'en'")
    assert refused(language_stop_words, language) == message


@pytest.mark.parametrize(
    ("language", "nearest"), [("english", "en"), ("DE", "de"), ("it-IT", "it"), ("grx", "grc")]
)
def test_the_nearest_language_is_named(language, nearest):
    assert refused(blank, language).endswith(f"; did you mean {nearest!r}?")


@pytest.mark.skipif(importlib.util.find_spec("sudachipy") is not None, reason="has its tokeniser")
def test_a_language_that_needs_a_package_says_which():
    message = refused(blank, "ja")
    assert message.startswith("language must be a spaCy language whose tokeniser is installed")
    assert "sudachi" in message
    assert language_stop_words("ja")


class TestTrained:
    def test_the_parser_and_the_recogniser_of_entities_are_left_out(self, tmp_path):
        nlp = spacy.blank("en")
        nlp.add_pipe("attribute_ruler")
        nlp.add_pipe("ner").add_label("PERSON")
        nlp.initialize()
        nlp.to_disk(tmp_path / "pipe")
        assert trained(str(tmp_path / "pipe")).pipe_names == ["attribute_ruler"]

    def test_one_that_is_not_installed(self, monkeypatch):
        monkeypatch.setattr(spacy.util, "get_installed_models", lambda: ["en_core_web_sm"])
        assert refused(trained, "en_core_web_md") == (
            "spacy_model must be an installed spaCy pipeline, got 'en_core_web_md': "
            "python -m spacy download en_core_web_md, or leave spacy_model out; "
            "did you mean 'en_core_web_sm'?"
        )
        assert "did you mean" not in refused(trained, "xx_qqqq")

    def test_a_folder_that_is_not_there(self, tmp_path):
        assert "does not exist" in refused(trained, str(tmp_path / "none"))

    def test_a_folder_of_something_else(self, tmp_path):
        assert "that this spaCy" in refused(trained, str(tmp_path))
        (tmp_path / "config.cfg").write_text("[nlp]\nlang = 5\n")
        (tmp_path / "meta.json").write_text("{}")
        assert "that this spaCy" in refused(trained, str(tmp_path))


@pytest.mark.parametrize(
    ("part", "lemmas", "tags"),
    [
        ("trainable_lemmatizer", True, False),
        ("morphologizer", False, True),
        ("attribute_ruler", False, True),
        ("tagger", False, False),
    ],
)
def test_what_a_pipeline_sets(part, lemmas, tags):
    nlp = spacy.blank("en")
    assert not sets(nlp, LEMMAS)
    assert not sets(nlp, PARTS_OF_SPEECH)
    nlp.add_pipe(part)
    assert (sets(nlp, LEMMAS), sets(nlp, PARTS_OF_SPEECH)) == (lemmas, tags)


class TestLookupLemmas:
    @pytest.mark.parametrize(
        ("language", "word", "lemma"),
        [("en", "mice", "mouse"), ("de", "Häuser", "Haus"), ("it", "gatti", "gatto")],
    )
    def test_the_tables(self, language, word, lemma):
        assert lookup_lemmas(language).get(word) == lemma

    @pytest.mark.parametrize("language", ["zh", "pl"])
    def test_a_language_without_one(self, language):
        message = refused(check_lookup_lemmas, language)
        assert f"there is none for language {language!r}, only for 'ca', " in message
        assert "'de'" in message
        assert f"{language!r}," not in message.partition("only for")[2]

    def test_tables_that_are_not_installed(self, monkeypatch):
        monkeypatch.setattr(pipelines.importlib.util, "find_spec", lambda name: None)
        assert "pip install 'topicfactors[lemmas]'" in refused(check_lookup_lemmas, "en")
