"""The scikit-learn surface."""

_MATRIX = "predict gives one 0/1 column per factor, and this check wants one number per document"

EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {
    "BinaryFactorModel": {
        "check_estimator_sparse_array": _MATRIX,
        "check_estimator_sparse_matrix": _MATRIX,
    }
}
"""Checks of ``sklearn.utils.estimator_checks`` that an estimator fails on purpose, and why."""
