"""spaCy's pipelines: the blank one of a language, or a trained one by name or path."""

from __future__ import annotations

import functools
import importlib.util
import os
from pathlib import Path
from typing import Any

from topicfactors.errors import ConfigurationError, nearest

LEMMAS = "token.lemma"
PARTS_OF_SPEECH = "token.pos"
RULER = "attribute_ruler"  # what it sets depends on its patterns
UNUSED = ["parser", "ner"]
LOOKUP = "lemma_lookup"


@functools.cache
def blank(language: str) -> Any:
    """spaCy's blank pipeline of a language.

    Raises
    ------
    ConfigurationError
        When spaCy does not have that language, or it needs a package that is not installed.
    """
    import spacy

    _language_class(language)
    try:
        nlp = spacy.blank(language)
    except ImportError as error:
        raise ConfigurationError(
            f"language must be a spaCy language whose tokeniser is installed, got {language!r}: "
            f"{_line(error)}"
        ) from error
    return _unlimited(nlp)


@functools.lru_cache(maxsize=2)
def trained(name: str) -> Any:
    """An installed pipeline without its parser and its recogniser of entities.

    Parameters
    ----------
    name
        Of a package (``"en_core_web_sm"``), or the path of a folder that spaCy has saved.

    Raises
    ------
    ConfigurationError
        When it is not installed, or cannot be loaded here.
    """
    import spacy

    if not spacy.util.is_package(name) and not Path(name).exists():
        raise _not_installed(name, spacy.util.get_installed_models())
    try:
        nlp = spacy.load(name, exclude=UNUSED)
    except Exception as error:  # whatever its parts say of files that are not theirs
        raise ConfigurationError(
            f"spacy_model must be a pipeline that this spaCy ({spacy.__version__}) can load, "
            f"got {name!r}: {_line(error)}"
        ) from error
    return _unlimited(nlp)


def check_language(language: object) -> None:
    """Refuse what is no code of a language of spaCy's; see :func:`blank`."""
    _language_class(language)


def forget() -> None:
    """Make pipelines anew when they are asked for: they keep every spelling they have met."""
    blank.cache_clear()
    trained.cache_clear()


def language_stop_words(language: str) -> frozenset[str]:
    """spaCy's stop words of a language, in lower case."""
    return frozenset(word.lower() for word in _language_class(language).Defaults.stop_words)


def sets(nlp: Any, attribute: str) -> bool:
    """Does some part of this pipeline set an attribute such as ``"token.lemma"``?"""
    metas = [nlp.get_pipe_meta(name) for name in nlp.pipe_names]
    ruled = attribute == PARTS_OF_SPEECH and any(meta.factory == RULER for meta in metas)
    return ruled or any(attribute in meta.assigns for meta in metas)


@functools.lru_cache(maxsize=2)
def lookup_lemmas(language: str) -> Any:
    """spaCy's table of the lemma of each word of a language, by the word or its hash.

    Raises
    ------
    ConfigurationError
        When the tables are not installed, or that language has none.
    """
    from spacy.lookups import load_lookups

    check_lookup_lemmas(language)
    return load_lookups(blank(language).lang, [LOOKUP]).get_table(LOOKUP)


def check_lookup_lemmas(language: str) -> None:
    """Refuse a language without a table of lemmas; see :func:`lookup_lemmas`."""
    from spacy.util import registry

    if importlib.util.find_spec("spacy_lookups_data") is None:
        raise ConfigurationError(
            "lemmatize=True needs the tables of spacy-lookups-data, which is not installed: "
            "pip install 'topicfactors[lemmas]', or name a spacy_model"
        )
    tables = registry.lookups.get_all()
    code = blank(language).lang
    if LOOKUP not in tables.get(code, {}):
        known = ", ".join(repr(name) for name in sorted(tables) if LOOKUP in tables[name])
        raise ConfigurationError(
            f"lemmatize=True needs a table of lemmas, and there is none for language {code!r}, "
            f"only for {known}; name a spacy_model with a lemmatizer, or leave lemmatize out"
        )


def _language_class(language: Any) -> Any:
    from spacy.util import get_lang_class

    try:
        return get_lang_class(language)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            "language must be a spaCy language code such as 'de', 'en', 'es', 'fr', 'it', 'ru' or "
            f"'zh', got {language!r}{_nearest_language(language)}"
        ) from error


def _nearest_language(language: object) -> str:
    import pkgutil

    import spacy.lang

    if not isinstance(language, str):
        return ""
    codes = [found.name for found in pkgutil.iter_modules(spacy.lang.__path__) if found.ispkg]
    asked = language.lower()
    return nearest(asked[:2], [asked[:2]]) if asked[:2] in codes else nearest(asked, codes)


def _not_installed(name: str, installed: list[str]) -> ConfigurationError:
    hint = nearest(name, installed)
    if os.sep in name:
        return ConfigurationError(
            f"spacy_model must be an installed spaCy pipeline or its folder, got {name!r}, which "
            "does not exist; give the folder that nlp.to_disk wrote, or leave spacy_model out"
        )
    return ConfigurationError(
        f"spacy_model must be an installed spaCy pipeline, got {name!r}: "
        f"python -m spacy download {' '.join(name.split())}, or leave spacy_model out{hint}"
    )


def _unlimited(nlp: Any) -> Any:
    nlp.max_length = 2**31 - 1  # the limit guards parsers, and there is none here
    return nlp


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
