"""What is said of a model that was fitted in several runs."""

from __future__ import annotations

from typing import Any

from topicfactors.insight.matching import lost


def lost_of(model: Any) -> list[int | str]:
    """Factors, by number or name, that fewer than half of the other runs have."""
    return [model.factor_names_[number] for number in lost(model.came_back_)]


def consensus_metrics(model: Any) -> dict[str, Any]:
    """What metrics.json says of the runs; nothing where there was one."""
    if not hasattr(model, "consensus_"):
        return {}
    return {"consensus": {**model.consensus_._asdict(), "lost": lost_of(model)}}


def told_of_runs(model: Any) -> list[str]:
    """Lines for the end of a fit; none where there was one run."""
    if not hasattr(model, "consensus_"):
        return []
    told, names = model.consensus_, lost_of(model)
    kept = f"the run with seed {told.seeds[told.chosen]} is kept"
    agree = f"{told.agreement:.2f} (by chance {told.chance:.2f})"
    which = f"in fewer than half of the others: {', '.join(map(str, names))}"
    return [
        f"{len(told.seeds)} runs agree to {agree}; {kept}",
        which if names else "each of its factors came back in half of the others or more",
    ]
