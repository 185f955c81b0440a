"""A vectorizer in a folder: its vocabulary, and the phrases that it has learnt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from topicfactors.corpus.vectorizer import DocumentVectorizer
from topicfactors.errors import StorageError
from topicfactors.storage.facts import plain
from topicfactors.storage.keeping import Files, Keeper
from topicfactors.storage.kinds import taken
from topicfactors.wordlists import read_phrases


class VectorizerKeeper(Keeper):
    """Keeps a DocumentVectorizer."""

    kind = DocumentVectorizer

    def parameters(self, model: DocumentVectorizer) -> dict[str, Any]:
        """Its own; sets of words as sorted lists."""
        parameters: dict[str, Any] = model.get_params(deep=False)
        for name in ("stop_words", "pos"):
            if parameters[name] is not None and not isinstance(parameters[name], str):
                parameters[name] = sorted(map(str, parameters[name]))
        return {name: plain(value) for name, value in parameters.items()}

    def facts(self, model: DocumentVectorizer) -> dict[str, Any]:
        """How many words and phrases the other files have."""
        return {"words": len(model.get_feature_names_out()), "phrases": len(model.phrases_)}

    def files(self, model: DocumentVectorizer) -> Files:
        """Words and phrases."""
        return Files({}, [str(word) for word in model.get_feature_names_out()], model.phrases_)

    def fill(
        self,
        model: DocumentVectorizer,
        facts: dict[str, Any],
        folder: Path,
        words: list[str] | None,
    ) -> None:
        """Words and phrases."""
        expected = {name: taken(int, facts[name]) for name in ("words", "phrases")}
        if words is None:
            raise StorageError(f"{folder}/vocabulary.txt is missing; save the model again")
        model.vocabulary_ = {word: column for column, word in enumerate(words)}
        if len(model.vocabulary_) != expected["words"]:
            raise StorageError(
                f"{folder}/vocabulary.txt: {len(model.vocabulary_)} different words, expected "
                f"{facts['words']}; save the model again"
            )
        model.phrases_ = read_phrases(folder / "phrases.json", expected["phrases"])
