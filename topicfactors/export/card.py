"""The model card of a run: what was fitted to what, how well it predicts, what to mind."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from topicfactors.export.factors import NOUNS, PLURALS, FactorRow, listed_in
from topicfactors.export.tables import Table, plain, write_md

FEW = 1000  # documents below which factors change with the seed
SHORT = 15  # tokens a document below which words read badly
LISTED = 8  # words of a factor
UNLIKE = {
    "bernoulli": " Both are about presence, and compare with each other alone.",
    "poisson": " Both are about counts, and compare with each other alone.",
}
ABOUT = {
    "factor": "A binary latent-factor document model fitted by topicfactors {version}: every "
    "factor is on or off in a document, several may be on, and each changes the probabilities of "
    "the words.",
    "component": "A mixture over documents fitted by topicfactors {version}: every document comes "
    "from one component, which has its own probabilities of the words.",
    "class": "A semi-supervised classifier fitted by topicfactors {version}: every document is of "
    "one class; a generative model of all documents and the labels of some teach a linear "
    "classifier.",
}
MIND = {
    "factor": (
        "A factor is a pattern of words, named by nobody: read its documents before you name it.",
        "P(on) is the model's own probability; on long documents it is close to 0 or 1.",
    ),
    "component": (
        "A component is a cluster of documents, named by nobody: read its documents before you "
        "name it.",
        "Every document is given to one component, also where it is of none or of several.",
    ),
    "class": (
        "Every document is given to one of these classes, also where it is of none or of several.",
        "What is wrong in the labels is learnt as well.",
    ),
}
READ = {
    "factor": ("transform", "P(factor on | document)"),
    "component": ("predict_proba", "P(component | document)"),
    "class": ("predict_proba", "P(class | document)"),
}
OF_TEXTS = """from topicfactors import explain, load

pipeline = load("model")  # no code in it, no training data
pipeline.{method}(texts)  # {what}
print(explain(pipeline, texts[0]))
"""
WITH_COVARIATES = """from topicfactors import explain, load

pipeline = load("model")  # no code in it, no training data
counts = pipeline[:-1].transform(texts)
pipeline[-1].{method}(counts, covariates=covariates)  # {what}; a row a text of {columns}
first = {{name: column[0] for name, column in covariates.items()}}
print(explain(pipeline, texts[0], covariates=first))
"""
OF_COUNTS = """from topicfactors import load

