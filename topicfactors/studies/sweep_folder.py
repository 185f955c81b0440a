"""The folder of a sweep: what it was made with, and whether another one may go on in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from topicfactors.errors import StorageError
from topicfactors.export.tables import dump_json
from topicfactors.files import refuse_existing, whole_file
from topicfactors.studies import sweep_fits

MARK = "sweep.json"  # by which the folder of a sweep is known
CHANGING = ("n_components", "n_runs", "random_state", "n_jobs", "device", "verbose", "callbacks")
"""Parameters that may differ between the fits of one folder, or say nothing of them."""


def take(folder: Path, identity: Mapping[str, Any], overwrite: bool) -> None:
    """Make a folder that of a sweep, if it is not already, or refuse it.

    Raises
    ------
    StorageError
        When there is something else in it, or a sweep with another ``identity``.
    """
    if overwrite:
        refuse_existing(folder, True, MARK)
        shutil.rmtree(folder / sweep_fits.FOLDER, ignore_errors=True)
    elif (folder / MARK).is_file():
        refuse_others(folder, identity)
        return
    elif folder.exists():
        refuse_existing(folder, True, MARK)
    write_mark(folder, {"made_with": identity})


def refuse_others(folder: Path, identity: Mapping[str, Any]) -> None:
    """Refuse to go on with a sweep that was made with something else.

    Raises
    ------
    StorageError
        Which names the first difference, or when the file cannot be read.
    """
    path = folder / MARK
    try:
        known = json.loads(path.read_text(encoding="utf-8"))["made_with"]
        before = {name: known[name] for name in identity}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise StorageError(
            f"{path}: cannot be read as the settings of a sweep; choose another folder, or start "
            "over (--force, or overwrite=True)"
        ) from error
    cure = "choose another folder, or start over (--force, or overwrite=True)"
    now: Mapping[str, Any] = json.loads(dump_json(dict(identity)))
    for name, value in now.items():
        if before[name] == value:
            continue
        if not isinstance(value, dict):
            what = "of other documents or words" if name == "corpus" else _changed(name, before)
            raise StorageError(f"{folder}: holds a sweep {what}; {cure}")
        first = next(key for key in {**before[name], **value} if _differs(key, before[name], value))
        raise StorageError(
            f"{folder}: holds a sweep with {first}={before[name].get(first)!r}, and this is with "
            f"{value.get(first)!r}; {cure}"
        )


def _differs(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one.get(name) != other.get(name))


def _changed(name: str, before: Mapping[str, Any]) -> str:
    return f"with {name}={before[name]!r}"


def write_mark(folder: Path, told: Mapping[str, Any]) -> None:
    """Write what the folder says of its sweep, whole or not at all."""
    with whole_file(folder / MARK) as temporary:
        temporary.write_text(dump_json(dict(told), 1) + "\n", encoding="utf-8")


def fingerprint(counts: Any, names: Any) -> str:
    """A hash of counts ``(N, V)``, their covariates and their words."""
    digest = hashlib.sha256(json.dumps([list(counts.shape), names]).encode())
    for part in (counts.indptr, counts.indices, counts.data, counts.covariates):
        if part is not None:
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as JSON can hold them, without those that may change."""
    kept = {name: value for name, value in parameters.items() if name not in CHANGING}
    return {name: value if _is_plain(value) else repr(value) for name, value in kept.items()}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)
