"""A factor model in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topicfactors.estimators import parts
from topicfactors.estimators.automatic import Tried
from topicfactors.estimators.checks import check_parameters
from topicfactors.estimators.consensus import Consensus
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.storage.facts import FITTED, NAMED, Fact
from topicfactors.storage.keeping import ModelKeeper
from topicfactors.storage.kinds import of_kind


class FactorKeeper(ModelKeeper):
    """Keeps a BinaryFactorModel."""

    kind = BinaryFactorModel
    fitted = (
        *FITTED,
        Fact("anchored", "anchored_", of_kind(dict[str, int])),
        Fact("missing_anchors", "missing_anchors_", of_kind(dict[str, list[str]])),
        *NAMED,
        Fact("length_tempering", "length_tempering_", of_kind(float | None), sometimes=True),
        Fact("tried", "tried_", of_kind(list[Tried]), sometimes=True),
        Fact("consensus", "consensus_", of_kind(Consensus), sometimes=True),
    )
    sometimes = (*ModelKeeper.sometimes, "agreement_", "came_back_")

    def parameters(self, model: BinaryFactorModel) -> dict[str, Any]:
        """With the words of anchors as lists."""
        found = super().parameters(model)
        if found["anchors"]:
            found["anchors"] = {name: list(words) for name, words in model.anchors.items()}
        return found

    def check(self, model: BinaryFactorModel) -> None:
        """Its parameters, as ``fit`` checks them."""
        check_parameters(model)

    def registries(self, model: BinaryFactorModel) -> Mapping[str, Any]:
        """Those of :mod:`topicfactors.estimators.parts`."""
        return parts.REGISTRIES

    def sizes(self, model: BinaryFactorModel) -> dict[str, Any]:
        """Factors, and whether there is a response."""
        return {
            "factors": int(model.objective_.joint.sizes.factors),
            "responds": model._responds(),
        }

    def objective(self, model: BinaryFactorModel, facts: dict[str, Any]) -> Any:
        """Parts as :func:`topicfactors.estimators.parts.build` puts them together."""
        chosen = parts.choose(self.asked(model, facts, "inference"), facts["factors"])
        return parts.build(
            chosen,
            facts["words"],
            facts["factors"],
            model.overlap_penalty,
            model.design_,
            responds=facts["responds"],
        )
