"""Writes and reads the folder of a model or pipeline.

A vectorizer that has learnt phrases has them and their scores in phrases.json. The folder holds
numbers and settings, no code and no training data; it is never unpickled.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as serialise
from sklearn.pipeline import Pipeline

from topicfactors import __version__
from topicfactors.errors import ConfigurationError, StorageError
from topicfactors.export.tables import dump_json
from topicfactors.files import whole_folder
from topicfactors.storage.classifiers import ClassifierKeeper
from topicfactors.storage.factor_models import FactorKeeper
from topicfactors.storage.keeping import Keeper
from topicfactors.storage.mixtures import MixtureKeeper
from topicfactors.storage.sound import check_inside
from topicfactors.storage.vectorizers import VectorizerKeeper
from topicfactors.wordlists import one_line, read_words, write_words

FORMAT = 1
FILES = ("config.json", "vocabulary.txt", "phrases.json", "weights.safetensors")
WRONG = (TypeError, ValueError, RuntimeError, MemoryError)
KEEPERS: dict[str, Keeper] = {
    keeper.kind.__name__: keeper
    for keeper in (VectorizerKeeper(), FactorKeeper(), MixtureKeeper(), ClassifierKeeper())
}
Saved = Any  # an estimator of these, or a Pipeline of them


def save(model: Saved, folder: str | Path, *, overwrite: bool = False) -> None:
    """Write a fitted model, vectorizer, or pipeline of the two, whole or not at all.

    Parameters
    ----------
    model
        What to save. Callbacks and generators of random numbers are not kept.
    folder
        Where; made with its parents.
    overwrite
        Replace a saved model that exists; a folder of anything else is kept.

    Raises
    ------
    ConfigurationError
        When a step or a part is one that a folder without code cannot hold.
    StorageError
        When the folder exists, or cannot be written.
    sklearn.exceptions.NotFittedError
        When there is nothing to save yet.
    """
    steps = model.steps if isinstance(model, Pipeline) else [("", model)]
    described: list[dict[str, Any]] = []
    tensors: dict[str, torch.Tensor] = {}
    words: list[str] | None = None
    phrases: dict[str, float] = {}
    for name, step in steps:
        keeper = _keeper(name, step)
        facts = keeper.facts(step)
        described.append(
            {
                "name": name,
                "class": keeper.kind.__name__,
                "parameters": keeper.parameters(step),
                "fitted": facts,
            }
        )
        files = keeper.files(step)
        tensors, phrases = tensors | files.tensors, phrases | files.phrases
        words = words if files.words is None else files.words
    config = {
        "format": FORMAT,
        "topicfactors": __version__,
        "pipeline": isinstance(model, Pipeline),
        "steps": described,
    }
    with whole_folder(folder, overwrite=overwrite, mark="config.json") as temporary:
        text = dump_json(config, 2)
        (temporary / "config.json").write_text(text + "\n", encoding="utf-8")
        if tensors:
            (temporary / "weights.safetensors").write_bytes(serialise(tensors))
        if words is not None:
            write_words(temporary / "vocabulary.txt", words)
        if phrases:
            text = json.dumps(phrases, indent=0, ensure_ascii=False)
            (temporary / "phrases.json").write_text(text + "\n", encoding="utf-8")


def load(folder: str | Path) -> Any:
    """Read what :func:`save` wrote into a ``folder``, on the CPU.

    Raises
    ------
    StorageError
        When the folder is missing, incomplete, damaged, or of a newer format.
    """
    folder = Path(folder)
    if not (folder / "config.json").exists() and (folder / "model" / "config.json").exists():
        folder = folder / "model"  # a run of the command line
    for name in FILES:
        check_inside(folder, name)
    config = _config(folder)
    try:
        words = read_words(folder / "vocabulary.txt")
        steps = [(step["name"], _restored(step, folder, words)) for step in config["steps"]]
        model = Pipeline(steps) if config.get("pipeline") else steps[0][1]
        if config.get("pipeline"):
            model._validate_names([name for name, _ in steps])
    except ConfigurationError as error:
        raise StorageError(
            f"{folder}: needs what is not here: {one_line(error)}; register that part before "
            "loading, or save the model again"
        ) from error
    except (ArithmeticError, AttributeError, LookupError, *WRONG) as error:
        raise StorageError(f"{folder}: damaged: {one_line(error)}; save the model again") from error
    return model


def _keeper(name: str, step: Any) -> Keeper:
    for keeper in KEEPERS.values():
        if isinstance(step, keeper.kind):
            return keeper
    *others, last = KEEPERS
    raise ConfigurationError(
        f"a folder cannot hold the step {name!r} ({type(step).__name__}); it holds "
        f"{', '.join(others)} and {last}; use joblib for other pipelines"
    )


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        json.dumps(config, ensure_ascii=False).encode()  # no halves of surrogate pairs
    except NotADirectoryError as error:
        raise StorageError(
            f"{folder}: is a file; expected a folder that topicfactors has saved"
        ) from error
    except FileNotFoundError as error:
        raise StorageError(
            f"{folder}: no model here (config.json is missing); expected a folder that "
            "topicfactors has saved"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise StorageError(
            f"{folder}/config.json: cannot be read: {one_line(error)}; save the model again, or "
            "take a copy of it"
        ) from error
    known = isinstance(config, dict) and isinstance(config.get("format"), int)
    if not known or not isinstance(config.get("steps"), list) or not config["steps"]:
        raise StorageError(
            f"{folder}/config.json: not the config of a topicfactors model; expected a "
            "folder that topicfactors has saved"
        )
    if config["format"] > FORMAT:
        raise StorageError(
            f"{folder}: format {config['format']}, written by topicfactors "
            f"{config.get('topicfactors')}; this is {__version__} and reads formats up to "
            f"{FORMAT}: pip install --upgrade topicfactors"
        )
    return config


def _restored(step: dict[str, Any], folder: Path, words: list[str] | None) -> Any:
    if step["class"] not in KEEPERS:
        raise StorageError(f"{folder}: holds a {step['class']!r}, which this version cannot read")
    keeper = KEEPERS[step["class"]]
    model = keeper.kind(**step["parameters"])
    keeper.fill(model, step["fitted"], folder, words)
    return model
