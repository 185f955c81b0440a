"""Parts, models and fits put side by side on a corpus: what a choice costs and what it brings."""

from __future__ import annotations

from topicfactors.studies.gradients import gradients
from topicfactors.studies.quality import compare
from topicfactors.studies.quality_results import QualityStudy
from topicfactors.studies.results import GradientStudy
from topicfactors.studies.stability import Stability, stability
from topicfactors.studies.sweep import sweep
from topicfactors.studies.sweep_results import Sweep

__all__ = [
    "GradientStudy",
    "QualityStudy",
    "Stability",
    "Sweep",
    "compare",
    "gradients",
    "stability",
    "sweep",
]
