"""The scikit-learn surface."""

_MATRIX = "predict gives one 0/1 column per factor, and this check wants one number per document"

_TAGS = (
    "this check reads the tags of a classifier from everything that has predict_proba, and a "
    "mixture is none"
)

EXPECTED_FAILED_CHECKS: dict[str, dict[str, str]] = {
    "BinaryFactorModel": {
        "check_estimator_sparse_array": _MATRIX,
        "check_estimator_sparse_matrix": _MATRIX,
    },
    "MixtureModel": {
        "check_estimator_sparse_array": _TAGS,
        "check_estimator_sparse_matrix": _TAGS,
    },
    "SemiSupervisedClassifier": {
        "check_classifiers_classes": "-1 stands for a document without a label, and is a class here"
    },
}
"""Checks of ``sklearn.utils.estimator_checks`` that an estimator fails on purpose, and why."""
