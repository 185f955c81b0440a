"""``fit --model``: which options each model takes, and the estimator that they make."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from topicfactors.cli.anchors import read_anchor_file
from topicfactors.cli.options import number_or_auto
from topicfactors.errors import InputError, unknown_name

FACTOR, MIXTURE, SEMISUPERVISED = "factor", "mixture", "semisupervised"
MODELS = (FACTOR, MIXTURE, SEMISUPERVISED)
TAKEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("posterior", "prior", "kl_warmup"), (FACTOR,)),
    **dict.fromkeys(("overlap_penalty", "shrinkage", "length_tempering"), (FACTOR,)),
    **dict.fromkeys(("anchors", "anchor_strength"), (FACTOR,)),
    "runs": (FACTOR,),
    **dict.fromkeys(("factors", "init", "patience"), (FACTOR, MIXTURE)),
    **dict.fromkeys(("covariate", "covariate_shrinkage"), (FACTOR, MIXTURE)),
    **dict.fromkeys(("response", "response_family"), (FACTOR, MIXTURE)),
    "validation_fraction": (FACTOR, MIXTURE),
    "starts": (MIXTURE,),
    "tempering": (MIXTURE, SEMISUPERVISED),
    "continuous_layers": (FACTOR,),
    **dict.fromkeys(("components_per_class", "shared_factors"), (SEMISUPERVISED,)),
    **dict.fromkeys(("unlabelled_weight", "discriminative_weight"), (SEMISUPERVISED,)),
    "class_prior": (SEMISUPERVISED,),
}
"""Options that not every model takes, and the models that do."""
DEFAULTS: dict[str, dict[str, Any]] = {
    FACTOR: {"factors": 50, "likelihood": "polya", "init": "auto", "smoothing": "auto"},
    MIXTURE: {
        "factors": 10,
        "likelihood": "multinomial",
        "init": "clusters",
        "smoothing": "0.5",
    },
    SEMISUPERVISED: {"likelihood": "multinomial", "smoothing": "auto"},
}
"""Where they are not the same for every model."""
OF_THE_GRADIENT = ("batch_size", "learning_rate", "patience", "resume", "checkpoint_every")


def spelt(option: str) -> str:
    """An option as it is typed."""
    return "--" + option.replace("_", "-")


def resolved(options: Mapping[str, Any], typed: Collection[str]) -> dict[str, Any]:
    """The options with the defaults of their model; None for what it does not take.

    Raises
    ------
    InputError
        When an option of another model was typed.
    ConfigurationError
        When there is no such model.
    """
    model = options["model"]
    if model not in MODELS:
        raise unknown_name("--model", model, MODELS)
    others = [name for name in typed if model not in TAKEN.get(name, MODELS)]
    if others:
        name = min(others)
        raise InputError(
            f"{spelt(name)} is of --model {' or '.join(TAKEN[name])}, and this is --model {model}; "
            "leave it out"
        )
    own = DEFAULTS[model]
    return {
        name: None
        if model not in TAKEN.get(name, MODELS)
        else own.get(name)
        if value is None
        else value
        for name, value in options.items()
    }


def model_for(options: Mapping[str, Any], typed: Collection[str]) -> Any:
    """The estimator that resolved options ask for, with a device that is there.

    Raises
    ------
    ConfigurationError
        When a parameter is out of range or parts do not fit together.
    InputError
        When something was typed that the inference has no use for.
    """
    from topicfactors.estimators.base import resolve_device

    model = BUILDERS[options["model"]](options, typed)
    resolve_device(model.device)
    return model


def _shared(options: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of every model."""
    return {
        "inference": options["inference"],
        "likelihood": options["likelihood"],
        "decoder": options["decoder"],
        "encoder": options["encoder"],
        "max_iter": options["epochs"],
        "batch_size": number_or_auto(options["batch_size"], int),
        "learning_rate": number_or_auto(options["learning_rate"], float),
        "device": options["device"],
        "random_state": options["seed"],
        "n_jobs": options["threads"] or -1,
    }


