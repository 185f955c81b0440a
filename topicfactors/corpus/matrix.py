"""Document-word counts that remember which word each column is."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray


class CountsMatrix(scipy.sparse.csr_matrix):  # type: ignore[misc]
    """A SciPy CSR matrix ``(N, V)`` with ``feature_names``: the word of each column.

    Selecting rows, copying and changing the type keep the names; whatever changes the columns
    gives a matrix without them.

    >>> counts = CountsMatrix([[1, 0], [2, 3]], feature_names=["steam", "engine"])
    >>> counts[1:].feature_names.tolist(), counts[:, :1].feature_names
    (['steam', 'engine'], None)
    """

    feature_names: NDArray[np.object_] | None = None

    def __init__(self, *args: Any, feature_names: ArrayLike | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        if feature_names is not None:
            self.feature_names = np.asarray(feature_names, dtype=object)

    def _named(self, other: Any) -> Any:
        if isinstance(other, CountsMatrix) and other.shape[1] == self.shape[1]:
            other.feature_names = self.feature_names
        return other

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        columns = key[1] if isinstance(key, tuple) and len(key) == 2 else slice(None)
        whole = columns is Ellipsis or (isinstance(columns, slice) and columns == slice(None))
        return self._named(found) if whole else found

    def copy(self) -> Any:
        """A copy, with the names."""
        return self._named(super().copy())

    def astype(self, *args: Any, **options: Any) -> Any:
        """The same counts in another type, with the names."""
        return self._named(super().astype(*args, **options))
