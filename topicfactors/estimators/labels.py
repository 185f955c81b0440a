"""Classes that some documents have: whole numbers with −1, or anything with None, where unseen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import column_or_1d

from topicfactors.errors import InputError
from topicfactors.values import is_whole

UNSEEN = -1  # among whole numbers; scikit-learn's convention


class Labels(NamedTuple):
    """The labels of N documents."""

    classes: NDArray[Any]  # (C,) sorted
    codes: NDArray[np.int64]  # (N,) places in classes, −1 where unseen

    def counts(self) -> NDArray[np.int64]:
        """Documents of each class, ``(C,)``."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.classes))


def read_labels(y: Any, documents: int, classes: NDArray[Any] | None = None) -> Labels:
    """The labels of so many documents, or the error that says what is wrong with them.

    Parameters
    ----------
    y
        ``(N,)``: whole numbers with −1 where unseen; or strings (or anything else that sorts) with
        None or NaN where unseen.
    documents
        N.
    classes
        Those that are known, where others are refused.

    Raises
    ------
    InputError
        When there are not N of them, they are no classes, or there are fewer than two.
    """
    if y is None:
        raise InputError(
            "SemiSupervisedClassifier requires y to be passed, but the target y is None; give a "
            "label for some of the documents and -1 or None for the others"
        )
    given = _as_given(y)
    if given.ndim == 2 and given.shape[1] == 1:
        given = column_or_1d(given, warn=True)
    if given.ndim != 1 or len(given) != documents:
        raise InputError(
            f"y must have one label for each of the {documents} rows of X, got shape {given.shape}"
        )
    unseen = _unseen(given)
    seen = given[~unseen]
    if len(seen) == 0:
        raise InputError(
            "y has no label: every document is -1 or None; label some of at least two classes, or "
            "use MixtureModel"
        )
    if seen.dtype == object:
        seen = _of_one_kind(seen)
    if seen.dtype.kind in "mM" or hasattr(seen[0], "isoformat"):
        raise InputError(
            f"y has dates, got {seen[0]!s}; expected whole numbers or strings, as in y.astype(str)"
        )
    if seen.dtype != object and type_of_target(seen) not in ("binary", "multiclass"):
        check_classification_targets(seen)
    found = np.unique(seen)
    if classes is None and len(found) < 2:
        raise InputError(
            f"y has one class, {found.tolist()[0]!r}; expected labels of at least two classes"
        )
    known = found if classes is None else classes
    strange = found[~np.isin(found, known)]
    if len(strange):
        raise InputError(f"y has the class {strange.tolist()[0]!r}, which fit has not seen")
    codes = np.full(documents, UNSEEN)
    codes[~unseen] = np.searchsorted(known, seen)
    return Labels(known, codes)


def _as_given(y: Any) -> NDArray[Any]:
    """The labels as an array, in which numbers and missing values among strings stay themselves."""
    given = np.asarray(y)
    if given.dtype.kind in "US" and not hasattr(y, "dtype"):
        return np.asarray(y, dtype=object)
    kind = getattr(getattr(y, "dtype", None), "kind", "")
    if given.dtype.kind == "f" and kind in ("i", "u", "b"):  # pandas' own, some of them missing
        return np.asarray(y.astype(object))
    return given


def _unseen(given: NDArray[Any]) -> NDArray[np.bool_]:
    """Which documents have no label."""
    if given.dtype == object:
        return np.array([_is_missing(label) for label in given], dtype=bool)
    if np.issubdtype(given.dtype, np.integer):
        return np.asarray(given == UNSEEN)
    if np.issubdtype(given.dtype, np.floating):
        return np.asarray(np.isnan(given) | (given == UNSEEN))
    if given.dtype.kind in "mM":
        return np.asarray(np.isnat(given))
    return np.zeros(len(given), dtype=bool)


def _is_missing(label: Any) -> bool:
    if label is None:
        return True
    if isinstance(label, float | np.floating):
        return bool(np.isnan(label) or label == UNSEEN)
    if type(label).__name__ in ("NAType", "NaTType"):  # pandas' own
        return True
    return is_whole(label) and label == UNSEEN


def _of_one_kind(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as an array that sorts."""
    plain = np.array(labels.tolist())
    kinds = {type(label).__name__ for label in labels}
    if plain.ndim != 1 or (len(kinds) > 1 and plain.dtype.kind in "US"):
        raise InputError(
            f"y mixes labels of the types {', '.join(sorted(kinds))}; make all of them strings, "
            "with None for the documents that have no label"
        )
    return plain
