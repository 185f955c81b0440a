"""A fitted model or pipeline as a folder: config.json, weights.safetensors, vocabulary.txt.

A vectorizer that has learnt phrases has them and their scores in phrases.json. The folder holds
numbers and settings, no code and no training data; it is never unpickled.
"""

from __future__ import annotations

import json
import numbers
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from topicfactors import __version__
from topicfactors.corpus.vectorizer import DocumentVectorizer
from topicfactors.errors import ConfigurationError, StorageError
from topicfactors.estimators import parts
from topicfactors.estimators.automatic import Tried
from topicfactors.estimators.design import Column, Design
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.estimators.scoring import Evaluation
from topicfactors.export.tables import dump_json
from topicfactors.files import whole_folder
from topicfactors.insight.metrics import Perplexity
from topicfactors.training.callbacks import Epoch
from topicfactors.wordlists import one_line, read_phrases, read_words, write_words

FORMAT = 1
REMEMBERED = (
    *("word_totals_", "document_frequency_", "prevalence_", "posterior_variance_"),
    "covariate_information_",
)
Saved = Any  # a BinaryFactorModel, a DocumentVectorizer, or a Pipeline of the two


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
        if isinstance(step, DocumentVectorizer):
            words = [str(word) for word in step.get_feature_names_out()]
            phrases = step.phrases_
            facts = {"words": len(words), "phrases": len(phrases)}
            described.append(_described(name, step, _vectorizer_parameters(step), facts))
        elif isinstance(step, BinaryFactorModel):
            check_is_fitted(step)
            tensors = _tensors(step)
            if hasattr(step, "feature_names_in_"):
                words = [str(word) for word in step.feature_names_in_]
            described.append(_described(name, step, _model_parameters(step), _facts(step)))
        else:
            raise ConfigurationError(
                f"a folder cannot hold the step {name!r} ({type(step).__name__}); it holds "
                "DocumentVectorizer and BinaryFactorModel; use joblib for other pipelines"
            )
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
    config = _config(folder)
    words = read_words(folder / "vocabulary.txt")
    try:
        steps = [(step["name"], _restored(step, folder, words)) for step in config["steps"]]
    except ConfigurationError as error:
        raise StorageError(
            f"{folder}: needs what is not here: {one_line(error)}; register that part before "
            "loading, or save the model again"
        ) from error
    except (AttributeError, LookupError, TypeError, ValueError, RuntimeError) as error:
        raise StorageError(f"{folder}: damaged: {one_line(error)}; save the model again") from error
    return Pipeline(steps) if config.get("pipeline") else steps[0][1]


def _described(name: str, step: Any, parameters: Any, facts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "class": type(step).__name__,
        "parameters": parameters,
        "fitted": facts,
    }


def _vectorizer_parameters(step: DocumentVectorizer) -> dict[str, Any]:
    parameters: dict[str, Any] = step.get_params(deep=False)
    for name in ("stop_words", "pos"):
        if parameters[name] is not None and not isinstance(parameters[name], str):
            parameters[name] = sorted(map(str, parameters[name]))
    return {name: _plain(value) for name, value in parameters.items()}


def _model_parameters(step: BinaryFactorModel) -> dict[str, Any]:
    parameters: dict[str, Any] = step.get_params(deep=False)
    parameters.update(parts.spell_all(parameters))
    seed = parameters["random_state"]
    kept = seed if isinstance(seed, numbers.Integral) else None
    parameters.update(callbacks=None, random_state=kept)
    if parameters["anchors"]:
        parameters["anchors"] = {name: list(words) for name, words in parameters["anchors"].items()}
    return {name: _plain(value) for name, value in parameters.items()}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _facts(step: BinaryFactorModel) -> dict[str, Any]:
    return {
        "words": int(step.n_features_in_),
        "factors": int(step.objective_.joint.sizes.factors),
        "inference": step.inference_,
        "init": step.init_,
        "responds": step._responds(),
        "held_out": [list(found) for found in step.held_out_.values()],
        "status": step.status_,
        "covariates": None if step.design_ is None else step.design_.described(),
        "documents": step.n_documents_,
        "stopped": step.stopped_,
        "best": step.best_iter_,
        "history": [list(epoch) for epoch in step.history_],
        "anchored": step.anchored_,
        "missing_anchors": step.missing_anchors_,
        "tried": [list(tried) for tried in getattr(step, "tried_", [])],
    }


