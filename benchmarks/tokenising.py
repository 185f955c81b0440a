"""A folder of texts to counts: read, tokenise, count, prune.

    python benchmarks/tokenising.py FOLDER [FOLDER ...] [--jobs 1 2] [--output FILE.md]

Each run is a process of its own; the median of three is written beside this script.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path


def one(folders: list[str], jobs: int) -> dict[str, float]:
    from itertools import chain

    from topicfactors import DocumentVectorizer
    from topicfactors.corpus.readers import stream_documents

    began = time.perf_counter()
    documents = chain.from_iterable(stream_documents(folder) for folder in folders)
    vectorizer = DocumentVectorizer(min_df=5, n_jobs=jobs)
    counts = vectorizer.fit_transform(document.text for document in documents)
    return {
        "seconds": time.perf_counter() - began,
        "documents": counts.shape[0],
        "words": counts.shape[1],
        "tokens": int(counts.sum()),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", help="folders of texts, read one after the other")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".md"))
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.folders, options.one)))
        return
    from corpora import machine

    rows = []
    for jobs in options.jobs:
        found = []
        for _ in range(3):
            command = [sys.executable, __file__, *options.folders, "--one", str(jobs)]
            result = subprocess.run(command, capture_output=True, text=True, check=True)
            found.append(json.loads(result.stdout))
            print(jobs, found[-1], flush=True)
        seconds = statistics.median(run["seconds"] for run in found)
        memory = max(run["memory"] for run in found)
        rows.append(
            f"| {jobs} | {found[0]['documents']:,} | {found[0]['tokens']:,} | "
            f"{seconds:.1f} | {memory:.0f} |"
        )
    names = ", ".join(Path(folder).name for folder in options.folders)
    options.output.write_text(
        f"# Reading and tokenising\n\nWritten by `python benchmarks/tokenising.py`; {names}; "
        f"median of three processes each.\nMachine: {machine()}.\n\n"
        "| processes | documents | tokens kept | seconds | peak of the main process, MiB |\n"
        "|---|---|---|---|---|\n" + "\n".join(rows) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
