"""The comparison behind :func:`topicfactors.studies.gradients`, one estimator after the other."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.base import clone

from topicfactors.errors import ConfigurationError, InputError
from topicfactors.estimators import parts
from topicfactors.estimators.base import seeded, threads
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.gradients import GRADIENTS
from topicfactors.studies import contestants
from topicfactors.studies.contestants import Contestant, Named
from topicfactors.studies.drawing import TOGETHER, Scene, draw_many, warm_up
from topicfactors.studies.moments import GROUPS, Reference
from topicfactors.studies.races import Budget, Held, Outcome, cost, race
from topicfactors.studies.results import GradientStudy, Row, Settings, order
from topicfactors.values import number, whole

ENUMERATED = 12  # factors up to which the reference is exact
PRECISE = ("local-expectation", "rloo", "nvil")  # references, the least variance first
HELD_OUT = 0.1  # share of the documents, where none are given


class References(NamedTuple):
    """What gradients are held against."""

    name: str
    logits: Reference
    encoder: Reference

    @property
    def length(self) -> float:
        """Root mean square over documents of the length of the gradient in the logits."""
        square = self.logits.mean.square().sum(-1) - self.logits.error.sum(-1)
        return math.sqrt(max(0.0, float(square.mean())))

    @property
    def error(self) -> float:
        """Its own standard error, likewise."""
        return math.sqrt(float(self.logits.error.sum(-1).mean()))


class Comparison:
    """Gradient estimators to be put side by side, prepared and checked.

    Going over it measures one estimator after the other, so that what was measured before an
    interruption is there; :meth:`study` makes the rest of it.

    Parameters
    ----------
    model, X, estimators, X_held_out, covariates, held_out_covariates, documents, draws,
    reference_draws, warm_up, seconds, evaluations, samples, random_state
        As for :func:`gradients`.
    """

    def __init__(
        self,
        model: BinaryFactorModel,
        X: Any,
        estimators: Iterable[Named] | None = None,
        *,
        X_held_out: Any = None,
        covariates: Any = None,
        held_out_covariates: Any = None,
        documents: int = 64,
        draws: int = 200,
        reference_draws: int = 5000,
        warm_up: int = 300,
        seconds: float = 5.0,
        evaluations: float = 20.0,
        samples: int = 32,
        random_state: int = 0,
    ) -> None:
        check_numbers(documents, draws, reference_draws, seconds, evaluations, samples)
        whole("warm_up", warm_up, 0)
        whole("random_state", random_state, 0)
        self.model, self.seed, self.samples = model, random_state, samples
        self.seconds, self.evaluations = float(seconds), float(evaluations)
        self.draws = GROUPS * math.ceil(draws / GROUPS)
        self.reference_draws, self.warm_up = reference_draws, warm_up
        self.chosen, self.refused = listed(model, estimators)
        if not hasattr(model, "objective_"):
            self.model = self._fitted(X, covariates)
        self._divide(X, covariates, X_held_out, held_out_covariates)
        self.drawn = min(documents, self.training.shape[0])
        self.references: References | None = None

    def _fitted(self, X: Any, covariates: Any) -> BinaryFactorModel:
        """A clone of the model, fitted first: with what it says, else with what is sampled."""
        inference = contestants.usual(self.model)
        model: BinaryFactorModel = clone(self.model).set_params(inference=inference)
        return model.fit(X, covariates=covariates)

    def _divide(self, X: Any, covariates: Any, held_out: Any, known: Any) -> None:
        """The documents of the training, and those that are held out for scores."""
        counts = self.model._observed(X, covariates)
        if held_out is None:
            rows = np.random.default_rng(self.seed).permutation(counts.shape[0])
            few = max(1, round(HELD_OUT * len(rows)))
            if len(rows) <= few:
                raise InputError(
                    f"X has {len(rows)} document, of which some are held out; give 2 or more"
                )
            self.training, self.held_out = counts[np.sort(rows[few:])], counts[np.sort(rows[:few])]
        else:
            self.training, self.held_out = counts, self.model._observed(held_out, known)

    def __iter__(self) -> Iterator[Row]:
        """Measure one estimator after the other."""
        objective = self.model.objective_
        device = next(objective.parameters()).device
        self.documents = self.model._documents(self.training.without_responses())
        self.held = Held(self.model._documents(self.held_out.without_responses()), self.samples)
        generator = torch.Generator().manual_seed(self.seed)
        rows = torch.randperm(self.training.shape[0], generator=generator)[: self.drawn]
        self.scene = Scene(objective, self.documents.batch(rows.sort().values.to(device)))
        with threads(self.model.n_jobs):
            with seeded(self.seed, device):
                self.references = self._references()
                self.start = contestants.started(
                    self._parts(), self.model, self.factors, self.training, self.seed
                )
            for contestant in self.chosen:
                with seeded(self._seed(contestant.label), device):
                    row = self._measured(contestant, device)
                yield row

    @property
    def factors(self) -> int:
        """Number of factors D."""
        return int(self.model.objective_.joint.sizes.factors)

    def study(self, rows: Iterable[Row]) -> GradientStudy:
        """The rows measured so far, with how they were made."""
        measured = order(list(rows))
        return GradientStudy(self._settings(), measured, tuple(self.refused))

    def _seed(self, label: str) -> int:
        """Of one estimator, whichever others are measured."""
        return (self.seed + zlib.crc32(label.encode())) % 2**31

    def _parts(self) -> Any:
        return parts.choose(self.model.get_params(deep=False), self.factors)

    def _references(self) -> References | None:
        """The exact gradient, or the mean of many draws."""
        if not any(contestant.sampled for contestant in self.chosen):
            return None
        if self.factors <= ENUMERATED:
            return References("the exact gradient", *self.scene.exact())
        known = [name for name in PRECISE if name in GRADIENTS]
        able, _ = contestants.contestants(self.model, self.factors, known)
        best = able[0]
        gradient = self._gradient(best, samples=TOGETHER)
        warm_up(self.scene, gradient, self.documents, self.warm_up, self.seed)
        calls = max(2, math.ceil(self.reference_draws / TOGETHER))
        logits, encoder = draw_many(self.scene, gradient, calls)
        name = f"the mean of {calls * TOGETHER:,} draws of {best.label}"
        return References(name, logits.reference(), encoder.reference())

    def _gradient(self, contestant: Contestant, **options: Any) -> Any:
        """A new estimator for the fitted model."""
        choice, objective = contestant.parts.inference, self.model.objective_
        built = choice._replace(options=choice.options | options)
        made = parts.sound("inference", built, objective.gradient.sizes)
        return made.to(next(objective.parameters()).device)

    def _measured(self, contestant: Contestant, device: torch.device) -> Row:
        logits = encoder = None
        if contestant.sampled and self.references is not None:
            gradient = self._gradient(contestant)
            warm_up(self.scene, gradient, self.documents, self.warm_up, self.seed)
            drawn, of_encoder = draw_many(self.scene, gradient, self.draws)
            logits = drawn.figures(self.references.logits)
            encoder = of_encoder.figures(self.references.encoder)
        size = contestant.kind.batch_size
        found = cost(self._begun(contestant, device), self.documents, size, self.seed)
        return Row(
            contestant.label,
            contestant.objective,
            bool(getattr(contestant.kind, "unbiased", False)),
            logits,
            encoder,
            found,
            self._race(contestant, device, Budget(seconds=self.seconds)) if self.seconds else None,
            self._race(contestant, device, Budget(walks=self.evaluations))
            if self.evaluations
            else None,
        )

    def _begun(self, contestant: Contestant, device: torch.device) -> Any:
        torch.manual_seed(self.seed)
        return contestants.begun(contestant, self.start, device)

    def _race(self, contestant: Contestant, device: torch.device, budget: Budget) -> Outcome:
        objective = self._begun(contestant, device)
        return race(objective, self.documents, self.held, budget, self.seed)

    def _settings(self) -> Settings:
        references, chosen = self.references, self._parts()
        return Settings(
            self.factors,
            self.training.shape[1],
            self.training.shape[0],
            self.held_out.shape[0],
            chosen.posterior.label,
            chosen.likelihood.label,
            self.drawn,
            self.draws,
            "nothing" if references is None else references.name,
            0.0 if references is None else references.length,
            0.0 if references is None else references.error,
            self.seconds,
            self.evaluations,
            self.samples,
            self.seed,
        )


def listed(
    model: BinaryFactorModel, estimators: Iterable[Named] | None
) -> tuple[list[Contestant], list[contestants.Refused]]:
    """The estimators that can serve the model, and the others with the reason.

    Raises
    ------
    ConfigurationError
        When a name is unknown, or none of them can.
    """
    if not isinstance(model, BinaryFactorModel):
        raise ConfigurationError(
            f"model must be a BinaryFactorModel, got a {type(model).__name__}; the gradients of "
            "other models are not through binary factors"
        )
    if hasattr(model, "objective_"):
        contestants.require_sampled(model)
        factors = int(model.objective_.joint.sizes.factors)
    else:
        whole("n_components", model.n_components, 1)
        factors = int(model.n_components)
        model = clone(model).set_params(inference=contestants.usual(model))
    asked = None if estimators is None else list(estimators)
    if asked == []:
        raise ConfigurationError(
            "estimators must have at least one name, as in ['nvil', 'gumbel-softmax'], got none; "
            "leave it out for all of them"
        )
    found, refused = contestants.contestants(model, factors, asked)
    if not found:
        raise ConfigurationError(f"estimators: none can serve this model: {refused[0].reason}")
    return found, refused


def check_numbers(
    documents: int,
    draws: int,
    reference_draws: int,
    seconds: float,
    evaluations: float,
    samples: int,
) -> None:
    """Refuse numbers that make no sense.

    Raises
    ------
    ConfigurationError
        "<name> must be …, got …".
    """
    whole("documents", documents, 1)
    whole("draws", draws, 2)
    whole("reference_draws", reference_draws, 2)
    whole("samples", samples, 1)
    number("seconds", seconds)
    number("evaluations", evaluations)
