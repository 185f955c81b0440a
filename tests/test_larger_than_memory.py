"""A corpus ten times larger than the memory given is fitted, and takes no more for being large."""

import json
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from topicfactors.corpus.store import CountsStore, StoreWriter

WORDS, A_DOCUMENT, A_SHARD = 2000, 300, 4096
GIVEN = 32 * 1024  # KiB, beyond what a small corpus takes
SMALL = 24  # shards: as many documents as are ever read at once, and more
LIMIT_HITS = ("cannot allocate", "MemoryError", "out of memory", "can't allocate", "bad_alloc")


def shard(seed):
    """Documents of many words, with Zipf's frequencies."""
    draw = np.random.default_rng(seed)
    ranks = (WORDS ** draw.random((A_SHARD, A_DOCUMENT))).astype(np.int64) - 1
    offsets = np.arange(A_SHARD + 1) * A_DOCUMENT
    ones = np.ones(ranks.size, np.float32)
    counts = scipy.sparse.csr_matrix((ones, ranks.ravel(), offsets), shape=(A_SHARD, WORDS))
    counts.sum_duplicates()
    return counts


def written(folder, shards):
    names = [f"w{word}" for word in range(WORDS)]
    with StoreWriter(folder, words=names, shard_documents=A_SHARD) as writer:
        for number in range(shards):
            writer.add(shard(number % 8), ids=[f"{number}-{row}" for row in range(A_SHARD)])
    return CountsStore.open(folder)


def fitted(store, limit=None):
    """What a fit in a process of its own told, under a limit (KiB) that the shell sets."""
    command = f"{sys.executable} -W ignore -m tests.larger {store.folder}"
    command = command if limit is None else f"ulimit -d {limit} && exec {command}"
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=1500)


@pytest.mark.slow
def test_a_store_ten_times_larger_than_the_memory_given(tmp_path):
    begun = written(tmp_path / "small", SMALL)
    small = fitted(begun)
    assert small.returncode == 0, small.stderr[-2000:]
    taken = json.loads(small.stdout)["data"]
    large = written(tmp_path / "large", 2 + 10 * GIVEN * 1024 * SMALL // begun.size)
    assert large.size >= 10 * GIVEN * 1024
    done = fitted(large, taken + GIVEN)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert found["data"] <= taken + GIVEN
    assert np.isfinite(found["bound"])
    refused = fitted(large, taken // 2)  # the limit is one
    assert refused.returncode != 0
    assert any(hit in refused.stderr for hit in LIMIT_HITS), refused.stderr[-2000:]
