"""Parts and models put side by side on a corpus: what a choice costs and what it brings.

Nothing here loads torch before it is called: the process in which a peer is fitted has no need of
it, and its memory is measured.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from topicfactors.studies.gradients import gradients

if TYPE_CHECKING:
    from topicfactors.studies.quality import compare
    from topicfactors.studies.quality_results import QualityStudy
    from topicfactors.studies.results import GradientStudy

_HOMES = {
    "GradientStudy": "topicfactors.studies.results",
    "QualityStudy": "topicfactors.studies.quality_results",
    "compare": "topicfactors.studies.quality",
}

__all__ = ["GradientStudy", "QualityStudy", "compare", "gradients"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'topicfactors.studies' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
