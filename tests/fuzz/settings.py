"""How much is tried in the suite; the drivers try more."""

from hypothesis import HealthCheck, settings

few = settings(
    derandomize=True,
    deadline=None,
    max_examples=75,
    database=None,
    suppress_health_check=list(HealthCheck),
)
