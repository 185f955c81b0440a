"""Parts put side by side on a corpus: what a choice costs and what it brings."""

from __future__ import annotations

from topicfactors.studies.gradients import gradients
from topicfactors.studies.results import GradientStudy

__all__ = ["GradientStudy", "gradients"]
