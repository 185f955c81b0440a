"""Progress on stderr: reading, then training."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from topicfactors.training.callbacks import Epoch

Item = TypeVar("Item")

PATIENCE = 5.0  # seconds between lines on trainings after the first


class Display:
    """What a fit shows while it works; silent when quiet, plain lines where there is no terminal.

    Parameters
    ----------
    quiet
        Show nothing.
    """

    def __init__(self, quiet: bool) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, quiet=quiet)

    def reading(self, texts: Iterable[Item]) -> Iterator[Item]:
        """Pass texts, or documents, on and count them."""
        if not self.console.is_terminal or self.quiet:
            yield from texts
            return
        with self.console.status("reading") as shown:
            for number, text in enumerate(texts, 1):
                if number % 500 == 0:
                    shown.update(f"reading and tokenising: {number:,} documents")
                yield text

    def say(self, text: str) -> None:
        """A line."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def training(self) -> Iterator[_Training]:
        """A bar that is told of every epoch."""
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("epoch {task.completed}/{task.total}  {task.fields[scores]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=self.quiet or not self.console.is_terminal,
        )
        with bar:
            yield _Training(bar, self)


class _Training:
    """The callback behind the bar."""

    def __init__(self, bar: Progress, display: Display) -> None:
        self.bar, self.display = bar, display
        self.task = bar.add_task("training", total=None, scores="choosing a start")
        self.begun, self.said = 0, -PATIENCE

    def __call__(self, epoch: Epoch) -> None:
        where = "held-out" if epoch.held_out is not None else "training"
        scores = (
            f"bound {epoch.bound:.1f} nats  {where} perplexity {epoch.perplexity:.0f}  "
            f"{epoch.active} active"
        )
        self.begun += epoch.number == 1 or not self.begun  # one that goes on begins later
        again = f"training {self.begun}" if self.begun > 1 else "training"
        self.bar.update(
            self.task, completed=epoch.number, total=epoch.of, scores=scores, description=again
        )
        if not self.display.console.is_terminal and self._is_due(epoch):
            self.said = time.monotonic()
            line = f"epoch {epoch.number}/{epoch.of}: {scores}, {epoch.seconds:.0f} s"
            self.display.say(line if self.begun == 1 else f"{again}, {line}")

    def _is_due(self, epoch: Epoch) -> bool:
        """Of the first training a few lines, of later ones (starts, folds) one in a while."""
        if self.begun > 1:
            return time.monotonic() - self.said >= PATIENCE
        return epoch.number % max(1, epoch.of // 4) == 0 or epoch.number == 1
