"""What two trainings must have in common for one to go on from the other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from topicfactors import __version__
from topicfactors.training.settings import settings_of

SHOWN = 3  # differences that a message names
NOTHING = "nothing"


def configuration_of(trainer: Any) -> dict[str, Any]:
    """Everything that the course of a training depends on, but for where it stands.

    Asked for before the first step: numbers that training moves are among the settings.
    """
    objective = trainer.objective
    state = objective.state_dict()
    held = {name: part for name, part in objective.named_buffers() if name not in state}
    found = {
        "words": _words(trainer.documents),
        "seed": trainer.seed,
        "processes": [trainer.world.rank, trainer.world.size],
        **asdict(trainer.schedule),
        "documents": _documents(trainer.documents),
        "held_out": None if trainer.held_out is None else _documents(trainer.held_out),
        **settings_of(objective),
        **{f"shape of {name}": list(part.shape) for name, part in state.items()},
        **{name: _digest([part]) for name, part in held.items()},
    }
    return plain(found)


def plain(found: Mapping[str, Any]) -> dict[str, Any]:
    """Names and values as they come back from JSON.

    >>> plain({"sizes": (2, 3)})
    {'sizes': [2, 3]}
    """
    back: dict[str, Any] = json.loads(json.dumps(dict(found), default=str))
    return back


def circumstances_of(trainer: Any) -> dict[str, Any]:
    """What the last bits of a training depend on."""
    return {
        "topicfactors": __version__,
        "torch": torch.__version__,
        "device": trainer.step.device.type,
        "threads": torch.get_num_threads(),
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is not the same, in words; empty where all is.

    >>> differences({"seed": 1, "epochs": 5}, {"seed": 2, "epochs": 5})
    'seed 1, now 2'
    """
    names = [*now, *(name for name in then if name not in now)]
    found = [
        _difference(name, then.get(name, NOTHING), now.get(name, NOTHING))
        for name in names
        if then.get(name, NOTHING) != now.get(name, NOTHING)
    ]
    more = f", and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return "; ".join(found[:SHOWN]) + more


def _difference(name: str, then: Any, now: Any) -> str:
    if isinstance(then, list) and isinstance(now, list) and name in ("documents", "held_out"):
        what = "the documents" if name == "documents" else "the documents held out"
        if then[0] != now[0]:
            return f"{what} ({then[0]:,}, now {now[0]:,})"
        return f"{what} (as many, but others)"
    return f"{name} {_spelt(then)}, now {_spelt(now)}"


def _spelt(value: Any) -> str:
    return value if value is NOTHING else repr(value)


def _words(documents: Any) -> int | None:
    counts = getattr(documents, "counts", None)
    return None if counts is None else int(counts.words)


def _documents(documents: Any) -> list[Any]:
    """How many documents there are, and a hash of them."""
    fingerprint = getattr(documents, "fingerprint", None)
    if fingerprint is None and hasattr(documents, "counts"):
        counts = documents.counts
        fingerprint = _digest([counts.indices, counts.offsets, counts.values, *documents[1:]])
    return [documents.total, fingerprint]


def _digest(parts: list[Any]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(b"-" if part is None else part.detach().cpu().contiguous().numpy().data)
    return found.hexdigest()
