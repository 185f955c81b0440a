"""Topic quality beside peers, on five corpora.

    python benchmarks/topic_quality.py --data FOLDER [--seeds 0 1 2] [--corpora NAME ...]
        [--models NAME ...] [--threads 1] [--cache FILE.jsonl] [--again NAME ...]
        [--output FILE.md]

Writes topic_quality.md beside this script, after every fit, so that it can be looked at while it
grows. Rows that are done are kept in the cache and not made again, unless the settings or the
version of their model have changed, or --again names it (which it should where our own code has).
Peers that are not installed are left out: pip install 'topicfactors[peers]' bertopic.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpora import Benchmark, everything, five_thousand_words, machine, octis_rows, posts
from topicfactors.studies.lineup import Entry, cure, entries
from topicfactors.studies.quality_results import QualityStudy, Trial
from topicfactors.studies.tournament import Tournament

NAMES = ("20news_clean", "20news raw", "BBC_News", "M10", "DBLP")


class Cache:
    """Trials that are done, a line of JSON each."""

    def __init__(self, path: Path, forgotten: set[str]) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        self.rows = [row for row in map(json.loads, lines) if row["model"] not in forgotten]
        path.write_text("".join(json.dumps(row) + "\n" for row in self.rows), encoding="utf-8")

    def known(self, corpus: str, topics: int, threads: int, models: list[Entry]) -> list[Trial]:
        settings = {entry.label: entry.settings for entry in models}
        return [
            Trial(**row["trial"])
            for row in self.rows
            if (row["corpus"], row["topics"], row["threads"]) == (corpus, topics, threads)
            and settings.get(row["model"]) == row["settings"]
        ]

    def keep(self, corpus: str, topics: int, threads: int, settings: str, trial: Trial) -> None:
        row = {
            "corpus": corpus,
            "topics": topics,
            "threads": threads,
            "model": trial.model,
            "settings": settings,
            "trial": trial._asdict(),
        }
        self.rows.append(row)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


class Rest(Tournament):
    """A comparison of which some trials are done."""

    done: frozenset[tuple[str, int]] = frozenset()

    @property
    def plan(self) -> list[tuple[Entry, int]]:
        return [
            (entry, seed) for entry, seed in super().plan if (entry.label, seed) not in self.done
        ]


def tokens_of(corpus: Benchmark, data: Path) -> list[list[str]] | None:
    """Training documents as words in their order; None where only counts are known."""
    if corpus.name == "20news_clean":
        return None
    if corpus.name == "20news raw":
        split = five_thousand_words().build_analyzer()
        return [split(text.partition("\n\n")[2]) for _, text in posts(data)["train"]]
    rows = octis_rows(data, corpus.name)[0]
    return [row[0].split() for row in rows if row[1] == "train"]


def elsewhere(trial: Trial, tournament: Tournament) -> Trial:
    """A trial of before the NPMI of held-out documents was asked for, with it."""
    if trial.npmi_held_out is not None or trial.words is None:
        return trial
    columns = {word: column for column, word in enumerate(tournament.words)}
    topics = [[columns[word] for word in topic] for topic in trial.words]
    found = tournament.wordings.scores(topics, len(topics), with_c_v=False)
    return trial._replace(npmi_held_out=found["npmi_held_out"])


def studied(corpus: Benchmark, topics: int, options: Any, cache: Cache) -> Iterator[QualityStudy]:
    """The study of a corpus, as it grows."""
    tournament = Rest(
        corpus.train,
        topics,
        options.models,
        tokens=tokens_of(corpus, options.data),
        feature_names=corpus.words,
        X_held_out=corpus.test,
        seeds=options.seeds,
        threads=options.threads,
    )
    settings = {entry.label: entry.settings for entry in tournament.entries}
    trials = [
        elsewhere(trial, tournament)
        for trial in cache.known(corpus.name, topics, options.threads, tournament.entries)
        if trial.seed in options.seeds
    ]
    tournament.done = frozenset((trial.model, trial.seed) for trial in trials)
    yield tournament.study(trials)
    for trial in tournament:
        trials.append(trial)
        if trial.npmi is not None:
            told = settings[trial.model]
            cache.keep(corpus.name, topics, options.threads, told, trial)
        said = {k: v for k, v in trial._asdict().items() if k != "words" and v is not None}
        print(corpus.name, said, flush=True)
        yield tournament.study(trials)


def page(studies: dict[str, QualityStudy], options: Any) -> str:
    models = {label: said for study in studies.values() for label, said in study.models.items()}
    missing = next(iter(studies.values())).missing
    absent = f" Not installed: {', '.join(m.model for m in missing)}." if missing else ""
    seeds, several = ", ".join(map(str, options.seeds)), len(options.seeds) > 1
    head = (
        "# Topic quality beside peers\n\nWritten by `python benchmarks/topic_quality.py --data "
        f"FOLDER`; {'seeds' if several else 'seed'} {seeds}"
        f"{', mean ± standard deviation' if several else ''}.\nMachine: {machine()}; "
        f"{options.threads} thread(s) a fit, each in a process of its own.{absent}\n\n{NOTES}\n"
    )
    listed = "".join(f"- {label}: {said}\n" for label, said in models.items())
    parts = []
    for name, study in studies.items():
        table, _, caption = study.markdown().partition("\n\n")
        parts.append(f"\n## {name}\n\n{caption.splitlines()[0]}\n\n{table}\n")
    return head + listed + "".join(parts)


NOTES = """Ten words a topic, each model's own ranking; NPMI by presence in the training documents,
pairs that never meet −1, mean over all topics; held out, that of the same words in the test
documents: our default ranking, `coherent`, has read which words come together in the training
documents and not in those. Diversity is the share of different words among
them. Models are sorted by NPMI × diversity, and where NPMI is negative by NPMI, those of a
diversity of 0.85 or more first. Completion: perplexity of one half of each test document's tokens
given the other, exp(−Σ log p / Σ tokens); what has no probabilities has none. Transform: documents
a second, the quickest of two calls or more. Peak: memory of fit and transform, above that of an
idle process with the corpus. docs/comparing.md says more; where other programs ran beside, seconds
and speeds spread widely, and memory and scores do not.
"""


def main() -> None:
    here = Path(__file__)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--corpora", nargs="+", default=list(NAMES), choices=NAMES)
    parser.add_argument("--models", nargs="+", help="all that are installed, where none is named")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("topic_quality.jsonl"))
    parser.add_argument("--again", nargs="+", default=[], help="models that are fitted again")
    parser.add_argument("--output", type=Path, default=here.with_suffix(".md"))
    options = parser.parse_args()
    forgotten = {entry.label for entry in entries(options.again)[0]} if options.again else set()
    cache, studies = Cache(options.cache, forgotten), dict[str, QualityStudy]()
    for corpus, topics in everything(options.data):
        if corpus.name not in options.corpora:
            continue
        for study in studied(corpus, topics, options, cache):
            studies[corpus.name] = study
            options.output.write_text(page(studies, options), encoding="utf-8")
    if missing := next(iter(studies.values())).missing:
        print(f"not installed: {cure(missing)}")


if __name__ == "__main__":
    main()
