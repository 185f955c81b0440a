"""Documents to counts, as a scikit-learn transformer."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from topicfactors.corpus.blocks import CountedBlock, TokenBlock, assemble, counted
from topicfactors.corpus.documents import (
    Problem,
    check_texts,
    clean_text,
    describe_problems,
)
from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.phrases import Sequences, join, learn
from topicfactors.corpus.pruning import Pruning
from topicfactors.corpus.rules import TokenRules, check_switch, no_words, token_rules
from topicfactors.corpus.tokenizers import count_texts, read_texts
from topicfactors.errors import ConfigurationError, CorpusWarning, InputError
from topicfactors.values import is_whole, jobs, number, whole


class DocumentVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Count the words of documents: spaCy's tokenisers, CountVectorizer's rules of pruning.

    Parameters
    ----------
    language
        spaCy's code of the language ("en", "de", "it", …), whose blank tokeniser is used. Some
        (Japanese, Korean, Thai, …) need a package that spaCy names. Words of Chinese and Japanese
        are short, and most are left out unless ``min_length=1``.
    spacy_model
        Name or path of an installed spaCy pipeline ("en_core_web_sm"), which tokenises instead and
        knows its language. Its taggers run, slowly, only for ``lemmatize`` and ``pos``; its parser
        and its recogniser of entities never do.
    lemmatize
        Count lemmas ("mouse" for "mice"): those of ``spacy_model``, or of the tables of
        spacy-lookups-data (``pip install 'topicfactors[lemmas]'``), which know no context.
    pos
        Count only tokens with these universal part-of-speech tags, as in ``("NOUN", "ADJ")``; needs
        a ``spacy_model``. It holds for numbers ("NUM") and URLs too. None for all.
    token_pattern
        A regular expression that finds the words instead of spaCy, in the text in lower case if
        ``lowercase``; a group in it is the word. ``letters_only`` is for spaCy's tokens alone.
    lowercase
        Fold the case.
    stop_words
        ``"language"`` for spaCy's list of the language, None, or an iterable of words; a token is
        left out when it or its lemma is one, whatever ``numbers`` and ``urls`` say. A phrase is
        none, as phrases are made of what is left.
    letters_only
        Count only tokens made of letters; else all but punctuation and white space.
    numbers, urls
        Tokens with digits and without letters; URLs and e-mail addresses. ``"drop"`` them, whatever
        ``letters_only`` says, ``"keep"`` them, or ``"fold"`` all of them to the one word
        ``<number>`` or ``<url>`` (which ``max_df`` may leave out, as it is in many documents).
    min_length
        Shortest word, in characters; of the lemma, where lemmas are counted.
    phrases
        Join neighbours that come together more often than by chance ("steam_engine"), learnt in
        fit on the words that are left. Phrases go by their spelling: where tokens have "_" in
        them, "a_b" with "c" and "a" with "b_c" are one.
    phrase_min_count, phrase_threshold
        A phrase is seen more often, and has a higher score than that (gensim's default scorer).
    min_df, max_df
        Leave out words in fewer or more documents: a number (int) or share (float) of them.
    max_features
        Keep at most so many words, the most frequent; None for all.
    strict
        Refuse what is no text or empty, instead of a warning and an empty row.
    n_jobs
        Processes to tokenise with; −1 for all cores.

    Attributes
    ----------
    vocabulary_
        Word to column.
    phrases_
        Phrase to score; empty without ``phrases``.

    Examples
    --------
    >>> counts = DocumentVectorizer(min_df=1).fit_transform(["Steam moves engines", "Steam!"])
    >>> counts.toarray().tolist()
    [[1, 1], [0, 0]]
    >>> counts.feature_names.tolist()
    ['engines', 'moves']
    >>> list(DocumentVectorizer(numbers="fold").tokenize(["In 1712 Newcomen's engine", "!"]))
    [['<number>', 'newcomen', 'engine'], []]
    """

    def __init__(
        self,
        *,
        language: str = "en",
        spacy_model: str | None = None,
        lemmatize: bool = False,
        pos: Iterable[str] | None = None,
        token_pattern: str | None = None,
        lowercase: bool = True,
        stop_words: str | Iterable[str] | None = "language",
        letters_only: bool = True,
        numbers: str = "drop",
        urls: str = "drop",
        min_length: int = 3,
        phrases: bool = False,
        phrase_min_count: int = 10,
        phrase_threshold: float = 10.0,
        min_df: float = 2,
        max_df: float = 0.5,
        max_features: int | None = 10_000,
        strict: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.language = language
        self.spacy_model = spacy_model
        self.lemmatize = lemmatize
        self.pos = pos
        self.token_pattern = token_pattern
        self.lowercase = lowercase
        self.stop_words = stop_words
        self.letters_only = letters_only
        self.numbers = numbers
        self.urls = urls
        self.min_length = min_length
        self.phrases = phrases
        self.phrase_min_count = phrase_min_count
        self.phrase_threshold = phrase_threshold
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.strict = strict
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, texts: Iterable[Any], y: object = None) -> DocumentVectorizer:
        """Learn the vocabulary; see :meth:`fit_transform`."""
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Iterable[Any], y: object = None) -> CountsMatrix:
        """Learn the vocabulary, and the phrases if asked for, and count.

        Parameters
        ----------
        texts
            Any iterable of str, read once. What is no text is counted as an empty document, and a
            :class:`CorpusWarning` names it by row.

        Returns
        -------
        CountsMatrix
            int32 ``(N, V)``, a row for every document.

        Raises
        ------
        InputError
            When there are no documents, or no word is left; with ``strict``, at the first value
            that is no text or empty.
        ConfigurationError
            When a parameter has a value that makes no sense, or needs what is not installed.
        """
        rules = self.rules()
        problems: list[Problem] = []
        source, phrases = self._checked(texts, problems), {}
        if self.phrases:
            corpus = Sequences(read_texts(rules, source, jobs(self.n_jobs)))
            phrases = learn(corpus, self.phrase_min_count, self.phrase_threshold)
            blocks: Iterable[CountedBlock] = (counted(join(block, phrases)) for block in corpus)
        else:
            blocks = count_texts(rules, source, jobs(self.n_jobs))
        known: dict[str, int] = {}
        counts = assemble(blocks, known, grow=True)
        _warn(problems)
        if counts.shape[0] == 0:
            raise InputError("there are no documents: expected at least one text")
        if not known:
            empty = len(problems) == counts.shape[0]
            raise no_words(self.get_params(deep=False), counts.shape[0], empty)
        words = np.array(list(known), dtype=object)
        order = np.argsort(words)
        counts, words = counts[:, order], words[order]
        pruning = self._pruning()
        columns = pruning.columns(counts)
        if len(columns) == 0:
            raise pruning.nothing_left(counts.shape[0], len(words))
        self.phrases_: dict[str, float] = phrases
        self.vocabulary_ = {word: column for column, word in enumerate(words[columns])}
        return CountsMatrix(counts[:, columns], feature_names=words[columns])

    def transform(self, texts: Iterable[Any]) -> CountsMatrix:
        """Count the words of the vocabulary, int32 ``(N, V)``; other words are ignored."""
        check_is_fitted(self, "vocabulary_")
        rules, problems = self.rules(), list[Problem]()
        source, processes = self._checked(texts, problems), jobs(self.n_jobs)
        if self.phrases_:
            read = read_texts(rules, source, processes)
            blocks: Iterable[CountedBlock] = (counted(join(block, self.phrases_)) for block in read)
        else:
            blocks = count_texts(rules, source, processes)
        counts = assemble(blocks, dict(self.vocabulary_), grow=False)
        _warn(problems)
        return CountsMatrix(counts, feature_names=self.get_feature_names_out())

    def tokenize(self, texts: Iterable[Any]) -> Iterator[list[str]]:
        """The words of each document in their order, as they are counted.

        Words outside the vocabulary are among them, so that no fit is needed but for phrases. Some
        hundred thousand characters are read ahead.

        Parameters
        ----------
        texts
            As in :meth:`fit_transform`; what is no text has no words.
        """
        if self.phrases:
            check_is_fitted(self, "phrases_")
        rules, problems = self.rules(), list[Problem]()
        source, processes = self._checked(texts, problems), jobs(self.n_jobs)
        return self._tokens(read_texts(rules, source, processes), problems)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The words in the order of the columns, ``(V,)``."""
        check_is_fitted(self, "vocabulary_")
        return np.array(sorted(self.vocabulary_, key=self.vocabulary_.__getitem__), dtype=object)

    def rules(self) -> TokenRules:
        """The parameters as the tokeniser reads them; all others are checked too.

        Raises
        ------
        ConfigurationError
            When a value makes no sense, does not fit the others, or needs what is not installed.
        """
        self._pruning().check()
        for name in ("phrases", "strict"):
            check_switch(name, getattr(self, name))
        whole("phrase_min_count", self.phrase_min_count, 1)
        number("phrase_threshold", self.phrase_threshold, open_ends="low")
        if self.n_jobs is not None and (not is_whole(self.n_jobs) or self.n_jobs == 0):
            raise ConfigurationError(
                f"n_jobs must be a number of processes, -1 for all cores, or None, "
                f"got {self.n_jobs!r}"
            )
        return token_rules(self.get_params(deep=False))

    def _tokens(self, blocks: Iterable[TokenBlock], problems: list[Problem]) -> Iterator[list[str]]:
        phrases: dict[str, float] = getattr(self, "phrases_", {})
        for block in blocks:
            yield from (join(block, phrases) if phrases else block).texts()
        _warn(problems)

    def _pruning(self) -> Pruning:
        return Pruning(self.min_df, self.max_df, self.max_features)

    def _checked(self, texts: Iterable[Any], problems: list[Problem]) -> Iterator[str]:
        """A text for every row; what is none is refused (``strict``), or empty and noted."""
        if isinstance(texts, str | bytes):
            raise InputError("texts must be an iterable of texts, got one text; put it in a list")
        if hasattr(texts, "to_pylist"):  # an array of Arrow's
            texts = texts.to_pylist()
        check_texts(texts)
        return _texts(texts, self.strict, problems)


def _texts(values: Iterable[Any], strict: bool, problems: list[Problem]) -> Iterator[str]:
    for row, value in enumerate(values):
        text, problem = clean_text(value)
        if problem is not None and strict:
            raise InputError(
                f"texts: row {row} {problem}; give it a text, leave it out, or keep it as an empty "
                "row with strict=False"
            )
        if problem is not None:
            problems.append(Problem(row, str(row), problem))
        yield text


def _warn(problems: list[Problem]) -> None:
    if problems:
        warnings.warn(describe_problems(problems), CorpusWarning, stacklevel=3)
