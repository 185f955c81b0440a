"""A fitted model or pipeline as a folder: config.json, weights.safetensors, vocabulary.txt.

``folder`` writes and reads it; ``keeping`` says how an estimator is kept, ``vectorizers``,
``factor_models``, ``mixtures`` and ``classifiers`` what each of them keeps.
"""

from topicfactors.storage.folder import load, save

__all__ = ["load", "save"]
