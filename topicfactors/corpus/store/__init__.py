"""Corpora larger than memory: counted once into a folder, read shard by shard."""

from topicfactors.corpus.store.manifest import is_store
from topicfactors.corpus.store.preparation import prepare
from topicfactors.corpus.store.reader import CountsStore
from topicfactors.corpus.store.writer import StoreWriter

__all__ = ["CountsStore", "StoreWriter", "is_store", "prepare"]
