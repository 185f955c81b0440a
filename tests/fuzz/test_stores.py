"""Stores that somebody has changed, and preparations that go on."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import stores
from tests.fuzz.guard import guarded
from tests.fuzz.settings import few
from tests.fuzz.spoiling import copied, respoiled_header, spoiled_bytes, spoiled_tree
from topicfactors.corpus.store import CountsStore, is_store


def use(folder):
    """Ask a store all that it can be asked."""
    store = CountsStore.open(folder)
    assert repr(store)
    assert store.size >= 0
    assert len(store.fingerprint) == 64
    assert len(store.word_totals) == len(store.document_frequency) == store.shape[1]
    for number in range(len(store.sizes)):
        counts = store.shard(number)
        assert counts.shape == (store.sizes[number], store.shape[1])
        assert (counts @ np.ones(counts.shape[1])).shape == (counts.shape[0],)
        assert len(store.ids(number)) == len(store.labels(number) or store.ids(number))
        assert all(
            len(cells) == counts.shape[0] for cells in (store.columns(number) or {}).values()
        )
    assert store.rows(range(len(store) - 1, -1, -3)).shape[1] == store.shape[1]
    vectorizer = store.vectorizer()
    if vectorizer is not None:
        vectorizer.transform(["steam engine", "!"])
    store.verify()


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def change(data, folder):
    """Change a file in a way that suits it."""
    path = data.draw(st.sampled_from(files(folder)))
    content = path.read_bytes()
    kinds = ["bytes", "tree"] if path.suffix == ".json" else ["bytes"]
    kinds += ["header"] * 3 if path.suffix == ".safetensors" else []
    kind = data.draw(st.sampled_from(kinds))
    if kind == "tree":
        path.write_text(json.dumps(data.draw(spoiled_tree(json.loads(content)))), encoding="utf-8")
    elif kind == "header":
        path.write_bytes(data.draw(respoiled_header(content)))
    else:
        path.write_bytes(data.draw(spoiled_bytes(content)))


@pytest.mark.parametrize("kind", ["of_texts", "of_phrases", "of_counts"])
def test_what_nobody_has_changed_is_read(kind):
    with copied(getattr(stores, kind)()) as folder:
        assert CountsStore.open(folder).shape == (30, 12)
        use(folder)


@few
@given(data=st.data())
def test_a_changed_store_is_refused_in_one_line_or_works(data):
    kind = data.draw(st.sampled_from([stores.of_texts, stores.of_phrases, stores.of_counts]))
    with copied(kind()) as folder:
        change(data, folder)
        if data.draw(st.booleans()) or data.draw(st.booleans()):
            stores.seal(folder)
        with guarded(folder):
            is_store(folder)
            use(folder)


@few
@given(data=st.data())
def test_a_preparation_goes_on_or_is_refused_in_one_line(data):
    with copied(stores.unfinished()) as folder:
        change(data, folder)
        with guarded(folder):
            use(stores.go_on(folder / "store").folder)
