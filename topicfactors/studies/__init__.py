"""Parts and models put side by side on a corpus: what a choice costs and what it brings."""

from __future__ import annotations

from topicfactors.studies.gradients import gradients
from topicfactors.studies.quality import compare
from topicfactors.studies.quality_results import QualityStudy
from topicfactors.studies.results import GradientStudy

__all__ = ["GradientStudy", "QualityStudy", "compare", "gradients"]
