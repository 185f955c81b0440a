"""A page of a small corpus whose texts, ids, labels and columns try to break out of it."""

import json
import re

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from tests.cli.conftest import THEMES, make_texts
from topicfactors import BinaryFactorModel, DocumentVectorizer, write_report

ATTACK = "</script><script>document.title = 'owned'</script><img src=x onerror=alert(1)> & <b>"
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)


def data_of(path):
    """What a page holds, as its script reads it."""
    return json.loads(DATA.search(path.read_text(encoding="utf-8"))[1])


@pytest.fixture(scope="session")
def texts():
    found = list(make_texts())
    found[4] = f"{ATTACK} {found[4]} xylophone"
    found[7] = "and of the"  # no word of it is counted
    return found


@pytest.fixture(scope="session")
def fitted(texts):
    model = BinaryFactorModel(3, random_state=0, max_iter=3, n_jobs=1)
    return make_pipeline(DocumentVectorizer(max_df=1.0), model).fit(texts)


@pytest.fixture(scope="session")
def page(fitted, texts, tmp_path_factory):
    """The page with everything in it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    rows = range(len(texts))
    return write_report(
        fitted,
        texts,
        path,
        ids=[f"<i>{row}" for row in rows],
        labels=[f"<em>{list(THEMES)[row % 3]}" for row in rows],
        covariates={"year": np.arange(1700, 1700 + len(texts)), "<u>kind": ["a", None, "b"] * 15},
        title="<h1>Title & more",
    )
