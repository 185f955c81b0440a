"""Model folders that somebody has changed."""

import inspect
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import models
from tests.fuzz.guard import guarded
from tests.fuzz.settings import few
from tests.fuzz.spoiling import copied, respoiled_header, spoiled_bytes, spoiled_tree
from topicfactors import load
from topicfactors.estimators.parts import REGISTRIES


def use(folder, kind):
    """Load it, and ask what it would be asked."""
    model = load(folder)
    given = models.TEXTS[:3] if kind in models.OF_TEXTS else models.counts()
    asked = {"covariates": models.COVARIATES} if kind == "covariates" else {}
    for name in ("transform", "predict_proba"):
        if hasattr(model, name):
            getattr(model, name)(given, **asked)
    last = getattr(model, "steps", [(None, model)])[-1][1]
    if hasattr(last, "topics_frame"):
        last.topics_frame()


def change_config(data, folder):
    path = folder / "config.json"
    tree = data.draw(spoiled_tree(json.loads(path.read_text(encoding="utf-8"))))
    path.write_text(json.dumps(tree), encoding="utf-8")


def change_header(data, folder):
    path = folder / "weights.safetensors"
    if not path.exists():
        return
    path.write_bytes(data.draw(respoiled_header(path.read_bytes())))


def change_bytes(data, folder):
    path = data.draw(st.sampled_from(sorted(folder.iterdir())))
    path.write_bytes(data.draw(spoiled_bytes(path.read_bytes())))


def change_option(data, folder):
    """Give a part options that nobody would."""
    path = folder / "config.json"
    tree = json.loads(path.read_text(encoding="utf-8"))
    step = tree["steps"][-1]
    chosen = data.draw(st.sampled_from(sorted(set(REGISTRIES) & set(step["parameters"]))))
    name = data.draw(st.sampled_from(sorted(REGISTRIES[chosen])))
    known = [*inspect.signature(REGISTRIES[chosen][name]).parameters, "x"]
    option = data.draw(st.sampled_from(known))
    value = data.draw(st.sampled_from(["-1", "0", "2", "1e9", "1000000", "1000000000000", "nan"]))
    for place in (step["parameters"], step["fitted"]):
        if chosen in place:
            place[chosen] = f"{name}:{option}={value}"
    path.write_text(json.dumps(tree), encoding="utf-8")


CHANGES = {
    "option": change_option,
    "config": change_config,
    "header": change_header,
    "bytes": change_bytes,
}


@pytest.mark.parametrize("kind", models.KINDS)
def test_what_nobody_has_changed_is_loaded(kind):
    with copied(models.saved(kind)) as folder:
        use(folder, kind)


@few
@given(data=st.data())
def test_a_changed_model_is_refused_in_one_line_or_works(data):
    kind = data.draw(st.sampled_from(sorted(models.KINDS)))
    change = CHANGES[data.draw(st.sampled_from(sorted(CHANGES)))]
    if kind == "phrases" and change is change_option:
        return
    with copied(models.saved(kind)) as folder:
        change(data, folder)
        with guarded(folder):
            use(folder, kind)
