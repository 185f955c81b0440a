"""scikit-learn's contract, and that the checks which are expected to fail really do."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from topicfactors import (
    EXPECTED_FAILED_CHECKS,
    BinaryFactorModel,
    MixtureModel,
    SemiSupervisedClassifier,
)

QUICK = {"max_iter": 2, "device": "cpu", "n_jobs": 1, "encoder": "bag-of-words:width=8"}
EXPECTED = EXPECTED_FAILED_CHECKS["BinaryFactorModel"]
ALONE = {"device": "cpu", "n_jobs": 1}
ESTIMATORS = {
    "BinaryFactorModel": BinaryFactorModel(2, **QUICK),
    "MixtureModel": MixtureModel(2, **ALONE),
    "SemiSupervisedClassifier": SemiSupervisedClassifier(**ALONE),
}


def expected_failures(estimator):
    return EXPECTED_FAILED_CHECKS[type(estimator).__name__]


@pytest.fixture
def float32_tolerance(monkeypatch):
    """One document alone, and among others: equal to 1e-5; float32 cannot keep the 1e-7 asked."""
    for name in ("assert_allclose", "assert_allclose_dense_sparse"):
        strict = getattr(estimator_checks, name)

        def tolerant(x, y, rtol=1e-7, atol=0, err_msg="", strict=strict):
            strict(x, y, rtol=max(rtol, 1e-5), atol=max(atol, 1e-5), err_msg=err_msg)

        monkeypatch.setattr(estimator_checks, name, tolerant)


@pytest.mark.filterwarnings("ignore:n_components=2 is more factors")  # of the one document
@pytest.mark.usefixtures("float32_tolerance")
@parametrize_with_checks(
    [
        BinaryFactorModel(2, **QUICK),
        BinaryFactorModel(2, inference="gumbel-softmax", **QUICK),
        MixtureModel(2, **ALONE),
        MixtureModel(2, inference="exact", max_iter=2, **ALONE),
        SemiSupervisedClassifier(**ALONE),
        SemiSupervisedClassifier(inference="exact", max_iter=2, calibrate=False, **ALONE),
        SemiSupervisedClassifier(n_factors=2, max_iter=2, calibrate=False, **ALONE),
    ],
    expected_failed_checks=expected_failures,
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
@pytest.mark.parametrize("estimator", ["BinaryFactorModel", "MixtureModel"])
@pytest.mark.parametrize(
    "name",
    [
        "check_dataframe_column_names_consistency",
        "check_transformer_get_feature_names_out",
        "check_transformer_get_feature_names_out_pandas",
        "check_set_output_transform",
        "check_set_output_transform_pandas",
        "check_global_output_transform_pandas",
        "check_n_features_in",
    ],
)
def test_what_scikit_learn_asks_of_its_own(name, estimator):
    getattr(estimator_checks, name)(estimator, ESTIMATORS[estimator])


@pytest.mark.parametrize(
    ("estimator", "name"),
    [(estimator, name) for estimator in ESTIMATORS for name in EXPECTED_FAILED_CHECKS[estimator]],
)
def test_expected_failures_really_fail(estimator, name):
    checks = [
        check
        for _, check in estimator_checks_generator(ESTIMATORS[estimator], legacy=True)
        if check.func.__name__ == name
    ]
    assert checks, "no such check any more: take it off the list"
    for check in checks:
        with pytest.raises((AssertionError, ValueError)):
            check(ESTIMATORS[estimator])
    assert EXPECTED_FAILED_CHECKS[estimator][name].strip()


def test_expected_failures_fail_for_the_shape_of_predict_alone(monkeypatch):
    predict = BinaryFactorModel.predict
    monkeypatch.setattr(BinaryFactorModel, "predict", lambda self, X: predict(self, X)[:, 0])
    for name in EXPECTED:
        getattr(estimator_checks, name)("BinaryFactorModel", BinaryFactorModel(2, **QUICK))
