"""A mixture in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topicfactors.estimators import class_parts
from topicfactors.estimators.checks import check_components
from topicfactors.estimators.choices import spell
from topicfactors.estimators.mixture import MixtureModel
from topicfactors.storage.facts import FITTED, NAMED, Fact
from topicfactors.storage.keeping import REMEMBERED, ModelKeeper
from topicfactors.storage.kinds import of_kind
from topicfactors.training.tempering import TEMPERINGS


def spelt_tempering(tempering: Any) -> str:
    """A tempering by name."""
    return spell("tempering", tempering, TEMPERINGS)


COMPONENTS_FITTED = (
    *FITTED,
    Fact("tempering", "tempering_", of_kind(str), spelt_tempering),
    Fact("converged", "converged_", of_kind(bool)),
    Fact("objective_value", "objective_value_", of_kind(float)),
)
"""Those of every model of components."""


class MixtureKeeper(ModelKeeper):
    """Keeps a MixtureModel."""

    kind = MixtureModel
    counted = "components"
    fitted = (*COMPONENTS_FITTED, *NAMED, Fact("reseeded", "reseeded_", of_kind(list[int])))
    remembered = (*REMEMBERED, "response_means_", "response_deviations_")

    def check(self, model: MixtureModel) -> None:
        """Its parameters, as ``fit`` checks them."""
        check_components(model)

    def registries(self, model: MixtureModel) -> Mapping[str, Any]:
        """Those of :mod:`topicfactors.estimators.class_parts`."""
        return class_parts.REGISTRIES

    def sizes(self, model: MixtureModel) -> dict[str, Any]:
        """Components, and whether there is a response."""
        return {
            "components": int(model.objective_.joint.classes),
            "responds": model._responds(),
        }

    def objective(self, model: MixtureModel, facts: dict[str, Any]) -> Any:
        """Parts as :func:`topicfactors.estimators.class_parts.build` puts them together."""
        asked = self.asked(model, facts, "inference", "tempering")
        chosen = class_parts.choose(asked, covariates=model.design_ is not None)
        return class_parts.build(
            chosen,
            facts["words"],
            facts["components"],
            model.design_,
            responds=facts["responds"],
        )