model = load("model")  # no code in it, no training data
model.{method}(counts)  # {what}, counts of the same words
print(model.explain(counts[:1])[0])
"""


def model_card(
    rows: Sequence[FactorRow],
    metrics: Mapping[str, Any],
    described: Mapping[str, Any],
    *,
    reads_texts: bool = True,
) -> str:
    """The card in Markdown.

    Parameters
    ----------
    rows
        The factors, or the components.
    metrics
        What metrics.json holds.
    described
        What run.toml holds.
    reads_texts
        Whether the model has a vectorizer, or was fitted to counts.
    """
    options, corpus = described["options"], described["corpus"]
    noun = NOUNS[metrics["model"]]
    many, (method, what) = PLURALS[noun], READ[noun]
    listed = listed_in(metrics)
    told = [str(spec).partition(":")[0] for spec in options.get("covariate") or ()]
    code = (WITH_COVARIATES if told else OF_TEXTS) if reads_texts else OF_COUNTS
    code = code.format(method=method, what=what, columns=", ".join(told))
    counted = len(metrics["labelled"]) if noun == "class" else len(rows)
    parts = [
        f"# Model card: {counted} {many} of {plain(options['corpus'])}",
        ABOUT[noun].format(version=described["versions"]["topicfactors"]),
        _facts(options, described["resolved"], corpus, metrics),
        "## How well it predicts",
        f"Perplexity per document and of the corpus; lower is better. The unigram knows no {many}, "
        f"only the frequencies of words.{UNLIKE.get(str(options['likelihood']).split(':')[0], '')}",
        _scores(metrics),
        f"Ten words a {listed}: NPMI {metrics['npmi']:+.3f} in the training documents, diversity "
        f"{metrics['diversity']:.2f}. {metrics['active_factors']} of {len(rows)} "
        f"{PLURALS[listed]} tell documents apart.",
        *([_of_labels(metrics)] if noun == "class" else []),
        f"## {PLURALS[listed].capitalize()}",
        _factors(rows, listed),
        "## What to mind",
        "\n".join(f"- {line}" for line in [*_cautions(corpus, metrics, rows), *_edits(described)]),
        "## How to use it",
        f"```python\n{code}```",
    ]
    return "\n\n".join(parts) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    stream = io.StringIO()
    write_md(Table(columns, [rows]), stream)
    return stream.getvalue().rstrip()


def _facts(
    options: Mapping[str, Any],
    resolved: Mapping[str, Any],
    corpus: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> str:
    inference = resolved["inference"]
    rows = [
        ("corpus", options["corpus"]),
        ("documents", f"{corpus['documents']:,}"),
        ("words, tokens", f"{corpus['words']:,}, {corpus['tokens']:,.0f}"),
        ("fingerprint (sha256)", corpus["sha256"]),
        ("likelihood, decoder", f"{options['likelihood']}, {options['decoder']}"),
        ("inference", inference),
        *([("covariates", ", ".join(told))] if (told := options.get("covariate")) else []),
        ("passes", f"{metrics['epochs']} (best: {metrics['best_epoch']})"),
        ("seed", options["seed"]),
    ]
    return _table(("what", "value"), rows)


def _scores(metrics: Mapping[str, Any]) -> str:
    rows = []
    listed = [("held out", scores) for scores in metrics["held_out"].values()]
    for where, scores in [*listed, ("training", metrics["training"])]:
        model, unigram = scores["perplexity"], scores["unigram"]
        rows.append(
            (
                where,
                scores["bound"],
                f"{model['per_document']:.1f} ± {model['standard_error']:.1f}",
                f"{unigram['per_document']:.1f}",
                f"{model['corpus']:.1f}",
                f"{unigram['corpus']:.1f}",
            )
        )
    columns = ("documents", "bound", "per document", "unigram", "corpus", "unigram (corpus)")
    return _table(columns, rows)


def _factors(rows: Sequence[FactorRow], noun: str) -> str:
    listed = [
        (
            row.factor,
            f"{row.prevalence:.1%}",
            "" if row.coherence is None else f"{row.coherence:+.2f}",
            " ".join(row.words[:LISTED]) + ("" if row.status == "active" else f" ({row.status})"),
            ", ".join(row.documents),
        )
        for row in rows
    ]
    often = "on in" if noun == "factor" else "share"
    return _table((noun, often, "NPMI", "words", "representative documents"), listed)


def _of_labels(metrics: Mapping[str, Any]) -> str:
    """Labels a class, and how well those that were hidden were told."""
    labelled, hidden = metrics["labelled"], metrics["hidden_labels"]
    listed = ", ".join(f"{plain(name)} {count:,}" for name, count in labelled.items())
    if hidden is None:
        return f"Documents with a label: {listed}; too few to measure the accuracy."
    return (
        f"Documents with a label: {listed}. Of labels that were hidden in cross-validation "
        f"{hidden['accuracy']:.1%} were told right (log-loss {hidden['log_loss']:.2f} nats before "
        "calibration); the settings were chosen by them, so that new documents may fare worse."
    )


def _edits(described: Mapping[str, Any]) -> list[str]:
    """What was done to the model after it was fitted."""
    edits = described.get("edits", [])
    merged = sum(len(edit.get("merged", [])) for edit in edits)
    dropped = sum(len(edit.get("dropped", [])) for edit in edits)
    if not merged + dropped:
        return []
    return [
        f"Edited after it was fitted (groups merged: {merged}, dropped: {dropped}; see run.toml): "
        "what is said here is of the edited model."
    ]


def _cautions(
    corpus: Mapping[str, Any], metrics: Mapping[str, Any], rows: Sequence[FactorRow]
) -> list[str]:
    noun = NOUNS[metrics["model"]]
    what, lines = PLURALS[noun], list(MIND[noun])
    if noun != "class" and any(isinstance(row.factor, str) for row in rows):
        lines[0] = f"Names of {what} say what somebody, or a program, read in their words."
    if corpus["documents"] < FEW:
        changed = f"other seeds may find other {what}"
        if noun == "class":
            changed = "others with a label may teach other words"
        lines.append(f"{corpus['documents']:,} documents are few: {changed}.")
    if corpus["tokens"] < SHORT * corpus["documents"]:
        lines.append(
            f"The documents are short ({corpus['tokens'] / max(1, corpus['documents']):.0f} words "
            f"on average), so words of a {noun} rarely meet in one: coherence is low."
        )
    if metrics["stopped"] == "interrupted":
        lines.append(f"Training was interrupted after {metrics['epochs']} passes: fit it again.")
    for name, status in (("dead_factors", "hardly vary"), ("always_on_factors", "are always on")):
        if metrics[name]:
            which = ", ".join(map(str, metrics[name]))
            plural = PLURALS[listed_in(metrics)].capitalize()
            lines.append(f"{plural} that {status} between documents say nothing: {which}.")
    if lost := metrics.get("consensus", {}).get("lost"):
        runs = len(metrics["consensus"]["seeds"])
        which = ", ".join(map(str, lost))
        lines.append(f"Factors that came back in less than half of {runs - 1} other runs: {which}.")
    return lines + [f"The corpus: {plain(line)}." for line in corpus["notes"]]
