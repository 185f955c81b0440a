"""From the options that say which words are counted to what counts them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from topicfactors.cli.models import spelt
from topicfactors.cli.options import document_bound, stop_words_of
from topicfactors.corpus.count_readers import is_counts
from topicfactors.errors import InputError

OF_TEXTS = (
    *("vocabulary_size", "min_df", "max_df", "min_length", "language", "stop_words"),
    *("token_pattern", "numbers", "urls", "lemmas", "spacy_model", "pos", "phrases"),
    *("text_column", "id_column", "label_column", "strict", "covariate"),
)


def vectorizer_for(options: Mapping[str, Any]) -> Any:
    """The vectorizer that the options of a command ask for.

    Raises
    ------
    ConfigurationError, InputError
        When they make no sense; before the corpus is read.
    """
    from topicfactors.corpus.vectorizer import DocumentVectorizer

    pos = options["pos"]
    vectorizer = DocumentVectorizer(
        language=options["language"],
        stop_words=stop_words_of(options["stop_words"], options["language"]),
        min_length=options["min_length"],
        min_df=document_bound(str(options["min_df"]), "--min-df"),
        max_df=document_bound(str(options["max_df"]), "--max-df"),
        max_features=options["vocabulary_size"],
        token_pattern=options["token_pattern"],
        numbers=options["numbers"],
        urls=options["urls"],
        lemmatize=options["lemmas"],
        spacy_model=options["spacy_model"],
        pos=None if pos is None else [tag.strip().upper() for tag in pos.split(",")],
        phrases=options["phrases"],
        n_jobs=options["threads"] or -1,
    )
    vectorizer.rules()
    return vectorizer


def refuse_idle_words(corpus: str, typed: Collection[str]) -> None:
    """Refuse options of texts that were typed for counts, and the other way round.

    Raises
    ------
    InputError
        With what to leave out.
    """
    if is_counts(corpus):
        idle = [name for name in OF_TEXTS if name in typed]
        why = "counts are used as they are, and have no text to tokenise"
    else:
        idle = ["vocabulary"] if "vocabulary" in typed else []
        why = "texts have the vocabulary that is found in them (see --vocabulary-size)"
    if idle:
        raise InputError(f"{corpus}: {why}; leave out {', '.join(map(spelt, idle))}")
