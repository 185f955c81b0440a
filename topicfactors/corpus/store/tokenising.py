"""The vectorizer that counted a store: settings in the manifest, words and phrases beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from topicfactors.corpus.store.manifest import PHRASES, VOCABULARY
from topicfactors.errors import ConfigurationError, StorageError
from topicfactors.values import is_whole
from topicfactors.wordlists import one_line, read_phrases, write_words

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer

LEARNT = "learnt_phrases"  # beside the parameters


def settings_of(vectorizer: DocumentVectorizer) -> dict[str, Any]:
    """Its parameters as JSON can hold them; sets of words as sorted lists."""
    settings: dict[str, Any] = vectorizer.get_params(deep=False)
    for name in ("stop_words", "pos"):
        if settings[name] is not None and not isinstance(settings[name], str):
            settings[name] = sorted(map(str, settings[name]))
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in settings.items()
    }


def write_tokenising(
    folder: Path, vectorizer: DocumentVectorizer
) -> tuple[list[str], dict[str, Any]]:
    """Write the words and phrases of a fitted vectorizer; names of the files, and its settings."""
    names, phrases = [VOCABULARY], vectorizer.phrases_
    write_words(folder / VOCABULARY, [str(word) for word in vectorizer.get_feature_names_out()])
    if phrases:
        text = json.dumps(phrases, indent=0, ensure_ascii=False)
        (folder / PHRASES).write_text(text + "\n", encoding="utf-8")
        names.append(PHRASES)
    return names, {**settings_of(vectorizer), LEARNT: len(phrases)}


def restored(folder: Path, settings: dict[str, Any], words: list[str]) -> DocumentVectorizer:
    """The fitted vectorizer again.

    Raises
    ------
    StorageError
        When the settings are none of a vectorizer of this version.
    """
    from topicfactors.corpus.vectorizer import DocumentVectorizer

    asked = dict(settings)
    try:
        expected = asked.pop(LEARNT, 0)
        if not is_whole(expected):
            raise ValueError(f"{LEARNT} is no number")
        vectorizer = DocumentVectorizer(**asked)
        vectorizer.rules()
    except (TypeError, ValueError, ConfigurationError) as error:
        raise StorageError(
            f"{folder}: counted by a vectorizer that is not to be had here: {one_line(error)}"
        ) from error
    vectorizer.vocabulary_ = {word: column for column, word in enumerate(words)}
    vectorizer.phrases_ = read_phrases(folder / PHRASES, expected)
    return vectorizer
