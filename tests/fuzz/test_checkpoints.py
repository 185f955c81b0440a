"""Checkpoints that somebody has changed."""

import functools
import json
import tempfile
import warnings
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import models
from tests.fuzz.guard import guarded
from tests.fuzz.settings import few
from tests.fuzz.spoiling import copied, respoiled_header, spoiled_bytes, spoiled_tree
from topicfactors.errors import FitWarning
from topicfactors.training.checkpoint import Checkpoints

_place = tempfile.TemporaryDirectory(prefix="fuzzed-checkpoints")


def fit(folder, **options):
    """Fit a few epochs, with checkpoints."""
    kept = Checkpoints(folder, keep=1, **options)
    model = models.factors(inference="nvil:samples=2", max_iter=3, callbacks=[kept])
    return model.fit(models.counts())


@functools.cache
def made():
    """The folder of a checkpoint."""
    folder = Path(_place.name) / "made"
    fit(folder)
    return folder


def seal(folder):
    """Make the checksum right again."""
    (path,) = folder.glob("*.json")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        found["crc32"] = zlib.crc32(path.with_suffix(".safetensors").read_bytes())
        path.write_text(json.dumps(found), encoding="utf-8")
    except Exception:
        return


@pytest.mark.filterwarnings("ignore")
def test_what_nobody_has_changed_is_gone_on_from():
    with copied(made()) as folder:
        assert fit(folder, resume=True).n_iter_ == 3


@few
@given(data=st.data())
def test_a_changed_checkpoint(data):
    with copied(made()) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FitWarning)
        path = data.draw(st.sampled_from(sorted(folder.iterdir())))
        content = path.read_bytes()
        if path.suffix == ".json" and data.draw(st.booleans()):
            path.write_text(json.dumps(data.draw(spoiled_tree(json.loads(content)))))
        elif path.suffix == ".safetensors" and data.draw(st.booleans()):
            path.write_bytes(data.draw(respoiled_header(content)))
        else:
            path.write_bytes(data.draw(spoiled_bytes(content)))
        seal(folder)
        with guarded(folder):
            fit(folder, resume=True)
