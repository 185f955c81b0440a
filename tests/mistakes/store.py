"""Mistakes about stores: preparing them, adding to them, reading what is not whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.mistakes.happening import Mistake
from tests.mistakes.places import full_disk, write

SECTION = "Stores"
WORDS = "--min-df 1 --max-df 1.0"


def _stored(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    """A preparation: the notes as a store, then changed."""

    def prepare(place: Path) -> None:
        from topicfactors import DocumentVectorizer
        from topicfactors.corpus import store

        words = DocumentVectorizer(min_df=1, max_df=1.0)
        store.prepare(place / "notes", place / "store", vectorizer=words, shard_documents=20)
        for change in changes:
            change(place)

    return prepare


def _said_otherwise(**said: object) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        path = place / "store" / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | said))

    return change


def _spoilt(name: str, cut: int = 0) -> Callable[[Path], None]:
    def change(place: Path) -> None:
        data = bytearray((place / name).read_bytes())
        data[-1] ^= 1
        (place / name).write_bytes(data[: len(data) - cut])

    return change


def _with_a_column(place: Path) -> None:
    from topicfactors.corpus import store

    rows = ({"text": f"steam engine {'clock' * (n % 2)}", "year": n} for n in range(20))
    store.prepare(rows, place / "store", columns="year")


def _begun(corpus: str = "notes", **settings: object) -> Callable[[Path], None]:
    """A preparation that was stopped after its first shard."""

    def prepare(place: Path) -> None:
        import itertools

        from topicfactors import DocumentVectorizer
        from topicfactors.corpus import store
        from topicfactors.corpus.readers import stream_documents

        def stopping() -> object:
            documents = stream_documents(place / corpus)
            yield from ({"id": d.id, "text": d.text} for d in itertools.islice(documents, 25))
            raise KeyboardInterrupt

        words = DocumentVectorizer(min_df=1, max_df=1.0, n_jobs=-1)
        try:
            store.prepare(
                stopping(), place / "store", vectorizer=words, shard_documents=20, workers=1
            )
        except KeyboardInterrupt:
            return

    return prepare


SHARD = "store/shards/000001.safetensors"
STORES = [
    Mistake(SECTION, *row)
    for row in (
        (
            "A store that exists",
            f"topicfactors prepare notes store {WORDS}",
            "exists and is kept",
            1,
            _stored(),
        ),
        (
            "A folder of other things in its place",
            f"topicfactors prepare notes run --force {WORDS}",
            "there is no manifest.json in it",
            1,
        ),
        (
            "A store in place of its corpus",
            f"topicfactors prepare notes/engines notes --force {WORDS}",
            "holds something else",
            1,
        ),
        ("A corpus that is not there", "topicfactors prepare nots store", "did you mean 'notes'"),
        (
            "Phrases of a corpus that streams",
            "topicfactors prepare notes store --phrases",
            "phrases are learnt from all texts at once",
        ),
        (
            "Options of texts for counts to be stored",
            "topicfactors prepare counts.mtx store --min-df 3",
            "leave out --min-df",
        ),
        (
            "A column that its documents have not",
            "topicfactors prepare notes store --covariate year",
            "no column 'year'",
        ),
        (
            "Words that nothing is left of",
            "topicfactors prepare table.csv store --min-df 40",
            "lower min_df",
        ),
        (
            "No room for a shard",
            f"topicfactors prepare notes store {WORDS}",
            "No space left",
            1,
            None,
            full_disk,
        ),
        (
            "A store among the texts of its corpus",
            f"topicfactors prepare notes notes/store {WORDS}",
            "would be read with it",
        ),
        (
            "A store of a store",
            "topicfactors prepare store other",
            "is a store of counts, which has no texts",
            2,
            _stored(),
        ),
        (
            "Processes for counts to be stored",
            "topicfactors prepare counts.mtx store --threads 2",
            "leave out --threads",
        ),
        (
            "Adding to what is no store",
            "topicfactors prepare notes run --append",
            "no store here",
            1,
        ),
        (
            "Other words for documents that are added",
            "topicfactors prepare notes store --append --min-df 3",
            "leave out --min-df",
            2,
            _stored(),
        ),
        (
            "Fewer columns of documents that are added",
            "topicfactors prepare table.csv store --append",
            "name the columns of those that are added too",
            2,
            _with_a_column,
        ),
        (
            "A covariate of a document that is in a store",
            "topicfactors explain run store --id engines/00.txt --at year=1850",
            "leave out --at",
            2,
            _stored(),
        ),
        (
            "Going on with other settings",
            "topicfactors prepare notes store --min-df 3 --max-df 1.0 --shard-documents 20",
            "begun there with min_df=1, not min_df=3",
            1,
            _begun(),
        ),
        (
            "Going on with another corpus",
            f"topicfactors prepare notes/clocks store {WORDS} --shard-documents 20",
            "is not the corpus of which",
            2,
            _begun(),
        ),
        (
            "A store that is not finished",
            "topicfactors transform run store",
            "give the same command (topicfactors prepare) again",
            1,
            _begun(),
        ),
        (
            "A shard that is missing",
            "topicfactors transform run store",
            "is missing",
            1,
            _stored(lambda place: (place / SHARD).unlink()),
        ),
        (
            "A shard that was cut off",
            "topicfactors transform run store",
            "bytes where",
            1,
            _stored(_spoilt(SHARD, cut=7)),
        ),
        (
            "A store that is no longer what was written",
            "topicfactors evaluate run store",
            "damaged, not what was written",
            1,
            _stored(_spoilt(SHARD)),
        ),
        (
            "A store of a later version",
            "topicfactors transform run store",
            "reads format 1",
            1,
            _stored(_said_otherwise(format=7)),
        ),
        (
            "A manifest that names files elsewhere",
            "topicfactors transform run store",
            "no path inside of the folder",
            1,
            _stored(_said_otherwise(files=[["../run/run.toml", 1, ""]])),
        ),
        (
            "A manifest that is none",
            "topicfactors transform run store",
            "damaged, not what was written",
            1,
            _stored(write("store/manifest.json", '{"kind": "topicfactors store", ')),
        ),
        (
            "A store of counts of other words",
            "topicfactors transform counted store",
            "columns, and counted was fitted to 8 words",
            2,
            _stored(),
        ),
        (
            "C_V of a store",
            "topicfactors evaluate run store --c-v",
            "leave out --c-v",
            2,
            _stored(),
        ),
        (
            "Columns of a store",
            "topicfactors transform run store --text-column body",
            "leave out --text-column",
            2,
            _stored(),
        ),
    )
]
STORES_IN_PYTHON = [
    Mistake("In Python", *row)
    for row in (
        (
            "A store of one text",
            "from topicfactors import IterableCorpus; IterableCorpus('steam')",
            "got one text",
        ),
        (
            "Blocks of different widths",
            "from topicfactors import IterableCorpus; IterableCorpus([np.eye(2), np.eye(3)])",
            "counts of 3 words, expected 2",
        ),
        (
            "Blocks of something else",
            "from topicfactors import IterableCorpus; IterableCorpus([np.array([['a', 'b']])])",
            "must be counts (n, V), sparse or an array of numbers",
        ),
        (
            "Documents that are lists",
            "from topicfactors import IterableCorpus; IterableCorpus([['steam', 'engine']])",
            "item 0: must be a text",
        ),
        (
            "A vectorizer for documents that are added",
            "from topicfactors.corpus.store import prepare; "
            "prepare(['a'], 'store', append=True, vectorizer=pipeline[0])",
            "leave vectorizer out",
            2,
            _stored(),
        ),
    )
]