def _beside(options: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the models that read covariates and responses."""
    return {
        "n_components": options["factors"],
        "init": options["init"],
        "response": options["response_family"],
        "covariates": options["covariate"] or None,
        "covariate_shrinkage": options["covariate_shrinkage"],
        "validation_fraction": options["validation_fraction"],
        "n_iter_no_change": options["patience"],
    }


def _length(text: str) -> Any:
    return None if text == "none" else number_or_auto(text, float)


def _factor_model(options: Mapping[str, Any], typed: Collection[str]) -> Any:
    from topicfactors.estimators.anchoring import check_anchors
    from topicfactors.estimators.checks import check_parameters
    from topicfactors.estimators.factor_model import BinaryFactorModel
    from topicfactors.estimators.parts import build, choose

    model = BinaryFactorModel(
        **_shared(options),
        **_beside(options),
        posterior=options["posterior"],
        prior=options["prior"],
        smoothing=options["smoothing"],
        continuous_layers=number_or_auto(options["continuous_layers"], int),
        kl_warmup=number_or_auto(options["kl_warmup"], float),
        shrinkage=number_or_auto(options["shrinkage"], float),
        overlap_penalty=options["overlap_penalty"],
        n_runs=options["runs"],
        length_tempering=_length(options["length_tempering"]),
        anchors=read_anchor_file(options["anchors"]),
        anchor_strength=options["anchor_strength"],
    )
    check_parameters(model)  # before the corpus is read; so is a model of one word built
    factors = 1 if isinstance(model.n_components, str) else model.n_components
    parts = choose(model.get_params(deep=False), factors)
    check_anchors(model.get_params(deep=False), parts)
    build(parts, 1, factors, model.overlap_penalty, responds=True)
    return model


def _mixture(options: Mapping[str, Any], typed: Collection[str]) -> Any:
    from topicfactors.estimators.checks import check_components
    from topicfactors.estimators.class_parts import build, choose
    from topicfactors.estimators.mixture import MixtureModel

    if isinstance(options["factors"], str):
        raise InputError(f"-k {options['factors']} is of --model factor; give a number")
    model = MixtureModel(
        **_shared(options),
        **_beside(options),
        n_init=number_or_auto(options["starts"], int),
        tempering=options["tempering"],
        smoothing=number_or_auto(options["smoothing"], float),
    )
    check_components(model)
    parts = choose(model.get_params(deep=False), covariates=bool(options["covariate"]))
    _refuse_idle(parts, typed)
    build(parts, 1, model.n_components, responds=True)
    return model


def _classifier(options: Mapping[str, Any], typed: Collection[str]) -> Any:
    import torch

    from topicfactors.estimators.checks import check_classifier
    from topicfactors.estimators.class_parts import build_classifier, choose_classifier
    from topicfactors.estimators.semisupervised import SemiSupervisedClassifier

    model = SemiSupervisedClassifier(
        **_shared(options),
        components_per_class=options["components_per_class"],
        n_factors=options["shared_factors"],
        tempering=options["tempering"],
        smoothing=number_or_auto(options["smoothing"], float),
        unlabelled_weight=number_or_auto(options["unlabelled_weight"], float),
        discriminative_weight=number_or_auto(options["discriminative_weight"], float),
        class_prior=_class_prior(options["class_prior"]),
    )
    check_classifier(model)
    parts = choose_classifier(model.get_params(deep=False))
    _refuse_idle(parts, typed)
    build_classifier(parts, 1, 2, model.n_factors, torch.eye(2, dtype=torch.bool), 1.0)
    return model


def _class_prior(text: str) -> Any:
    """A name, or a probability for each class with commas between."""
    numbers = [number_or_auto(part, float) for part in text.split(",")]
    return numbers if len(numbers) > 1 else text


def _refuse_idle(parts: Any, typed: Collection[str]) -> None:
    """Refuse what was typed and the inference has no use for."""
    inference = parts.inference.label
    idle = [name for name in OF_THE_GRADIENT if name in typed] if parts.closed else []
    cure = "leave it out, or fit with --inference exact"
    if "encoder" in typed and inference in ("em", "exact"):
        idle, cure = ["encoder"], "leave it out"
    if idle:
        raise InputError(f"{spelt(idle[0])}: inference={inference!r} has no use for it; {cure}")


BUILDERS: dict[str, Callable[[Mapping[str, Any], Collection[str]], Any]] = {
    FACTOR: _factor_model,
    MIXTURE: _mixture,
    SEMISUPERVISED: _classifier,
}
