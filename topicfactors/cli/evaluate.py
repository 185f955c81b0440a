"""``topicfactors evaluate``: bounds beside the unigram, coherence, diversity, active factors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from topicfactors.cli.console import note
from topicfactors.cli.options import (
    Device,
    Documents,
    IdColumn,
    Json,
    Quiet,
    Run,
    Strict,
    TextColumn,
    Threads,
)

FEW = 1000  # documents
OTHERS = {
    "bernoulli": "(perplexities are of presence: compare them with this unigram alone, not LDA's)",
    "poisson": "(perplexities are of counts: compare them with this unigram alone, not LDA's)",
}


def evaluate(
    run: Run,
    documents: Documents,
    bound: Annotated[
        list[str] | None,
        typer.Option(
            help="elbo, iwae, truncated, ais, exact or completion, or smoothed-iwae of --inference "
            "dvae; may be given several times (default: the tightest affordable one, then the "
            "inference's own, ELBO and IWAE)."
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(min=1, help="Draws, chains or states a document (default: the bound's own)."),
    ] = None,
    temperatures: Annotated[
        int | None, typer.Option(min=1, help="Temperatures of --bound ais (default: 100).")
    ] = None,
    c_v: Annotated[
        bool, typer.Option("--c-v", help="C_V coherence too; reads the texts again, takes minutes.")
    ] = False,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    strict: Strict = False,
    device: Device = "auto",
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run on documents: how well it predicts them, and how well its words go together.

    Perplexities are per document, exp(−mean log p/tokens), and of the corpus; lower is better. The
    unigram, word frequencies alone, is what they are to be compared with. --bound completion hides
    half of each document's tokens, always the same ones, and tells the perplexity of those. Where
    documents have labels, a classifier is scored by its accuracy, log-loss and calibration too.

    Examples: topicfactors evaluate run new/; topicfactors evaluate run new/ --bound iwae --json
    """
    from topicfactors.cli.opening import open_for
    from topicfactors.cli.readings import annealed, measures_of
    from topicfactors.cli.scores import scores_on

    inputs = open_for(
        run, documents, text_column, id_column, strict=strict, device=device, threads=threads
    )
    model = inputs.model
    measures = measures_of(model, bound, samples, temperatures)  # refused before all is read
    sampled = {"elbo", "iwae", "truncated"}.intersection(bound or ())
    if sampled and all(measure.bound not in sampled for measure in measures):
        note("note: the posterior of this run is exact, and so is every bound", quiet=quiet)
    metrics = scores_on(model, inputs, measures, c_v=c_v)
    if remark := annealed(model):
        note(remark, quiet=quiet)
    inputs.report(quiet)
    if json:
        from topicfactors.export.tables import dump_json

        print(dump_json({"run": str(run), "documents": documents, **metrics}))
        return
    _show(metrics)


def _show(metrics: Mapping[str, Any]) -> None:
    from topicfactors.cli.classes import told_of_labels
    from topicfactors.cli.tables import print_lines, print_scores
    from topicfactors.export.factors import NOUNS, PLURALS

    noun = NOUNS[metrics["model"]]
    print_scores(metrics["bounds"])
    left_out = metrics["bounds"][0]["perplexity"]["left_out"]
    empty = f"; {left_out:.0f} without known words left out of the perplexities" if left_out else ""
    print_lines(
        f"\n{metrics['documents_read']:,} documents, {metrics['tokens']:,.0f} tokens{empty}"
    )
    measured = f"NPMI {metrics['npmi']:+.3f}{_c_v(metrics)}"
    print_lines(
        f"ten words a {noun} in these documents: {measured}, diversity {metrics['diversity']:.2f}"
    )
    if metrics["documents_read"] < FEW:
        print_lines(
            f"(in fewer than {FEW:,} documents many pairs of words never meet, by chance, which "
            "pulls coherence down)"
        )
    off, on = metrics["off_in_all"], metrics["on_in_all"]
    remark = f"; off in all of them: {', '.join(map(str, off))}" if off else ""
    remark += f"; on in all: {', '.join(map(str, on))}" if on else ""
    print_lines(
        f"{metrics['active_factors']} of {metrics['factors']} {PLURALS[noun]} tell these documents "
        f"apart{remark}{_on(metrics)}"
    )
    for line in told_of_labels(metrics["labels"]) if metrics.get("labels") else ():
        print_lines(line)
    if metrics["likelihood"] in OTHERS:
        print_lines(OTHERS[metrics["likelihood"]])


def _on(metrics: Mapping[str, Any]) -> str:
    if metrics["model"] != "factor":
        return ""
    return f"; {metrics['on_per_document']:.1f} on in a document"


def _c_v(metrics: Mapping[str, Any]) -> str:
    from topicfactors.export.factors import NOUNS, PLURALS

    found = metrics["c_v"]
    if found is None:
        return ""
    if not found["factors"]:
        return f", C_V unknown (every {NOUNS[metrics['model']]} has words that never come here)"
    missing = metrics["factors"] - found["factors"]
    what = PLURALS[NOUNS[metrics["model"]]]
    rest = f" (without {missing} {what} that have words which never come here)" if missing else ""
    return f", C_V {found['mean']:.3f}{rest}"
