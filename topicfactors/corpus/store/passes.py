"""From documents to a store: counted by their own words first, then by those that are kept.

One pass over the corpus tokenises and counts into spooled shards, each with a list of its own
words; a second, over the spooled shards, writes them by the columns of the vocabulary. A shard is
there whole or not at all, and one that is there is not made again.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from topicfactors.corpus.abreast import InOrder, in_order
from topicfactors.corpus.blocks import CountedBlock, counted
from topicfactors.corpus.documents import OWN_IDS, Document, describe_repeated
from topicfactors.corpus.phrases import join
from topicfactors.corpus.rules import TokenRules, no_words
from topicfactors.corpus.store.arrays import damaged
from topicfactors.corpus.store.candidates import MOST, Candidates
from topicfactors.corpus.store.finishing import Outcome
from topicfactors.corpus.store.manifest import VOCABULARY, Shard, kept
from topicfactors.corpus.store.passing import PIECE, Passing
from topicfactors.corpus.store.repeats import Repeats
from topicfactors.corpus.store.shards import (
    Described,
    joined,
    read_documents,
    shard_names,
    write_documents,
)
from topicfactors.corpus.store.spool import (
    ShardBuilder,
    Spooled,
    move,
    read_spooled,
    write_spooled,
)
from topicfactors.corpus.store.statistics import Statistics
from topicfactors.corpus.store.unfinished import Workplace
from topicfactors.corpus.tokenizers import SERIAL, count_block, token_block
from topicfactors.errors import InputError, StorageError
from topicfactors.wordlists import write_words

if TYPE_CHECKING:
    from topicfactors.corpus.vectorizer import DocumentVectorizer

Watch = Callable[[Iterator[Document]], Iterable[Document]]


def count_joined(
    rules: TokenRules, texts: list[str], phrases: dict[str, float] | None
) -> CountedBlock:
    """Tokenise and count some texts, with phrases that were learnt before; runs in a worker."""
    if not phrases:
        return count_block(rules, texts)
    return counted(join(token_block(rules, texts), phrases))


class TwoPasses:
    """Texts on their way into a store.

    Parameters
    ----------
    place
        Where it is made.
    vectorizer
        What tokenises; where it is fitted, its vocabulary is taken, else it is fitted.
    processes
        How many tokenise; a short corpus is tokenised by this one.
    in_order
        Who does their work.
    """

    def __init__(
        self,
        place: Workplace,
        vectorizer: DocumentVectorizer,
        processes: int,
        in_order: InOrder = in_order,
    ) -> None:
        self.place, self.vectorizer, self.processes = place, vectorizer, processes
        self.in_order = in_order
        self.fixed = hasattr(vectorizer, "vocabulary_")
        self.rules = vectorizer.rules()
        self.candidates = Candidates(MOST)
        self.sizes: list[int] = []
        self.before: list[int] = []  # documents of each shard that the store has already
        self.labelled, self.columns = False, dict[str, None]()
        self.repeats = Repeats(place.spool / "ids")

    def run(self, source: str, passing: Passing) -> Outcome:
        """Everything but the last step.

        Raises
        ------
        InputError
            When there are no documents or words, or it is not the corpus of which some shards
            are there.
        """
        self._remember()
        self._recognise(source, passing)
        self._spool(passing)
        if not self.sizes:
            raise InputError("there are no documents: expected at least one text")
        try:
            repeated = self._repeated(passing.strict)
            if not self.fixed:
                self._choose(passing)
        except InputError:
            self.place.clear()  # to go on would end here again
            raise
        return self._move([*passing.notes(), *repeated])

    def _remember(self) -> None:
        """Note the ids that the store has already."""
        for number in range(self.place.first):
            ids = self._ids(number)
            self.before.append(len(ids))
            self.repeats.add(ids)

    def _ids(self, number: int) -> list[str]:
        path = self.place.target / shard_names(number)[1]
        try:
            return list(read_documents(path)["ids"])
        except ValueError as error:
            raise damaged(path) from error

    def _recognise(self, source: str, passing: Passing) -> None:
        """Pass over the documents of the shards that are there."""
        for number in range(self.place.finished):
            path = self.place.target / shard_names(self.place.first + number)[1]
            known, spooled = self._begun(path, number)
            if passing.skip() != known.get("source"):
                rows = f"rows {sum(self.sizes):,} to {sum(self.sizes) + len(known['ids']) - 1:,}"
                raise InputError(
                    f"{source}: is not the corpus of which {self.place.path} holds the beginning "
                    f"({rows} are others); give that corpus, or begin anew (--force, or "
                    "overwrite=True)"
                )
            self._note(Described(known["ids"], known["labels"], known["columns"]))
            self._learn(spooled)

    def _begun(self, path: Path, number: int) -> tuple[dict[str, Any], Spooled]:
        """What is there of a shard."""
        try:
            known = read_documents(path)
            return known, read_spooled(self.place.spool, number, len(known["ids"]))
        except (ValueError, StorageError) as error:
            raise StorageError(
                f"{self.place.path}: what was begun there is damaged; begin anew (--force, or "
                "overwrite=True)"
            ) from error

    def _spool(self, passing: Passing) -> None:
        """Count what is left of the corpus."""
        pieces = passing.pieces
        short = max(1, SERIAL // PIECE) if self.processes > 1 else 0
        head = list(itertools.islice(pieces, short))
        if len(head) < short:
            self.processes = 1
        waiting: deque[tuple[Described, str | None]] = deque()
        phrases = getattr(self.vectorizer, "phrases_", None) if self.fixed else None

        def tasks() -> Iterator[tuple[Any, ...]]:
            for piece in itertools.chain(head, pieces):
                waiting.append(piece[1:])
                yield self.rules, piece.texts, phrases

        builder, described = ShardBuilder(), list[Described]()
        for block in self.in_order(count_joined, tasks(), self.processes):
            known, source = waiting.popleft()
            builder.add(block)
            described.append(known)
            if source is not None:
                self._keep(builder.finish(), joined(described), source)
                builder, described = ShardBuilder(), []

    def _keep(self, shard: Spooled, known: Described, source: str) -> None:
        """Write a spooled shard, which is known by the file that is written last."""
        number = len(self.sizes)
        path = self.place.target / shard_names(self.place.first + number)[1]
        write_documents(path, known, source=source)
        self._note(known)
        self._learn(shard)
        write_spooled(self.place.spool, number, shard)

    def _note(self, known: Described) -> None:
        self.sizes.append(len(known.ids))
        self.repeats.add(known.ids)
        self.labelled = self.labelled or any(label is not None for label in known.labels or ())
        self.columns.update(dict.fromkeys(known.columns))

    def _learn(self, shard: Spooled) -> None:
        if not self.fixed:
            self.candidates.add(shard)

    def _choose(self, passing: Passing) -> None:
        """Fit the vectorizer: the words that are kept, as its own fit keeps them."""
        documents, found = sum(self.sizes), len(self.candidates.known)
        if not found:
            empty = passing.empty == documents
            raise no_words(self.vectorizer.get_params(deep=False), documents, empty)
        words = self.candidates.vocabulary(self.vectorizer._pruning(), documents)
        if not words:
            raise self.vectorizer._pruning().nothing_left(documents, found)
        self.vectorizer.vocabulary_ = {word: column for column, word in enumerate(words)}
        self.vectorizer.phrases_ = {}
        self.candidates.known = {}  # the largest table

    def _repeated(self, strict: bool) -> list[str]:
        """What a user should know of ids that come again."""
        found = self.repeats.found(sum(self.before))
        if found is None:
            return []
        sizes = [*self.before, *self.sizes]
        home = int(np.searchsorted(np.cumsum(sizes), found.first, side="right"))
        line = describe_repeated(self._ids(home)[found.first - sum(sizes[:home])], *found)
        if strict:
            raise InputError(f"{line}; {OWN_IDS}")
        return [line]

    def _move(self, known: list[str]) -> Outcome:
        """Write the shards by the columns of the vocabulary."""
        place, words = self.place, self.vectorizer.get_feature_names_out().tolist()
        vocabulary = place.path / VOCABULARY
        write_words(vocabulary, words)
        statistics, shards, unknown = Statistics(len(words)), list[Shard](), 0.0
        named = [shard_names(place.first + number) for number in range(len(self.sizes))]
        tasks = (
            (place.spool, number, vocabulary, place.target / of_counts)
            for number, (of_counts, _) in enumerate(named)
        )
        moved = self.in_order(move, tasks, self.processes)
        for (of_counts, of_documents), size, each in zip(named, self.sizes, moved, strict=True):
            files = (kept(place.target, of_counts), kept(place.target, of_documents))
            shards.append(Shard(*files, size, each.nnz, each.tokens))
            statistics.include(each.statistics)
            unknown += each.unknown
        notes = [*known, *self.candidates.notes()]
        if self.fixed and unknown:
            every = unknown + sum(shard.tokens for shard in shards)
            notes.append(
                f"{unknown:,.0f} of {every:,.0f} tokens are of words that the vocabulary does not "
                "have, and are left out"
            )
        return Outcome(shards, statistics, self.labelled, list(self.columns), notes)
