import numpy as np
import pytest
import scipy.sparse

from topicfactors.corpus.store import StoreWriter

WORDS = [f"w{number:02d}" for number in range(30)]


@pytest.fixture
def counts():
    """Counts (23, 30), some of them above 255, one document empty."""
    rng = np.random.default_rng(0)
    dense = rng.poisson(0.4, (23, 30))
    dense[3] = 0
    dense[7, 2] = 700
    return scipy.sparse.csr_matrix(dense)


@pytest.fixture
def folder(tmp_path, counts):
    """A store of shards of 10, 10 and 3 documents."""
    with StoreWriter(tmp_path / "store", words=WORDS, shard_documents=10) as writer:
        for begin in range(0, 23, 7):
            rows = range(begin, min(23, begin + 7))
            writer.add(
                counts[rows.start : rows.stop],
                ids=[f"d{row}" for row in rows],
                labels=["even" if row % 2 == 0 else None for row in rows],
                columns={"year": [1800 + row for row in rows]},
            )
    return tmp_path / "store"
