"""Names of factors, components and their like: numbers, until a user gives them others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import ConfigurationError, InputError, nearest
from topicfactors.estimators.base import CountsEstimator
from topicfactors.values import is_whole

RESERVED = (
    "component",
    "id",
    "label",
    "on",
    "predicted",
    "response",
    "strongest",
)  # columns of tables beside the factors
FACTOR = "factor_"  # before the numbers of those without a name
LISTED = 6  # names, at most, in an error

Key = int | str
Names = Mapping[Key, str | None] | Sequence[Key | None]


def check_name(what: str, name: object) -> None:
    """Refuse what cannot be a name in every table.

    Raises
    ------
    ConfigurationError
        When it is empty, of several lines, a number, or what tables call something else.

    Examples
    --------
    >>> check_name("a name", "steam engines")
    """
    if (
        not isinstance(name, str)
        or not name.strip()
        or not name.isprintable()
        or name.isdecimal()
        or name.startswith(FACTOR)
        or name in RESERVED
    ):
        raise ConfigurationError(
            f"{what} must be text on one line, not a number, and none of "
            f"{', '.join(RESERVED)} or {FACTOR}…, which tables use; got {name!r}"
        )


class NamingMixin(CountsEstimator):
    """factor_names_ and set_names."""

    _noun: ClassVar[str] = "factor"
    named_: dict[str, int]  # by set_names

    @property
    def factor_names_(self) -> list[int | str]:
        """The name of each factor (or component) that has one, else its number."""
        names = {place: name for name, place in self._names().items()}
        return [names.get(number, number) for number in range(self._nameable())]

    def set_names(self, names: Names) -> Self:
        """Give factors (or components) names, in place of their numbers, in every table.

        Parameters
        ----------
        names
            ``{3: "steam engines", "old name": "new name"}``: numbers, or names so far, with the new
            names; None takes a name away. Or a list with a name, or its number, for each.

        Returns
        -------
        The model itself; nothing else of it changes.

        Raises
        ------
        InputError
            When there is no such factor, or a list has another length.
        ConfigurationError
            When a name is no text on one line, is one that tables use, or comes twice.

        Examples
        --------
        >>> import numpy as np
        >>> from topicfactors import MixtureModel
        >>> model = MixtureModel(2, random_state=0).fit(np.eye(4))
        >>> model.set_names({1: "steam"}).factor_names_
        [0, 'steam']
        """
        check_is_fitted(self, "objective_")
        wanted, given = self._wanted_names(names), getattr(self, "named_", {})
        kept = {name: place for name, place in given.items() if place not in wanted}
        named = kept | {name: place for place, name in wanted.items() if name is not None}
        places = set(named.values())
        others = [name for name, place in self._anchored().items() if place not in places]
        listed = [name for name in wanted.values() if name is not None]
        counted = Counter([*listed, *kept, *others])
        twice = [name for name, times in counted.items() if times > 1]
        if twice:
            raise ConfigurationError(
                f"two {self._noun}s would be called {twice[0]!r}; give each a name of its own"
            )
        self.named_ = named
        return self

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of ``transform``, ``(D,)``.

        Yours where there is one, else the name of the class in small letters and the number;
        ``input_features`` is ignored, as scikit-learn has it.
        """
        names = np.array(super().get_feature_names_out(input_features), dtype=object)
        for name, place in self._names().items():
            names[place] = name
        return names

    def _wanted_names(self, names: Names) -> dict[int, str | None]:
        """The new name of each place that is mentioned."""
        rows = self._nameable()
        if isinstance(names, str) or not isinstance(names, Mapping | Sequence):
            raise ConfigurationError(
                f"names must be a dict such as {{3: 'steam engines'}} or a list with a name for "
                f"each {self._noun}, got {names!r}"
            )
        pairs: Iterable[tuple[Any, Any]]
        if isinstance(names, Mapping):
            pairs = [(self._number_of(key), name) for key, name in names.items()]
        elif len(names) != rows:
            raise InputError(
                f"names must be one for each of the {rows} {self._noun}s, got {len(names)}"
            )
        else:
            own = enumerate(names)
            pairs = [(row, None if is_whole(name) and name == row else name) for row, name in own]
        wanted: dict[int, str | None] = {}
        for place, name in pairs:
            if name is not None:
                check_name(f"the name of a {self._noun}", name)
            if place in wanted:
                raise ConfigurationError(f"{self._noun} {place} is named twice; name it once")
            wanted[place] = name
        return wanted

    def _number_of(self, key: object, where: str = "") -> int:
        """The number of a factor that is called by its number or its name, ``where`` it was asked.

        Raises
        ------
        InputError
            When there is none.
        """
        rows, names = self._nameable(), self._names()
        if isinstance(key, str) and key in names:
            return names[key]
        if isinstance(key, str) and key.isdecimal():
            key = int(key)
        if is_whole(key) and 0 <= key < rows:
            return int(key)
        some = [*map(repr, list(names)[:LISTED]), *["…"] * (len(names) > LISTED)]
        known = ", ".join([f"{self._noun}s 0 to {rows - 1}", *some])
        raise InputError(
            f"{where}there is no {self._noun} {key!r}; this model has {known}{nearest(key, names)}"
        )

    def _names(self) -> dict[str, int]:
        """Where those that have names are."""
        given = getattr(self, "named_", {})
        taken = set(given.values())
        return {n: place for n, place in self._anchored().items() if place not in taken} | given

    def _anchored(self) -> dict[str, int]:
        """Where the factors are that a fit was told to name."""
        return getattr(self, "anchored_", {})

    def _move_names(self, order: Iterable[int]) -> None:
        """What was at place ``order[d]`` is now at d; names of those that are not there go."""
        places = {int(before): now for now, before in enumerate(order)}
        for attribute in ("anchored_", "named_"):
            if hasattr(self, attribute):
                found = getattr(self, attribute).items()
                kept = {name: places[before] for name, before in found if before in places}
                setattr(self, attribute, kept)

    def _forget_names(self) -> None:
        """The factors of another fit have no names, and nothing was done to them."""
        self.named_ = {}
        self.__dict__.pop("edits_", None)

    def _nameable(self) -> int:
        """How many there are to be named."""
        return self._factors()
