"""Checkpoints of ``topicfactors fit``: where they are, who goes on from them, and when they go.

They are in RUN.checkpoints, beside RUN, until the run is written whole.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from topicfactors.cli.console import finishing_steps, note
from topicfactors.errors import InputError

if TYPE_CHECKING:
    from topicfactors.cli.reports import Then

EVERY = 300.0  # seconds between checkpoints
TOLD_OTHERWISE = ("corpus", "anchors", "vocabulary")  # by what is in them
OF_THE_MACHINE = ("device", "threads", "strict")


class Asked(NamedTuple):
    """What was asked for on the command line."""

    resume: bool = False
    every: float = EVERY  # seconds; 0: none
    force: bool = False


class Keeping:
    """The checkpoints of one fit.

    Parameters
    ----------
    output
        RUN, where it was named.
    folder
        RUN.
    asked
        Whether to go on, and how often to save.

    Raises
    ------
    InputError
        When there is nothing that could be gone on from.
    """

    def __init__(self, output: Path | None, folder: Path, asked: Asked) -> None:
        self.run, self.asked = folder, asked
        self.folder = folder.parent / f"{folder.name}.checkpoints"
        self.checkpoints: Any = None
        if asked.resume and output is None:
            raise InputError("--resume: go on with which run? name it with -o RUN")
        if asked.resume and not asked.every:
            raise InputError("--resume is of checkpoints, and --checkpoint-every 0 keeps none")

    @property
    def replaces(self) -> bool:
        """May what is at RUN be replaced? When it is what an interrupted fit has left there."""
        there = self.folder.glob("training-*.json")  # an empty folder says nothing of RUN
        return self.asked.force or (self.asked.resume and any(there))

    def look(self, model: Any, options: Mapping[str, Any]) -> None:
        """Refuse, before the corpus is read, what cannot be gone on from.

        Raises
        ------
        ConfigurationError, StorageError
            With the cure.
        """
        if not self.asked.every or not _has_steps(model):
            return
        from topicfactors.training.checkpoint import Checkpoints

        others = (*TOLD_OTHERWISE, *OF_THE_MACHINE)
        compared = {name: value for name, value in options.items() if name not in others}
        resume, force = self.asked.resume, self.asked.force
        self.checkpoints = Checkpoints(
            self.folder,
            every=self.asked.every,
            epochs=None,
            resume=resume,
            overwrite=force,
            options=compared,
        )
        self.checkpoints.look()

    def callbacks(self) -> list[Any]:
        """What a training has to tell."""
        return [] if self.checkpoints is None else [self.checkpoints]

    @contextlib.contextmanager
    def training(self, quiet: bool = False) -> Iterator[None]:
        """Let SIGINT and SIGTERM wait for the end of a step, where it can be saved then."""
        if self.checkpoints is None:
            yield
            return
        if self.asked.resume and (there := self.checkpoints.shelf.places()):
            note(f"going on from {self.folder}, epoch {there[-1].epoch}", quiet=quiet)
        with finishing_steps(self.checkpoints):
            yield

    @property
    def interruption(self) -> BaseException | None:
        """One that no step has heard, as training was over."""
        return None if self.checkpoints is None else self.checkpoints.interruption

    @contextlib.contextmanager
    def telling(self, quiet: bool = False) -> Iterator[None]:
        """Where a fit ends before its run is written, say what there is to go on from."""
        try:
            yield
        except BaseException as error:
            if self.checkpoints is not None and self.checkpoints.last and self.how:
                kept = f"the training so far is kept in {self.folder}; {self.how}"
                if isinstance(error, KeyboardInterrupt):
                    error.args = (f"interrupted; {kept}",)
                else:
                    note(kept, quiet=quiet)
            raise

    @property
    def how(self) -> str:
        """How to go on; empty where one cannot."""
        if self.checkpoints is None or not self.checkpoints.shelf.places():
            return ""
        return f"the same command with -o {self.run} --resume goes on"

    def before(self, then: Then | None, interruption: BaseException | None) -> Then:
        """What is done when the run is there: they are deleted, unless they are to be gone on from.

        ``then`` comes after.
        """

        def written(*told: Any) -> None:
            if self.checkpoints is not None and interruption is None:
                self.checkpoints.forget()
            if then is not None:
                then(*told)

        return written


def _has_steps(model: Any) -> bool:
    """Is it trained by the gradient?"""
    from topicfactors.estimators import class_parts
    from topicfactors.estimators.mixture import MixtureModel
    from topicfactors.estimators.semisupervised import SemiSupervisedClassifier

    chosen = model.get_params(deep=False)
    if isinstance(model, MixtureModel):
        return not class_parts.choose(chosen, covariates=model.covariates is not None).closed
    if isinstance(model, SemiSupervisedClassifier):
        return not class_parts.choose_classifier(chosen).closed
    return True
