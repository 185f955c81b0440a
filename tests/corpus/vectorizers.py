"""Vectorizers for small corpora."""

import functools

import spacy

from topicfactors import DocumentVectorizer


def loose(**options):
    """A vectorizer that keeps every word that the tokeniser's rules leave."""
    return DocumentVectorizer(**{"min_df": 1, "max_df": 1.0, "max_features": None, **options})


def words(vectorizer, *documents):
    return vectorizer.fit_transform(list(documents)).feature_names.tolist()


pipeline_of = functools.cache(spacy.blank)


def spacy_tokens(text, language="en", min_length=3, lowercase=True, letters_only=True):
    nlp = pipeline_of(language)
    stop = {word.lower() for word in nlp.Defaults.stop_words}
    for token in nlp.make_doc(text):
        word = token.lower_ if lowercase else token.text
        fits = token.is_alpha if letters_only else not (token.is_punct or token.is_space)
        if not any(sign.isalpha() for sign in word) and any(sign.isdigit() for sign in word):
            continue
        if token.like_url or token.like_email:
            continue
        if fits and len(token) >= min_length and word not in stop:
            yield word
