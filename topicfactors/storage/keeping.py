"""How an estimator is kept: parameters and facts in config.json, tensors and words beside it."""

from __future__ import annotations

import abc
import numbers
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from topicfactors.errors import StorageError
from topicfactors.estimators.choices import spell
from topicfactors.storage.facts import FITTED, Fact, described, plain, restore
from topicfactors.storage.kinds import taken
from topicfactors.storage.sound import Bounded, check_arrays, check_columns, check_places
from topicfactors.wordlists import one_line

PREFIX = "objective."
OF_WORDS, OF_ROWS = ("word_totals_", "document_frequency_"), ("prevalence_", "posterior_variance_")
REMEMBERED = (
    *OF_WORDS,
    *OF_ROWS,
    "covariate_information_",
)


class Files(NamedTuple):
    """What stands beside config.json."""

    tensors: dict[str, torch.Tensor]
    words: list[str] | None
    phrases: dict[str, float]


class Keeper(abc.ABC):
    """How the estimators of one class are kept."""

    kind: ClassVar[type]

    @abc.abstractmethod
    def parameters(self, model: Any) -> dict[str, Any]:
        """What its constructor is given, as JSON can hold it.

        Raises
        ------
        ConfigurationError
            When a part is one that a folder without code cannot hold.
        """

    @abc.abstractmethod
    def facts(self, model: Any) -> dict[str, Any]:
        """What is known of the fit, as JSON can hold it.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            When there was none.
        """

    @abc.abstractmethod
    def files(self, model: Any) -> Files:
        """What is not for JSON."""

    @abc.abstractmethod
    def fill(
        self, model: Any, facts: dict[str, Any], folder: Path, words: list[str] | None
    ) -> None:
        """Make a new estimator of the same parameters what the fitted one was.

        Raises
        ------
        StorageError
            When a file of the ``folder`` is missing, damaged, or of another model.
        """


class ModelKeeper(Keeper):
    """How a model with an objective is kept; a kind of model adds what is its own.

    One more fact or array is one more entry of ``fitted``, ``remembered`` or ``sometimes``.
    """

    counted: ClassVar[str] = "factors"  # the size of the rows of prevalence_
    fitted: ClassVar[tuple[Fact, ...]] = FITTED
    remembered: ClassVar[tuple[str, ...]] = REMEMBERED  # arrays
    sometimes: ClassVar[tuple[str, ...]] = ("word_order_",)  # arrays that only some fits leave

    def check(self, model: Any) -> None:
        """Refuse parameters that make no sense."""
        raise NotImplementedError

    def registries(self, model: Any) -> Mapping[str, Any]:
        """Where the parameters that are parts are looked up."""
        raise NotImplementedError

    def sizes(self, model: Any) -> dict[str, Any]:
        """The sizes of the objective, and what else :meth:`objective` needs to know."""
        raise NotImplementedError

    def objective(self, model: Any, facts: dict[str, Any]) -> Any:
        """An objective of the same parts; the facts of the fit are in place."""
        raise NotImplementedError

    def parameters(self, model: Any) -> dict[str, Any]:
        """Parts by name, and no callbacks or generators of random numbers."""
        parameters: dict[str, Any] = model.get_params(deep=False)
        for name, registry in self.registries(model).items():
            if name in parameters:
                parameters[name] = spell(name, parameters[name], registry)
        seed = parameters["random_state"]
        kept = seed if isinstance(seed, numbers.Integral) else None
        parameters.update(callbacks=None, random_state=kept)
        return {name: plain(value) for name, value in parameters.items()}

    def facts(self, model: Any) -> dict[str, Any]:
        """Sizes, and the entries of ``fitted``."""
        check_is_fitted(model)
        words = int(model.n_features_in_)
        return {"words": words, **self.sizes(model), **described(model, self.fitted)}

    def files(self, model: Any) -> Files:
        """The state of the objective, what is remembered, and the names of the columns."""
        state = model.objective_.state_dict().items()
        tensors = {PREFIX + name: part.detach().cpu().contiguous() for name, part in state}
        there = [name for name in self.sometimes if getattr(model, name, None) is not None]
        for name in (*self.remembered, *there):
            tensors[name] = torch.from_numpy(np.ascontiguousarray(getattr(model, name)))
        named = getattr(model, "feature_names_in_", None)
        return Files(tensors, None if named is None else [str(word) for word in named], {})

    def fill(
        self, model: Any, facts: dict[str, Any], folder: Path, words: list[str] | None
    ) -> None:
        """Facts, then an objective that they describe, then its weights."""
        self.check(model)
        if taken(int | None, model.random_state) is not None:
            check_random_state(model.random_state)
        words_, rows = (taken(int, facts[name]) for name in ("words", self.counted))
        path = folder / "weights.safetensors"
        tensors = self._tensors(path, facts)
        restore(model, self.fitted, facts)
        self._check(model, tensors, words_, rows)
        model.n_iter_ = len(model.history_)
        for name in (*self.remembered, *(name for name in self.sometimes if name in tensors)):
            setattr(model, name, tensors[name].numpy())
        weights = {
            name.removeprefix(PREFIX): part
            for name, part in tensors.items()
            if name.startswith(PREFIX)
        }
        with Bounded(path.stat().st_size):
            model.objective_ = self.objective(model, facts)
        model.objective_.load_state_dict(weights)
        check_arrays(dict(model.objective_.named_parameters()))
        model.objective_.eval()
        model.n_features_in_ = facts["words"]
        if words is None:
            return
        model.feature_names_in_ = np.array(words, dtype=object)
        if len(words) != facts["words"]:
            raise StorageError(
                f"{folder}/vocabulary.txt: {len(words)} words where the model "
                f"has {facts['words']}; save the model again"
            )

    def _check(self, model: Any, tensors: dict[str, torch.Tensor], words: int, rows: int) -> None:
        """Refuse facts and arrays that are not of so many words and rows."""
        if len(model.status_) != rows or model.n_documents_ < 0:
            raise ValueError(f"{len(model.status_)} of status for {rows} {self.counted}")
        for attribute in ("anchored_", "named_"):
            check_places(self.counted, getattr(model, attribute, {}), rows)
        shapes = {**dict.fromkeys(OF_WORDS, (words,)), **dict.fromkeys(OF_ROWS, (rows,))}
        check_arrays({name: tensors[name] for name in shapes}, shapes)
        if "word_order_" in tensors:
            check_columns(tensors["word_order_"], rows, words)

    def asked(self, model: Any, facts: dict[str, Any], *automatic: str) -> dict[str, Any]:
        """Parameters, with what ``"auto"`` meant: that may change between versions."""
        asked: dict[str, Any] = {**model.get_params(deep=False)}
        return asked | {name: facts[name] for name in automatic if asked[name] == "auto"}

    def _tensors(self, path: Path, facts: dict[str, Any]) -> dict[str, torch.Tensor]:
        """Every tensor, where they are those of the model that config.json describes."""
        try:
            with safe_open(path, framework="pt") as source:
                shape = source.get_slice("objective.joint.decoder.bias").get_shape()
                rows = source.get_slice("prevalence_").get_shape()
                if shape != [facts["words"]] or rows != [facts[self.counted]]:
                    raise StorageError(f"{path}: of another model than config.json describes")
                return {name: source.get_tensor(name) for name in source.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise StorageError(
                f"{path}: cannot be read: {one_line(error)}; save the model again, or take a copy "
                "of it"
            ) from error
