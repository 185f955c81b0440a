"""A factor model in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topicfactors.estimators import parts
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.storage.facts import FITTED
from topicfactors.storage.keeping import ModelKeeper


class FactorKeeper(ModelKeeper):
    """Keeps a BinaryFactorModel."""

    kind = BinaryFactorModel
    fitted = (*FITTED,)

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
