"""Which tokens count as words: the parameters of a vectorizer, checked against each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from topicfactors.corpus import pipelines
from topicfactors.corpus.documents import how_many
from topicfactors.corpus.pieces import splits_at_white_space
from topicfactors.errors import ConfigurationError, InputError, nearest, unknown_name
from topicfactors.values import is_whole

CHOICES = ("drop", "keep", "fold")
NUMBER, URL = "<number>", "<url>"  # what they count as when folded
DEFAULT_LANGUAGE = "en"
UNUSED_TAGS = {"CONJ", "EOL", "SPACE"}  # of spaCy's; on no word by any pipeline


@dataclass(frozen=True)
class TokenRules:
    """Which tokens count as words, and as which.

    Attributes
    ----------
    language
        spaCy's code of the language.
    lowercase
        Fold the case.
    letters_only
        Only tokens of letters alone; else whatever is not punctuation or white space.
    min_length
        Shortest word, in characters.
    stop_words
        Words left out, in the case of the tokens.
    spacy_model
        The pipeline that tokenises; None for the blank one of the language.
    lemmatize
        Count lemmas.
    pos
        Universal parts of speech that are kept; empty for all.
    token_pattern
        What finds the words instead of spaCy; None for spaCy.
    numbers, urls
        "drop", "keep" or "fold".
    """

    language: str = DEFAULT_LANGUAGE
    lowercase: bool = True
    letters_only: bool = True
    min_length: int = 3
    stop_words: frozenset[str] = frozenset()
    spacy_model: str | None = None
    lemmatize: bool = False
    pos: frozenset[str] = frozenset()
    token_pattern: str | None = None
    numbers: str = "drop"
    urls: str = "drop"

    @property
    def tagged(self) -> bool:
        """Must the pipeline read whole texts, as its tagger or lemmatizer looks at neighbours?"""
        return self.spacy_model is not None and (self.lemmatize or bool(self.pos))

    def pipeline(self) -> Any:
        """The spaCy pipeline that tokenises; made once a process."""
        if self.spacy_model is not None:
            return pipelines.trained(self.spacy_model)
        return pipelines.blank(self.language)


def token_rules(asked: dict[str, Any]) -> TokenRules:
    """The parameters of a vectorizer as the tokeniser reads them.

    Raises
    ------
    ConfigurationError
        When a value makes no sense, does not fit the others, or needs what is not installed.
    """
    for name in ("lowercase", "letters_only", "lemmatize"):
        check_switch(name, asked[name])
    if not is_whole(asked["min_length"]) or asked["min_length"] < 1:
        raise ConfigurationError(
            f"min_length must be a whole number above 0, got {asked['min_length']!r}"
        )
    for name in ("numbers", "urls"):
        if asked[name] not in CHOICES:
            raise unknown_name(name, asked[name], CHOICES)
    _check_pattern(asked)
    pos = _parts_of_speech(asked["pos"])
    language = _language(asked)
    _check_pipeline(asked, language)
    return TokenRules(
        language,
        bool(asked["lowercase"]),
        bool(asked["letters_only"]),
        int(asked["min_length"]),
        _stop_words(asked, language),
        asked["spacy_model"],
        bool(asked["lemmatize"]),
        pos,
        asked["token_pattern"],
        asked["numbers"],
        asked["urls"],
    )


def no_words(asked: dict[str, Any], documents: int, empty: bool) -> InputError:
    """The error for texts of which no token is a word, or that are all ``empty``."""
    said = f"no words in {how_many(documents, 'document')}:"
    if empty:
        return InputError(f"{said} every text is empty; give some that are not")
    rules = [f"letters_only={asked['letters_only']}", f"min_length={asked['min_length']}"]
    if asked["token_pattern"] is not None:
        rules[0] = f"token_pattern={asked['token_pattern']!r}"
    if asked["pos"] is not None:
        rules.append(f"pos={list(asked['pos'])!r}")
    cure = "change one of them"
    if asked["min_length"] > 1:
        cure = f"lower min_length (Chinese and Japanese have words of one sign), or {cure}"
    return InputError(
        f"{said} none of their tokens passes {', '.join(rules)} and stop_words; {cure}"
    )


def check_switch(name: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigurationError(f"{name} must be True or False, got {value!r}")


def _language(asked: dict[str, Any]) -> str:
    """The language of the texts: the one asked for, or the pipeline's."""
    language: str = asked["language"]
    model = asked["spacy_model"]
    if model is None:
        pipelines.check_language(language)
        if asked["token_pattern"] is None:
            pipelines.blank(language)
        return language
    if not isinstance(model, str) or not model.strip():
        raise ConfigurationError(
            f"spacy_model must be the name or path of a spaCy pipeline, or None, got {model!r}"
        )
    own: str = pipelines.trained(model).lang
    if language not in (DEFAULT_LANGUAGE, own):
        raise ConfigurationError(
            f"language must be {own!r}, that of spacy_model={model!r}, or be left out, "
            f"got {language!r}"
        )
    return own