def _tensors(step: BinaryFactorModel) -> dict[str, torch.Tensor]:
    tensors = {
        f"objective.{name}": tensor.detach().cpu().contiguous()
        for name, tensor in step.objective_.state_dict().items()
    }
    for name in REMEMBERED:
        tensors[name] = torch.from_numpy(np.ascontiguousarray(getattr(step, name)))
    return tensors


def _config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
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
    classes = {kind.__name__: kind for kind in (BinaryFactorModel, DocumentVectorizer)}
    if step["class"] not in classes:
        raise StorageError(f"{folder}: holds a {step['class']!r}, which this version cannot read")
    model = classes[step["class"]](**step["parameters"])
    if isinstance(model, DocumentVectorizer):
        if words is None:
            raise StorageError(f"{folder}/vocabulary.txt is missing; save the model again")
        model.vocabulary_ = {word: column for column, word in enumerate(words)}
        if len(model.vocabulary_) != step["fitted"]["words"]:
            raise StorageError(
                f"{folder}/vocabulary.txt: {len(model.vocabulary_)} different words, expected "
                f"{step['fitted']['words']}; save the model again"
            )
        model.phrases_ = read_phrases(folder / "phrases.json", step["fitted"]["phrases"])
        return model
    return _fill(model, step["fitted"], folder / "weights.safetensors", words)


def _fill(
    model: BinaryFactorModel, facts: dict[str, Any], path: Path, words: list[str] | None
) -> BinaryFactorModel:
    try:
        with safe_open(path, framework="pt") as source:
            shape = source.get_slice("objective.joint.decoder.bias").get_shape()
            factors = source.get_slice("prevalence_").get_shape()
            if shape != [facts["words"]] or factors != [facts["factors"]]:
                raise StorageError(f"{path}: of another model than config.json describes")
            tensors = {name: source.get_tensor(name) for name in source.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"{path}: cannot be read: {one_line(error)}; save the model again, or take a copy of it"
        ) from error
    asked = {**model.get_params(deep=False)}
    if asked["inference"] == "auto":  # what that means may change between versions
        asked["inference"] = facts["inference"]
    chosen = parts.choose(asked, facts["factors"])
    known = facts["covariates"]
    model.design_ = None if known is None else Design([Column(*column) for column in known])
    model.objective_ = parts.build(
        chosen,
        facts["words"],
        facts["factors"],
        model.overlap_penalty,
        model.design_,
        responds=facts["responds"],
    )
    prefix = "objective."
    weights = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
    model.objective_.load_state_dict(weights)
    for name in REMEMBERED:
        setattr(model, name, tensors[name].numpy())
    model.n_features_in_ = facts["words"]
    if words is not None:
        model.feature_names_in_ = np.array(words, dtype=object)
        if len(words) != facts["words"]:
            raise StorageError(
                f"{path.parent}/vocabulary.txt: {len(words)} words where the model "
                f"has {facts['words']}; save the model again"
            )
    model.inference_, model.init_ = facts["inference"], facts["init"]
    model.status_, model.n_documents_ = facts["status"], facts.get("documents", 0)
    model.held_out_ = {found[0]: _evaluation(found) for found in facts["held_out"]}
    model.stopped_, model.best_iter_ = facts["stopped"], facts["best"]
    model.history_ = [Epoch(*epoch) for epoch in facts["history"]]
    model.n_iter_ = len(model.history_)
    model.anchored_ = facts.get("anchored", {})
    model.missing_anchors_ = facts.get("missing_anchors", {})
    if facts.get("tried"):
        model.tried_ = [Tried(*tried) for tried in facts["tried"]]
    return model


def _numbers(stored: Any) -> Any:
    """JSON has no NaN: null stands for it."""
    return [_numbers(part) for part in stored] if isinstance(stored, list) else _number(stored)


def _number(stored: float | None) -> float:
    return float("nan") if stored is None else stored


def _evaluation(stored: list[Any]) -> Evaluation:
    bound, samples, *numbers = stored
    log_prob, scores, unigram = _numbers(numbers)
    return Evaluation(bound, samples, log_prob, Perplexity(*scores), Perplexity(*unigram))
