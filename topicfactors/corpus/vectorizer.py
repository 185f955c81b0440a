"""Documents to counts, as a scikit-learn transformer."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from topicfactors.corpus.documents import Problem, check_texts, clean_text, describe_problems
from topicfactors.corpus.matrix import CountsMatrix
from topicfactors.corpus.tokenizers import TokenRules, blank, count_texts, language_stop_words
from topicfactors.errors import ConfigurationError, CorpusWarning, InputError


class DocumentVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Count the words of documents: spaCy's tokeniser, CountVectorizer's rules of pruning.

    Parameters
    ----------
    language
        spaCy's code of the language ("en", "de", "it", …); its blank tokeniser is used.
    lowercase
        Fold the case.
    stop_words
        ``"language"`` for spaCy's list of the language, None, or an iterable of words.
    letters_only
        Count only tokens made of letters; else all but punctuation and white space.
    min_length
        Shortest word, in characters.
    min_df, max_df
        Leave out words in fewer or more documents: a number (int) or share (float) of them.
    max_features
        Keep at most so many words, the most frequent; None for all.
    n_jobs
        Processes to tokenise with; −1 for all cores.

    Attributes
    ----------
    vocabulary_
        Word to column.

    Examples
    --------
    >>> counts = DocumentVectorizer(min_df=1).fit_transform(["Steam moves engines", "Steam!"])
    >>> counts.toarray().tolist()
    [[1, 1], [0, 0]]
    >>> counts.feature_names.tolist()
    ['engines', 'moves']
    """

    def __init__(
        self,
        *,
        language: str = "en",
        lowercase: bool = True,
        stop_words: str | Iterable[str] | None = "language",
        letters_only: bool = True,
        min_length: int = 3,
        min_df: float = 2,
        max_df: float = 0.5,
        max_features: int | None = 10_000,
        n_jobs: int | None = None,
    ) -> None:
        self.language = language
        self.lowercase = lowercase
        self.stop_words = stop_words
        self.letters_only = letters_only
        self.min_length = min_length
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
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
        """Learn the vocabulary and count.

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
            When there are no documents, or no word is left.
        ConfigurationError
            When a parameter has a value that makes no sense.
        """
        self._check_parameters()
        known: dict[str, int] = {}
        counts = self._count(texts, known, grow=True)
        if counts.shape[0] == 0:
            raise InputError("there are no documents: expected at least one text")
        words = np.array(list(known), dtype=object)
        order = np.argsort(words) if len(words) else np.empty(0, np.int64)
        counts, words = counts[:, order], words[order]
        columns = self._kept(counts)
        if len(columns) == 0:
            raise InputError(self._explain_empty(counts, len(words)))
        self.vocabulary_ = {word: column for column, word in enumerate(words[columns])}
        return CountsMatrix(counts[:, columns], feature_names=words[columns])

    def transform(self, texts: Iterable[Any]) -> CountsMatrix:
        """Count the words of the vocabulary, int32 ``(N, V)``; other words are ignored."""
        check_is_fitted(self, "vocabulary_")
        counts = self._count(texts, dict(self.vocabulary_), grow=False)
        return CountsMatrix(counts, feature_names=self.get_feature_names_out())

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """The words in the order of the columns, ``(V,)``."""
        check_is_fitted(self, "vocabulary_")
        return np.array(sorted(self.vocabulary_, key=self.vocabulary_.__getitem__), dtype=object)

    def rules(self) -> TokenRules:
        """The parameters as the tokeniser reads them.

        Raises
        ------
        ConfigurationError
            When there is no such language, or the stop words are no words.
        """
        blank(self.language)
        return TokenRules(
            self.language,
            self.lowercase,
            self.letters_only,
            self.min_length,
            self._stop_words(),
        )

    def _stop_words(self) -> frozenset[str]:
        if self.stop_words is None:
            return frozenset()
        if isinstance(self.stop_words, str):
            if self.stop_words != "language":
                raise ConfigurationError(
                    "stop_words must be 'language', None or a list of words, "
                    f"got {self.stop_words!r}"
                )
            return language_stop_words(self.language)
        if not isinstance(self.stop_words, Iterable):
            raise ConfigurationError(
                f"stop_words must be 'language', None or a list of words, got {self.stop_words!r}"
            )
        words = (str(word) for word in self.stop_words)
        return frozenset(word.lower() for word in words) if self.lowercase else frozenset(words)

    def _count(self, texts: Iterable[Any], known: dict[str, int], grow: bool) -> Any:
        """Counts ``(N, len(known))``; unknown words get a column or are dropped."""
        if isinstance(texts, str | bytes):
            raise InputError("texts must be an iterable of texts, got one text; put it in a list")
        check_texts(texts)
        problems: list[Problem] = []
        rows, columns, values, documents = [], [], [], 0
        jobs = effective_n_jobs(self.n_jobs)
        for block in count_texts(self.rules(), _checked(texts, problems), jobs):
            default = -1
            if grow:
                for word in block.spellings:
                    known.setdefault(word, len(known))
            place = np.array([known.get(w, default) for w in block.spellings], dtype=np.int32)
            found = place[block.words] if len(place) else block.words
            keep = found >= 0
            rows.append(np.bincount(block.documents[keep], minlength=block.size))
            columns.append(found[keep])
            values.append(block.counts[keep])
            documents += block.size
        if problems:
            warnings.warn(describe_problems(problems), CorpusWarning, stacklevel=3)
        each = np.concatenate(rows) if rows else np.empty(0, np.int64)
        offsets = np.concatenate([[0], np.cumsum(each)])
        parts = [np.concatenate(p) if p else np.empty(0, np.int32) for p in (values, columns)]
        matrix = CountsMatrix((*parts, offsets), shape=(documents, len(known)), dtype=np.int32)
        matrix.sort_indices()
        return matrix

    def _kept(self, counts: Any) -> NDArray[np.int64]:
        """Columns within the document frequencies asked for, at most ``max_features``."""
        documents = counts.shape[0]
        each = np.bincount(counts.indices, minlength=counts.shape[1])
        keep = each >= _documents(self.min_df, documents)
        keep &= each <= _documents(self.max_df, documents)
        columns = np.flatnonzero(keep)
        if self.max_features is not None and len(columns) > self.max_features:
            totals = np.asarray(counts.sum(axis=0)).ravel()[columns]
            columns = np.sort(columns[np.argsort(-totals, kind="stable")[: self.max_features]])
        return columns

    def _explain_empty(self, counts: Any, words: int) -> str:
        if words == 0:
            return (
                f"no words in {counts.shape[0]:,} documents: every text is empty, or none of its "
                f"tokens passes letters_only={self.letters_only}, min_length={self.min_length} "
                "and stop_words"
            )
        return (
            f"none of {words:,} words is left: min_df={self.min_df} and max_df={self.max_df} leave "
            f"out all of them; lower min_df, raise max_df, or give more than {counts.shape[0]:,} "
            "documents"
        )

    def _check_parameters(self) -> None:
        for name in ("min_df", "max_df"):
            value = getattr(self, name)
            whole, share = isinstance(value, numbers.Integral), isinstance(value, numbers.Real)
            if not (whole and value >= 1) and not (share and not whole and 0.0 <= value <= 1.0):
                raise ConfigurationError(
                    f"{name} must be a whole number of documents (1 or more) or a share between "
                    f"0.0 and 1.0, got {value!r}"
                )
        for name in ("max_features", "min_length"):
            value = getattr(self, name)
            whole = isinstance(value, numbers.Integral)
            left_out = value is None and name == "max_features"
            if not left_out and not (whole and value >= 1):
                raise ConfigurationError(f"{name} must be a whole number above 0, got {value!r}")


def _documents(bound: float, documents: int) -> float:
    return bound if isinstance(bound, numbers.Integral) else bound * documents


def _checked(texts: Iterable[Any], problems: list[Problem]) -> Iterator[str]:
    for row, value in enumerate(texts):
        text, problem = clean_text(value)
        if problem is not None:
            problems.append(Problem(row, str(row), problem))
        yield text
