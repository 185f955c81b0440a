"""Which models take part in a comparison: ours and peers, by name, or as they are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from topicfactors.errors import ConfigurationError, unknown_name
from topicfactors.peers import PEERS
from topicfactors.peers.base import Peer
from topicfactors.peers.ours import OURS, described

SENTENCES = "bertopic-sentences"  # fetches a model from a network, and so is to be asked for


class Missing(NamedTuple):
    """A peer that is not installed."""

    model: str
    packages: tuple[str, ...]


class Entry(NamedTuple):
    """A model that takes part."""

    label: str
    settings: str  # in words
    job: dict[str, Any]  # what its process is told of it
    missing: Missing | None  # what it lacks


def entries(models: Any) -> tuple[list[Entry], list[Missing]]:
    """Those that take part, and the peers that would if they were installed.

    Parameters
    ----------
    models
        None for all that are installed; a list of names of OURS and PEERS and of models of this
        package; or a mapping from what they are to be called to such names and models.

    Raises
    ------
    ConfigurationError
        When a name is unknown, one is there twice, or there is none.
    """
    if models is None:
        every = [_entry(None, name) for name in (*OURS, *PEERS) if name != SENTENCES]
        absent = [entry.missing for entry in every if entry.missing is not None]
        return [entry for entry in every if entry.missing is None], absent
    asked: Iterable[tuple[str | None, Any]]
    if isinstance(models, Mapping):
        asked = models.items()
    elif isinstance(models, Iterable) and not isinstance(models, str):
        asked = [(None, model) for model in models]
    else:
        raise ConfigurationError(
            f"models must be a list of names such as ['factors', 'sklearn-nmf'], got {models!r}"
        )
    found = [_entry(label, model) for label, model in asked]
    labels = [entry.label for entry in found]
    if not found:
        raise ConfigurationError(
            "models must have at least one name, as in ['factors', 'sklearn-nmf'], got none; leave "
            "it out for all of them"
        )
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigurationError(
                f"models: {label!r} is there twice; leave one out, or give each its own name: "
                "{'one': …, 'other': …}"
            )
    return found, [entry.missing for entry in found if entry.missing is not None]


def _entry(label: str | None, model: Any) -> Entry:
    if isinstance(model, str):
        name = model.strip()
        if name in PEERS:
            return _peer(label, name, PEERS[name])
        if name not in OURS:
            raise unknown_name("models", name, [*OURS, *PEERS])
        ours = OURS[name]
    else:
        ours = described(label or type(model).__name__, model)
    job = {"peer": None, "kind": ours.kind, "params": ours.params}
    settings = ours.settings if label is None else f"{ours.kind}, {ours.settings}"
    return Entry(label or ours.label, settings, job, None)


def _peer(label: str | None, name: str, peer: Peer) -> Entry:
    called = label or peer.label
    missing = None if peer.installed() else Missing(called, peer.packages)
    settings = f"{' '.join(versions(peer))}: {peer.settings}"
    return Entry(called, settings, {"peer": name}, missing)


def versions(peer: Peer) -> list[str]:
    """Its packages with their versions, as far as they are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in peer.packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(name)
    return found


def cure(missing: Iterable[Missing]) -> str:
    """The command that installs what is missing.

    >>> cure([Missing("tomotopy LDA", ("tomotopy",)), Missing("CorEx", ("corextopic", "six"))])
    'pip install tomotopy corextopic six'
    """
    packages = dict.fromkeys(name for each in missing for name in each.packages)
    return f"pip install {' '.join(packages)}"
