"""Checkpoints: a training that is stopped, killed or cut off goes on where it was."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from topicfactors.errors import ConfigurationError, FitWarning, StorageError
from topicfactors.training.callbacks import Epoch, refuse_keepers
from topicfactors.training.configuration import (
    circumstances_of,
    configuration_of,
    differences,
    plain,
)
from topicfactors.training.shelf import Place, Shelf, place_of
from topicfactors.training.snapshots import Snapshot, used, write_snapshot
from topicfactors.values import number, whole

AGREED = 8  # steps after which several processes ask each other whether to save or to stop


class Checkpoints:
    """Keeps a training on disk while it lasts, and lets a later fit go on from there.

    Give it to an estimator among its ``callbacks``. A fit with the same parameters, counts and
    ``random_state`` that is given ``resume=True`` then ends in the same bits as if it had never
    been stopped, on the same machine with the same number of threads. Of a fit that trains several
    times (``n_runs``, ``n_components="auto"``, cross-validation) those trainings that were over are
    not repeated. One object is for one fit.

    A checkpoint has the weights, the optimiser, the best weights so far, what is known of each
    document, the states of the random numbers and the place in the corpus; two files, JSON and
    safetensors, each written whole or not at all. Where it cannot be written, a warning says so
    once, and training goes on. docs/interrupted.md has more.

    Parameters
    ----------
    folder
        Where; made with its parents. It may hold nothing else that is called ``training-…``.
    every
        Seconds after which the next step is followed by a checkpoint; None for none by time.
    epochs
        Passes after which there is one, whatever the time; None for none but the one at the end.
    keep
        Last checkpoints that are kept.
    resume
        Go on from the last checkpoint in the folder. Where there is none, a warning says so, and
        training begins at its beginning.
    overwrite
        Without ``resume``: replace checkpoints that are there, which otherwise are refused.
    options
        What was asked for, by the names that a user knows; others than those of the checkpoint are
        refused by these names.

    Raises
    ------
    ConfigurationError
        When a parameter is out of range.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from topicfactors import BinaryFactorModel
    >>> counts = np.array([[4, 3, 0, 0], [0, 0, 5, 2], [3, 4, 0, 1], [0, 0, 3, 4]] * 5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for resume in (False, True):
    ...         kept = Checkpoints(folder, resume=resume)
    ...         model = BinaryFactorModel(2, random_state=0, callbacks=[kept])
    ...         print(model.fit(counts).n_iter_)
    24
    24
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        every: float | None = 300.0,
        epochs: int | None = 1,
        keep: int = 2,
        resume: bool = False,
        overwrite: bool = False,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if every is not None:
            number("every", every, open_ends="low")
        if epochs is not None:
            whole("epochs", epochs, 1)
        whole("keep", keep, 1)
        self.folder, self.every, self.epochs, self.keep = Path(folder), every, epochs, keep
        self.resume, self.overwrite = resume, overwrite
        self.options = dict(options or {})
        self.shelf = Shelf(self.folder)
        self.trainings = 0  # that have begun
        self.interruption: BaseException | None = None  # that waits for the end of a step
        self._trainer: Any = None
        self._looked = self._complained = False
        self.last: Place | None = None  # that was written, or gone on from

    @property
    def at_work(self) -> bool:
        """Is there a training, so that :meth:`stop` will be heard?"""
        return self._trainer is not None

    def stop(self, interruption: BaseException) -> None:
        """Let the step in progress end, save, and raise this there; a signal handler may call it.

        ``interruption`` is a KeyboardInterrupt, or whatever else the training is to end with.
        """
        self.interruption = interruption

    def look(self) -> None:
        """Refuse, before anything is done, what will not do: asked for by the first training.

        Raises
        ------
        ConfigurationError
            When the checkpoints are of other options.
        StorageError
            When there are checkpoints that nobody asked to go on from or to replace, or when
            the folder cannot be written to.
        """
        self._looked = True
        self.shelf.refuse()
        there = self.shelf.places()
        if there and not self.resume and not self.overwrite:
            raise StorageError(
                f"{self.folder} holds the checkpoints of an earlier fit, and they are kept; go on "
                "from them (--resume, or resume=True), or start anew (--force, or overwrite=True)"
            )
        if not there and self.resume:
            warnings.warn(
                f"{self.folder}: there is no checkpoint to go on from; the fit begins at its "
                "beginning",
                FitWarning,
                stacklevel=4,
            )
        facts = self.shelf.facts() if self.resume else None
        if facts is not None:
            self._refuse(differences(facts["options"], plain(self.options)))

    def forget(self) -> None:
        """Delete the checkpoints, and the folder where nothing else is in it."""
        self.shelf.clear()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def begun(self, trainer: Any) -> None:
        """Called before the first step of a training: goes on from the last checkpoint of it.

        Raises
        ------
        ConfigurationError
            When that is of another configuration.
        StorageError
            When none of those that are there can be read.
        """
        if not self._looked:
            self.look()
        self.trainings += 1
        self._facts = {
            "options": plain(self.options),
            "configuration": configuration_of(trainer),
            "circumstances": circumstances_of(trainer),
        }
        if self.resume:
            self._go_on(trainer)
        elif self.trainings == 1:
            self.shelf.clear()
        self._trainer, self._since = trainer, time.monotonic()

    def stepped(self, trainer: Any) -> None:
        """Called after every step: saves where it is time, or where it is told to stop."""
        if trainer.world.size > 1 and trainer.state.steps % AGREED:
            return
        stop, due = self._agreed(trainer)
        if stop:
            self._leave(trainer)
        elif due:
            self._save(trainer)

    def __call__(self, epoch: Epoch) -> None:
        """Called after every epoch.

        Raises
        ------
        ConfigurationError
            Where what is fitted has no steps to go on between.
        """
        if self._trainer is None:
            refuse_keepers([self])
        if self._agreed(self._trainer)[0]:
            self._leave(self._trainer)
        elif self.epochs is not None and epoch.number % self.epochs == 0:
            self._save(self._trainer)

    def ended(self, trainer: Any) -> None:
        """Called when training is over; what it came to is kept until the next one has some."""
        if self._trainer is None:
            return  # it never began
        self._trainer, history = None, trainer.state.history
        over = not (history.interruption or history.fault or self.interruption)
        between = bool(history.epochs) and trainer.state.steps == 0
        if over and between and place_of(trainer, self.trainings) != self.last:
            self._save(trainer)

    def _leave(self, trainer: Any) -> None:
        self._save(trainer)
        interruption, self.interruption = self.interruption, None
        if interruption is not None:
            raise interruption

    def _agreed(self, trainer: Any) -> tuple[bool, bool]:
        """Was one of the processes told to stop, and is it time by the clock of the first?"""
        said = [self.interruption is not None, self._is_due(trainer)]
        stop, due = trainer.world.any(said, trainer.step.device)
        if stop and self.interruption is None:
            self.interruption = KeyboardInterrupt()
        return stop, due

    def _is_due(self, trainer: Any) -> bool:
        if self.every is None or not trainer.world.first:
            return False
        return time.monotonic() - self._since >= self.every

    def _save(self, trainer: Any) -> None:
        place = place_of(trainer, self.trainings)
        try:
            write_snapshot(self.shelf.path(place), trainer.state_dict(), self._facts)
        except StorageError as error:
            if not self._complained:
                _note(f"no checkpoint: {error}; training goes on, and earlier ones are kept")
            self._complained = True
        else:
            self.last, self._complained = place, False
            process = place.process
            self.shelf.keep(self.shelf.places(self.trainings, process), self.keep)
            self.shelf.keep(self.shelf.places(self.trainings - 1, process), 1)
        self._since = time.monotonic()

    def _go_on(self, trainer: Any) -> None:
        places, torn, why = self.shelf.shared(trainer, self.trainings), list[Place](), ""
        if not places:
            self._refuse_others()
        while places:
            place = places.pop()
            fault = used(self.shelf.path(place), partial(self._put_back, trainer))
            if not trainer.world.any([bool(fault)], trainer.step.device)[0]:
                self.last = place
                self._tell(place, torn, why)
                return
            torn, why = [*torn, place], fault or f"{self.shelf.path(place)}: damaged elsewhere"
        if torn:
            raise StorageError(
                f"{why}; there is no other checkpoint to go on from: start anew (--force, or "
                "overwrite=True, without resuming)"
            )

    def _put_back(self, trainer: Any, found: Snapshot) -> None:
        now, then = self._facts, found.facts
        self._refuse(differences(then["options"], now["options"]))
        self._refuse(differences(then["configuration"], now["configuration"]))
        trainer.load_state_dict(found.state)
        self._others = differences(then["circumstances"], now["circumstances"])

    def _refuse_others(self) -> None:
        """Refuse to begin anew because there are more processes, or fewer."""
        _, now = self._facts["configuration"]["processes"]
        facts = self.shelf.facts()
        then = now if facts is None else facts["configuration"].get("processes", [0, now])[1]
        self._refuse("" if then == now else f"{then} processes, now {now}")

    def _tell(self, place: Place, torn: list[Place], why: str) -> None:
        """Say what should be known of the checkpoint that is gone on from."""
        for each in torn:
            self.shelf.delete(each)
        if torn:
            _note(f"{why}; the fit goes on from the checkpoint before, {place.name}")
        if self._others:
            _note(
                f"{self.folder}: the checkpoint was made with {self._others}; the fit goes on, "
                "though not to the last bit as it would have there"
            )

    def _refuse(self, found: str) -> None:
        if found:
            raise ConfigurationError(
                f"{self.folder}: the checkpoint is of another fit: {found}; give what it was "
                "begun with, or start anew (--force, or overwrite=True, without resuming)"
            )


def _note(text: str) -> None:
    warnings.warn(text, FitWarning, stacklevel=4)
