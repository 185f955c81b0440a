"""The last step of a store: what stands beside the shards, and the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from topicfactors import __version__
from topicfactors.corpus.store.manifest import (
    VOCABULARY,
    Kept,
    Manifest,
    Shard,
    kept,
    read_manifest,
    write_manifest,
)
from topicfactors.corpus.store.statistics import Statistics
from topicfactors.corpus.store.tokenising import write_tokenising
from topicfactors.wordlists import write_words

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer


class Outcome(NamedTuple):
    """Shards that were written, and what is known of all of them."""

    shards: list[Shard]
    statistics: Statistics
    labelled: bool
    columns: Sequence[str]
    notes: Sequence[str]


def finish_new(
    folder: Path,
    outcome: Outcome,
    words: Sequence[str] | None,
    vectorizer: DocumentVectorizer | None,
) -> None:
    """Write the words, the statistics and the manifest of a new store."""
    names, settings = [outcome.statistics.write(folder, len(outcome.shards))], None
    if vectorizer is not None:
        more, settings = write_tokenising(folder, vectorizer)
        names += more
    elif words is not None:
        write_words(folder / VOCABULARY, list(words))
        names.append(VOCABULARY)
    files = [kept(folder, name) for name in names]
    _write(folder, outcome, files, settings)


def finish_addition(folder: Path, outcome: Outcome) -> None:
    """Add shards to a store: all that was there stays as it is but the manifest."""
    before = read_manifest(folder)
    statistics = Statistics.of(folder, before)
    statistics.include(outcome.statistics)
    shards = [*before.shards, *outcome.shards]
    old = [file for file in before.files if Statistics.is_name(file.name)]
    files = [kept(folder, statistics.write(folder, len(shards)))]
    files += [file for file in before.files if file not in old]
    columns = list(dict.fromkeys([*before.columns, *outcome.columns]))
    notes = [*before.notes, *outcome.notes]
    together = Outcome(shards, statistics, before.labelled or outcome.labelled, columns, notes)
    _write(folder, together, files, before.vectorizer)
    for file in old:
        (folder / file.name).unlink(missing_ok=True)


def _write(
    folder: Path, outcome: Outcome, files: list[Kept], settings: dict[str, Any] | None
) -> None:
    write_manifest(
        folder,
        Manifest(
            len(outcome.statistics.totals),
            outcome.shards,
            files,
            outcome.labelled,
            list(outcome.columns),
            settings,
            list(outcome.notes),
            __version__,
        ),
    )
