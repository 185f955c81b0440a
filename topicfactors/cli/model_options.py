"""Options of ``fit`` that only some models take."""

from __future__ import annotations

from typing import Annotated

import typer

from topicfactors.cli.options import number_of_factors

MODEL, CLUSTERS = "Model", "Mixtures and classifiers"

Kind = Annotated[
    str,
    typer.Option(
        "--model",
        help="factor: several factors may be on in a document; mixture: every document is of one "
        "component; semisupervised: of one class, learnt from the documents with a label.",
    ),
]
Number = Annotated[
    str | None,
    typer.Option(
        "--factors",
        "-k",
        parser=number_of_factors,
        metavar="NUMBER",
        help="Number of factors (default: 50), or of a mixture's components (10); auto for as many "
        "factors as there is evidence for, or auto:most=50.",
    ),
]
Likelihood = Annotated[
    str | None,
    typer.Option(
        help="polya (the default for factors), multinomial (for mixtures and classifiers), "
        "poisson or bernoulli.",
        rich_help_panel=MODEL,
    ),
]
Posterior = Annotated[
    str,
    typer.Option(
        help="auto (the inference's own), mean-field, autoregressive, free, truncated or "
        "enumerated.",
        rich_help_panel=MODEL,
    ),
]
Start = Annotated[
    str | None,
    typer.Option(
        help="Of factors auto, clusters, nmf or random; of a mixture clusters or random.",
        rich_help_panel=MODEL,
    ),
]
Runs = Annotated[
    int,
    typer.Option(
        min=1,
        help="Fits with one seed after the other, of which the one is kept whose factors agree "
        "most with the others'; those that do not come back are marked.",
        rich_help_panel=MODEL,
    ),
]
Length = Annotated[
    str,
    typer.Option(
        help="Believe the words of long documents less where factors are inferred: c, by which "
        "counts are multiplied over the root of the length, auto or none.",
        rich_help_panel=MODEL,
    ),
]
Starts = Annotated[
    str,
    typer.Option(
        help="Starts of a mixture, of which the best is kept, or auto.", rich_help_panel=CLUSTERS
    ),
]
Tempering = Annotated[
    str,
    typer.Option(
        help="How far the words of a document are believed: length, unit, none or auto.",
        rich_help_panel=CLUSTERS,
    ),
]
Smoothing = Annotated[
    str | None,
    typer.Option(
        help="Of mixtures and classifiers: pull of the words towards the corpus, as a share of a "
        "component's tokens (default: 0.5; auto for classifiers). Of factors with --inference "
        "dvae: how bits become continuous, spike-and-exponential, exponential or power (default: "
        "auto).",
        rich_help_panel=CLUSTERS,
    ),
]
Continuous = Annotated[
    str,
    typer.Option(
        help="Layers of Gaussian variables above the factors, or 2:width=20; 0 for none.",
        rich_help_panel=MODEL,
    ),
]
PerClass = Annotated[
    int, typer.Option(min=1, help="Clusters within each class.", rich_help_panel=CLUSTERS)
]
Shared = Annotated[
    int,
    typer.Option(min=0, help="Binary factors that all classes share.", rich_help_panel=CLUSTERS),
]
Unlabelled = Annotated[
    str,
    typer.Option(help="Weight of documents without a label, or auto.", rich_help_panel=CLUSTERS),
]
Discriminative = Annotated[
    str,
    typer.Option(
        help="Weight of the labels on the linear classifier, or auto; 0 for none.",
        rich_help_panel=CLUSTERS,
    ),
]
ClassPrior = Annotated[
    str,
    typer.Option(
        help="balanced, learnt, labelled, uniform, or a probability for each class in sorted "
        "order: 0.2,0.8.",
        rich_help_panel=CLUSTERS,
    ),
]
