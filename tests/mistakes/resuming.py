"""Mistakes with checkpoints, and with what was interrupted."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pytest

from tests.mistakes.happening import Mistake
from tests.mistakes.places import FIT, write

SECTION = "Going on"


def interrupted_fit(place: Path) -> None:
    """The checkpoint ``cut.checkpoints`` of a fit that was stopped after its first step."""
    from topicfactors import Checkpoints
    from topicfactors.cli.main import main

    stepped = Checkpoints.stepped

    def stop(self: Any, trainer: Any) -> None:
        self.stop(KeyboardInterrupt())
        stepped(self, trainer)

    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setattr(Checkpoints, "stepped", stop)
        with contextlib.suppress(SystemExit):
            main(f"fit notes -o cut {FIT}".split())


def torn(place: Path) -> None:
    """The same, cut off."""
    interrupted_fit(place)
    (file,) = (place / "cut.checkpoints").glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])


def _fit(title: str, options: str, said: str, status: int = 2, prepare: Any = None) -> Mistake:
    return Mistake(SECTION, title, f"topicfactors fit notes {options} {FIT}", said, status, prepare)


RESUMING = [
    _fit("A fit anew over checkpoints", "-o cut", "go on from them", 1, interrupted_fit),
    _fit("Other options", "-o cut --resume --seed 1", "seed 0, now 1", 2, interrupted_fit),
    _fit("A torn checkpoint", "-o cut --resume -q", "start anew", 1, torn),
    _fit("Which run?", "--resume", "name it with -o"),
    _fit("No checkpoints to go on from", "-o new --resume --checkpoint-every 0", "keeps none"),
    _fit("EM", "-o new --resume --model mixture", "has no use for it"),
    Mistake(
        SECTION,
        "Other documents",
        f"topicfactors fit a.csv -o cut --resume -q {FIT}",
        "the documents",
        2,
        lambda place: (interrupted_fit(place), write("a.csv", _rows())(place))[1],
    ),
    _fit("A run that is whole", "-o run --resume", "exists and is kept", 1),
]
RESUMING_IN_PYTHON = [
    Mistake(
        "In Python",
        "Checkpoints at no time",
        'from topicfactors import Checkpoints; Checkpoints("kept", every=0)',
        "every must be",
    ),
    Mistake(
        "In Python",
        "Checkpoints of EM",
        "from topicfactors import Checkpoints, MixtureModel; "
        'MixtureModel(2, callbacks=[Checkpoints("kept")]).fit(counts)',
        "inference='em' has none",
    ),
]


def _rows() -> str:
    from tests.cli.conftest import make_texts

    return "text\n" + "\n".join(make_texts(seed=1)) + "\n"
