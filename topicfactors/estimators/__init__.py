"""The scikit-learn surface."""

EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {"BinaryFactorModel": {}}
"""Checks of ``sklearn.utils.estimator_checks`` that an estimator fails on purpose, and why."""
