"""A factor model in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from topicfactors.estimators import parts
from topicfactors.estimators.automatic import Tried
from topicfactors.estimators.factor_model import BinaryFactorModel
from topicfactors.storage.facts import FITTED, Fact
from topicfactors.storage.keeping import ModelKeeper


class FactorKeeper(ModelKeeper):
    """Keeps a BinaryFactorModel."""

    kind = BinaryFactorModel
    fitted = (
        *FITTED,
        Fact("anchored", "anchored_"),
        Fact("missing_anchors", "missing_anchors_"),
        Fact(
            "tried",
            "tried_",
            read=lambda stored: [Tried(*tried) for tried in stored],
            sometimes=True,
        ),
    )

    def parameters(self, model: BinaryFactorModel) -> dict[str, Any]:
        """Anchors as names and lists of words."""
        parameters = super().parameters(model)
        given = model.anchors or {}
        anchors = {name: list(words) for name, words in given.items()}
        return parameters | {"anchors": anchors or None}

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
