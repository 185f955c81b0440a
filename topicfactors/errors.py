"""Everything that can go wrong, as one tree.

::

    TopicFactorsError
    ├── InputError(ValueError)          documents, counts or arguments that cannot be used
    ├── ConfigurationError(ValueError)  names or parts that do not exist or do not fit together
    ├── StorageError                    a file or folder that cannot be read or written
    └── FitError                        training that could not produce a model

    TopicFactorsWarning(UserWarning)
    ├── CorpusWarning                   documents kept, but not as they came
    └── FitWarning                      a model was produced, but read this first

Every message says what was wrong, where, what is allowed and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class TopicFactorsError(Exception):
    """Base of every error that this package raises on purpose."""


class InputError(TopicFactorsError, ValueError):
    """Documents, counts or arguments that cannot be used as they are."""


class ConfigurationError(TopicFactorsError, ValueError):
    """A name that does not exist, or parts that do not fit together."""


class StorageError(TopicFactorsError):
    """A file or folder that cannot be read or written."""


class FitError(TopicFactorsError, RuntimeError):
    """Training that could not produce a usable model."""


class TopicFactorsWarning(UserWarning):
    """Base of every warning that this package issues."""


class CorpusWarning(TopicFactorsWarning):
    """Documents that were kept, but not as they came."""


class FitWarning(TopicFactorsWarning):
    """A model was produced, but something about it should be known."""


def nearest(name: object, allowed: Iterable[str]) -> str:
    """What to add to a message where one of the names is nearly the one given, else nothing.

    >>> nearest("pydoc", ["lee", "pydocs"])
    "; did you mean 'pydocs'?"
    """
    near = difflib.get_close_matches(str(name), list(allowed), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def unknown_name(what: str, name: object, allowed: Iterable[str]) -> ConfigurationError:
    """The error for a name that is not in a registry, with the nearest one that is.

    >>> str(unknown_name("inference", "nvill", ["nvil", "dvae"]))
    "inference must be one of 'dvae', 'nvil', got 'nvill'; did you mean 'nvil'?"
    """
    names = sorted(allowed)
    return ConfigurationError(
        f"{what} must be one of {', '.join(map(repr, names))}, got {name!r}{nearest(name, names)}"
    )
