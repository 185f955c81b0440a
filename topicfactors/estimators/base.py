"""What the estimators share: validated counts, devices, threads and random numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data

from topicfactors.corpus.bags import from_bags, is_bag_stream
from topicfactors.corpus.counts import Counts
from topicfactors.corpus.store.reader import CountsStore
from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators.design import Design
from topicfactors.estimators.observed import Observed, designed, encoded
from topicfactors.estimators.refusals import refusal
from topicfactors.training.batches import Documents
from topicfactors.training.objectives import FactorObjective
from topicfactors.values import jobs


def resolve_device(device: str) -> torch.device:
    """The device to compute on; ``"auto"`` takes cuda, then mps, then the CPU.

    Raises
    ------
    ConfigurationError
        When there is no such device here.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        resolved = torch.device(device)
        torch.zeros(1, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ConfigurationError(
            f"device must be 'auto', 'cpu', 'cuda' or 'mps' and be present on this machine, "
            f"got {device!r}; use device='cpu'"
        ) from error
    return resolved


@contextlib.contextmanager
def threads(n_jobs: int | None) -> Iterator[None]:
    """Let torch use so many threads inside; None leaves its own choice, −1 means all cores."""
    before = torch.get_num_threads()
    if n_jobs is not None:
        torch.set_num_threads(jobs(n_jobs))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def seeded(random_state: Any, device: torch.device) -> Iterator[int]:
    """Seed torch inside and leave its generators outside as they were; yields the seed."""
    seed = int(check_random_state(random_state).randint(2**31 - 1))
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield seed


class CountsEstimator(BaseEstimator):  # type: ignore[misc]
    """Validation of counts and of the words that name their columns; the fitted objective."""

    objective_: FactorObjective
    n_features_in_: int
    design_: Design | None
    word_order_: NDArray[np.int64] | None = None  # (D, n) columns; None where none were counted
    _framed = False  # were the columns named by a data frame?

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = True
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    def _validate(
        self, X: Any, feature_names: ArrayLike | None = None, *, reset: bool = False
    ) -> scipy.sparse.csr_matrix:
        """Counts as CSR ``(N, V)``, float32 or float64; checked against those of ``fit``.

        Bags of words, as gensim has them, are counted.

        Raises
        ------
        InputError
            When counts are negative or not finite, have another shape than ``(N, V)``, or the
            columns are not those of ``fit``.
        """
        if isinstance(X, CountsStore):
            raise InputError(
                f"X is {X!r}, which is not read at once here; give some of its documents, as in "
                "store.rows(range(1000)), or its shards one by one"
            )
        if isinstance(X, Iterator):
            raise InputError(
                f"X must be counts or a corpus that can be read more than once, got a "
                f"{type(X).__name__}; put it into a list"
            )
        if is_bag_stream(X):
            X = from_bags(X, None if reset else self.n_features_in_)
        names = feature_names if feature_names is not None else getattr(X, "feature_names", None)
        try:
            counts = self._checked(X, names, reset)
            check_non_negative(counts, f"{type(self).__name__} (counts are never negative)")
        except ValueError as error:
            if isinstance(error, InputError) or "feature names" in str(error):
                raise
            raise InputError(refusal(error, X)) from error
        if reset:
            self._framed = hasattr(X, "columns")
            if names is not None:
                self._name_columns(names)
        matrix = scipy.sparse.csr_matrix(counts)
        if not matrix.has_canonical_format or matrix.count_nonzero() < matrix.nnz:
            matrix = matrix.copy()  # the caller's own stays as it is
            matrix.sum_duplicates()
            matrix.eliminate_zeros()
        return matrix

    def _counted(
        self,
        X: Any,
        names: ArrayLike | None,
        id2word: Any,
        going_on: bool = False,
        covariates: Any = None,
    ) -> Observed:
        """The counts of a fit, which must have tokens."""
        X = X if id2word is None else self._bags(X, id2word)
        with self._as_it_was():
            counts = self._observed(X, covariates, names, reset=not going_on)
            if counts.sum() == 0:
                raise InputError(
                    f"X has no tokens: all {counts.shape[0]} rows are empty; expected counts "
                    "above 0"
                )
        return counts

    @contextlib.contextmanager
    def _as_it_was(self) -> Iterator[None]:
        """A model whose next fit is refused stays what it was."""
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    def _observed(
        self,
        X: Any,
        covariates: Any = None,
        feature_names: ArrayLike | None = None,
        *,
        reset: bool = False,
    ) -> Observed:
        """Counts as :meth:`_validate` gives them, with the coded covariates of their documents.

        Raises
        ------
        InputError
            When covariates are missing, are not those of ``fit``, or have other rows than ``X``.
        """
        if not reset:
            check_is_fitted(self)
            if isinstance(X, Observed) and covariates is None:
                return X
        counts = self._validate(X, feature_names, reset=reset)
        if reset:
            self.design_ = designed(self, X, covariates, counts.shape[0])
        coded = encoded(self.design_, X, covariates, counts.shape[0])
        return Observed(counts, covariates=coded)

    def _checked(self, X: Any, names: ArrayLike | None, reset: bool) -> Any:
        """scikit-learn's checks, and ours of the names that it cannot see."""
        options = {"accept_sparse": "csr", "dtype": [np.float32, np.float64]}
        theirs = hasattr(X, "columns") or (self._framed and names is None)
        if X is None or reset or theirs:
            return validate_data(self, X, reset=reset, **options)
        counts = check_array(X, estimator=self, input_name="X", **options)
        self._check_columns(counts, names)
        return counts

    def _bags(self, X: Any, id2word: Any) -> Any:
        """Counts of bags of words whose ids a dictionary explains."""
        if not is_bag_stream(X) and not isinstance(X, Iterator):
            raise InputError(
                "id2word names the words of a bag-of-words corpus (lists of (word id, count)), got "
                f"a {type(X).__name__}; for counts use feature_names"
            )
        return from_bags(X, id2word=id2word)

    def _name_columns(self, names: ArrayLike) -> None:
        words = _as_words(names)
        if len(words) != self.n_features_in_:
            raise InputError(
                f"feature_names must name each of the {self.n_features_in_} columns of X, "
                f"got {len(words)} names"
            )
        self.feature_names_in_ = words

    def _check_columns(self, counts: Any, names: ArrayLike | None) -> None:
        if counts.shape[1] != self.n_features_in_:
            raise InputError(
                f"X has {counts.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input; count the words of fit"
            )
        known = getattr(self, "feature_names_in_", None)
        if names is None or known is None:
            return
        given = _as_words(names)
        if len(given) != len(known):
            raise InputError(f"X has {len(known)} columns, but feature_names has {len(given)}")
        different = np.flatnonzero(given != known)
        if len(different):
            first = different[0]
            raise InputError(
                f"the columns of X are not the words of fit: column {first} is "
                f"{given[first]!r}, and was {known[first]!r}; use the vectorizer of fit"
            )

    def _words(self) -> NDArray[np.object_]:
        """The name of every column, ``(V,)``; numbered where there are none."""
        if hasattr(self, "feature_names_in_"):
            return np.asarray(self.feature_names_in_, dtype=object)
        return np.array([str(column) for column in range(self.n_features_in_)], dtype=object)

    def _joint(self) -> Any:
        check_is_fitted(self, "objective_")
        return self.objective_.joint

    def _factors(self) -> int:
        return int(self._joint().sizes.factors)

    def _enumerates(self) -> bool:
        """Is the posterior itself exact? Then every bound is log p(x)."""
        return bool(self.objective_.posterior.exact)

    def _documents(self, counts: Observed, device: torch.device | str | None = None) -> Documents:
        """Counts, covariates and responses where the model is, or on another device."""
        device = self._device() if device is None else device

        def there(known: NDArray[Any] | None) -> torch.Tensor | None:
            return None if known is None else torch.from_numpy(known).float().to(device)

        return Documents(
            Counts.from_scipy(counts, device),
            covariates=there(counts.covariates),
            responses=there(counts.responses),
        )

    def _device(self) -> torch.device:
        return next(self.objective_.parameters()).device


def _as_words(names: ArrayLike) -> NDArray[np.object_]:
    return np.array([str(name) for name in np.asarray(names, dtype=object)], dtype=object)
