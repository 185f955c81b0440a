"""Small stores, and one whose preparation was interrupted; made once."""

import contextlib
import functools
import itertools
import json
import tempfile
from pathlib import Path

from tests.fuzz.models import CLASSES, TEXTS, counting
from topicfactors.corpus.store import StoreWriter, prepare
from topicfactors.corpus.store.arrays import checksum

RECORDS = [
    {"text": text, "id": f"d{row}", "label": CLASSES[row], "year": 1800 + row}
    for row, text in enumerate(TEXTS)
]
OPTIONS = {"columns": ["year"], "shard_documents": 12, "workers": 1}
_place = tempfile.TemporaryDirectory(prefix="fuzzed-stores")


class Interrupted(Exception):  # noqa: N818
    """As by a signal."""


@functools.cache
def of_texts():
    """A store of texts."""
    folder = Path(_place.name) / "texts"
    prepare(RECORDS, folder, vectorizer=counting(), **OPTIONS)
    return folder


@functools.cache
def of_phrases():
    """A store of texts with phrases."""
    folder = Path(_place.name) / "phrases"
    learnt = counting(phrases=True, phrase_min_count=2, phrase_threshold=0.1).fit(TEXTS)
    prepare(TEXTS, folder, vectorizer=learnt, shard_documents=12, workers=1)
    return folder


@functools.cache
def of_counts():
    """A store of counts without names."""
    folder = Path(_place.name) / "counts"
    counts = counting().fit_transform(TEXTS)
    with StoreWriter(folder, shard_documents=12) as writer:
        writer.add(counts.astype(float))
    return folder


@functools.cache
def unfinished():
    """The folder around a preparation that was interrupted after two shards."""
    folder = Path(_place.name) / "unfinished"
    folder.mkdir()
    with contextlib.suppress(Interrupted):
        go_on(folder / "store", watch=_interrupted)
    assert any((folder / "store.preparing" / "spool").iterdir())
    return folder


def go_on(folder, **options):
    """Prepare it, or what is left of it."""
    return prepare(RECORDS, folder, vectorizer=counting(), **OPTIONS, **options)


def seal(folder):
    """Make every size and checksum of a manifest right again, as somebody who forges one would."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        parts = [part for shard in manifest["shards"] for part in shard[:2]]
        for part in [*manifest["files"], *parts]:
            part[1:] = (folder / part[0]).stat().st_size, checksum(folder / part[0])
        path.write_text(json.dumps(manifest), encoding="utf-8")
    except Exception:
        return


def _interrupted(documents):
    yield from itertools.islice(documents, 26)
    raise Interrupted
