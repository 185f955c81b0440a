"""The steps of ``topicfactors sweep``: counts, fits side by side, a table and files."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import typer

from topicfactors.cli.console import exit_status, note, notes_for_warnings
from topicfactors.cli.fitting import SMALL, Fit
from topicfactors.cli.models import SEMISUPERVISED, model_for
from topicfactors.corpus.count_readers import is_counts
from topicfactors.errors import InputError

ELSEWHERE = ("corpus", "factors", "seed", "device", "threads")
"""Options that are in the fits' own names, or say nothing of them."""


class Sweep(Fit):
    """One sweep, which reads its corpus as a fit does.

    Parameters
    ----------
    options, typed, quiet, as_json
        As for :class:`Fit`.
    numbers
        Of factors, in ascending order.
    """

    def __init__(
        self,
        options: dict[str, Any],
        typed: Collection[str],
        quiet: bool,
        as_json: bool,
        numbers: list[int],
    ) -> None:
        if options["model"] == SEMISUPERVISED:
            raise InputError(
                "--model semisupervised has a class for each label, and no number to choose; use "
                "factor or mixture"
            )
        super().__init__({**options, "factors": numbers[-1]}, typed, quiet, as_json)
        self.numbers = numbers

    def sweep(
        self, output: Path | None, force: bool, *, runs: int, held_out: float, jobs: int | None
    ) -> None:
        """Fit, print and write; an interruption is passed on when what was made is shown."""
        from topicfactors.cli.runs import Fingerprint
        from topicfactors.studies.sweep import Sweeping

        corpus, model = self.options["corpus"], model_for(self.options, self.typed)
        self._refuse_idle_options()
        same = self._told()
        if output is not None:
            self._refuse_folder(output, force, same)
        vectorizer = None if is_counts(corpus) else self._vectorizer()
        with notes_for_warnings(self.quiet):
            if vectorizer is None:
                read = self._read_counts(Fingerprint())
            else:
                read = self._count_texts(vectorizer, Fingerprint())
            self._report(read)
            self._look_at_size(read)
            together = jobs or _usual_jobs(model)
            model.set_params(n_jobs=1 if together > 1 or read.counts.sum() < SMALL else -1)
            try:
                made = Sweeping(
                    model,
                    read.counts,
                    self.numbers,
                    n_runs=runs,
                    covariates=read.covariates,
                    held_out=held_out,
                    folder=output,
                    overwrite=force,
                    n_jobs=together,
                    options=same,
                )
            except InputError as error:
                raise InputError(f"{corpus}: {error}") from error
            interruption = self._go_over(made)
        self._end(made, output, interruption)

    def _told(self) -> dict[str, Any]:
        """Options that are to be the same in a sweep that goes on."""
        return {name: value for name, value in self.options.items() if name not in ELSEWHERE}

    def _refuse_folder(self, output: Path, force: bool, same: dict[str, Any]) -> None:
        """Before the corpus is read."""
        from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable
        from topicfactors.studies.sweep_folder import MARK, refuse_others

        refuse_source(output, Path(self.options["corpus"]))
        refuse_unwritable(output)
        if not force and (output / MARK).is_file():
            refuse_others(output, {"options": same})
        else:
            refuse_existing(output, True, MARK)

    def _go_over(self, made: Any) -> BaseException | None:
        """Make the fits, a line each; the interruption that ended it where one did."""
        all_of_them, left = len(made.wanted), len(made.left)
        if left < all_of_them:
            self.display.say(f"{all_of_them - left} of {all_of_them} fits are there already")
        began, told = time.monotonic(), set[str]()
        try:
            for number, fit in enumerate(made, 1):
                for text in [text for text in fit.notes if text not in told]:
                    told.add(text)
                    note(f"note: k = {fit.k}, seed {fit.seed}: {text}", quiet=self.quiet)
                rest = (time.monotonic() - began) / number * (left - number)
                self.display.say(
                    f"{all_of_them - left + number}/{all_of_them} k = {fit.k}, seed {fit.seed}: "
                    f"bound {sum(fit.held_out) / len(fit.held_out):.1f} nats, NPMI {fit.npmi:.2f}, "
                    f"{fit.seconds:.0f} s{_left(rest)}"
                )
        except KeyboardInterrupt as interruption:
            if not made.done:
                raise
            return interruption
        return None

    def _end(self, made: Any, output: Path | None, interruption: BaseException | None) -> None:
        """The table, the recommendation and the files."""
        result = made.result()
        if output is not None:
            made.write(result)
        self._print(result)
        if interruption is not None:
            there = f"{len(made.wanted) - len(made.left)} of {len(made.wanted)} fits"
            goes_on = "" if output is None else f"; the same command goes on in {output}"
            note(f"interrupted; what {there} say is above{goes_on}")
            raise typer.Exit(exit_status(interruption))
        best, corpus = result.recommendation.k, self.options["corpus"]
        where = "" if output is None else f"written to {output}; "
        self.display.say(f"{where}next: topicfactors fit {corpus} -k {best}")

    def _print(self, result: Any) -> None:
        if self.as_json:
            from topicfactors.export.tables import dump_json

            print(dump_json(result.as_dict()))
            return
        from topicfactors.cli.tables import print_columns, print_lines

        print_columns(list(zip(*result.cells(), strict=True)))
        print_lines("\n" + "\n".join(result.advice()))
        print_lines(f"\n{result.caption()}")


def _left(seconds: float) -> str:
    """How long the rest takes.

    >>> _left(0.2), _left(50.0), _left(500.0)
    ('', '; about 50 s left', '; about 8 min left')
    """
    if seconds < 1:
        return ""
    return (
        f"; about {seconds:.0f} s left" if seconds < 100 else f"; about {seconds / 60:.0f} min left"
    )


def _usual_jobs(model: Any) -> int:
    """One fit a core; one at a time on a GPU."""
    from topicfactors.estimators.base import resolve_device

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (cores or 1) if resolve_device(model.device).type == "cpu" else 1