def _check_pipeline(asked: dict[str, Any], language: str) -> None:
    """Refuse lemmas and parts of speech that nothing would set."""
    model = asked["spacy_model"]
    if asked["pos"] is not None:
        if model is None:
            raise ConfigurationError(
                "pos needs a trained pipeline that tags: name one as spacy_model, such as "
                "'en_core_web_sm' (python -m spacy download en_core_web_sm), or leave pos out"
            )
        if not pipelines.sets(pipelines.trained(model), pipelines.PARTS_OF_SPEECH):
            raise ConfigurationError(
                f"pos needs a pipeline with a morphologizer or an attribute_ruler, and "
                f"spacy_model={model!r} has {_parts(model)}; name another, or leave pos out"
            )
    if not asked["lemmatize"]:
        return
    if model is None:
        pipelines.check_lookup_lemmas(language)
    elif not pipelines.sets(pipelines.trained(model), pipelines.LEMMAS):
        raise ConfigurationError(
            f"lemmatize=True needs a pipeline with a lemmatizer, and spacy_model={model!r} has "
            f"{_parts(model)}; name another, or leave spacy_model out for the lemmas of tables"
        )


def _parts(model: str) -> str:
    return ", ".join(pipelines.trained(model).pipe_names) or "none"


def _check_pattern(asked: dict[str, Any]) -> None:
    pattern = asked["token_pattern"]
    if pattern is None:
        return
    if not isinstance(pattern, str):
        raise ConfigurationError(
            f"token_pattern must be a regular expression or None, got {pattern!r}"
        )
    plain = {"spacy_model": None, "lemmatize": False, "pos": None, "numbers": "drop"}
    for name, value in {**plain, "urls": "drop"}.items():
        if asked[name] != value:
            raise ConfigurationError(
                f"token_pattern finds the words itself and does not go together with "
                f"{name}={asked[name]!r}; leave one of them out"
            )
    try:
        groups = re.compile(pattern).groups
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigurationError(
            f"token_pattern must be a regular expression, got {pattern!r}: "
            f"{' '.join(str(error).split())}"
        ) from error
    if groups > 1:
        raise ConfigurationError(
            f"token_pattern must have at most one group, which is the word, got {groups} in "
            f"{pattern!r}; write the others as (?:…)"
        )


def _parts_of_speech(asked: object) -> frozenset[str]:
    if asked is None:
        return frozenset()
    from spacy.parts_of_speech import IDS

    tags = sorted(tag for tag in IDS if tag and tag not in UNUSED_TAGS)
    given = None if isinstance(asked, str) else _collected(asked)
    if not given:
        raise ConfigurationError(
            f"pos must be a list of universal part-of-speech tags such as ['NOUN', 'ADJ'], or "
            f"None, got {asked!r}"
        )
    for tag in given:
        if tag not in tags:
            hint = nearest(str(tag).upper(), tags)
            raise ConfigurationError(f"pos must be among {', '.join(tags)}, got {tag!r}{hint}")
    return frozenset(given)


def _stop_words(asked: dict[str, Any], language: str) -> frozenset[str]:
    """Words without the space around them; of the language, or given."""
    chosen = asked["stop_words"]
    if chosen is None:
        return frozenset()
    if isinstance(chosen, str) and chosen == "language":
        return pipelines.language_stop_words(language)
    given = None if isinstance(chosen, str) else _collected(chosen)
    if given is None:
        raise ConfigurationError(
            f"stop_words must be 'language', None or a list of words, got {chosen!r}"
        )
    odd = [word for word in given if not isinstance(word, str)]
    if odd:
        raise ConfigurationError(
            f"stop_words must be 'language', None or a list of words, got {odd[0]!r} in it"
        )
    words = {word.strip() for word in given} - {""}
    _check_single(words, asked, language)
    return frozenset(word.lower() if asked["lowercase"] else word for word in words)


def _check_single(words: set[str], asked: dict[str, Any], language: str) -> None:
    """Refuse stop words that are several, where no token could be one of them."""
    several = {word for word in words if len(word.split()) > 1}
    several -= pipelines.language_stop_words(language)  # some lists of spaCy's have such lines
    if not several or asked["token_pattern"] is not None:
        return
    model = asked["spacy_model"]
    nlp = pipelines.blank(language) if model is None else pipelines.trained(model)
    if splits_at_white_space(nlp):
        raise ConfigurationError(
            f"stop_words must be single words, got {min(several)!r}, which is never one token (nor "
            "a phrase, as those are joined afterwards); give its words one by one"
        )


def _collected(given: object) -> list[Any] | None:
    """The members of a collection; None for what is none, or can be read only once."""
    if not isinstance(given, Iterable) or isinstance(given, Iterator):
        return None
    return list(given)
