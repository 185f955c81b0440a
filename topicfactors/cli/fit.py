"""``topicfactors fit``: from a corpus to a run folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from topicfactors.cli.engines import EngineName, Told, Workers, fit_with_ray, refuse_engine
from topicfactors.cli.model_options import (
    MODEL,
    ClassPrior,
    Continuous,
    Discriminative,
    Kind,
    Length,
    Likelihood,
    Number,
    PerClass,
    Posterior,
    Runs,
    Shared,
    Smoothing,
    Start,
    Starts,
    Tempering,
    Unlabelled,
)
from topicfactors.cli.options import (
    Device,
    Force,
    IdColumn,
    Json,
    Quiet,
    Strict,
    TextColumn,
    read_config,
    was_typed,
)
from topicfactors.cli.word_options import (
    Language,
    Lemmas,
    MaxDf,
    MinDf,
    MinLength,
    Numbers,
    Phrases,
    Pos,
    SpacyModel,
    StopWords,
    TokenPattern,
    Urls,
    Vocabulary,
    VocabularySize,
)


def fit(
    context: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="A folder or .tar of texts (sub-folders are labels); a .csv, .tsv, .jsonl, .json, "
            ".parquet or .txt file; counts (.mtx, .npz, .svmlight, docword.NAME.txt); '-' for a "
            "document a line on stdin; or a sample: revolution, pydocs, lee, 20newsgroups.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run (default: in runs/).")
    ] = None,
    model: Kind = "factor",
    factors: Number = None,
    inference: Annotated[
        str,
        typer.Option(
            help="auto, truncated, exact, gumbel-softmax, local-expectation, dvae, nvil, "
            "straight-through, reinmax, gumbel-rao, hard-concrete, muprop, double-cv, rebar, "
            "relax, reinforce, rloo, self-critical, disarm, arms, rao-blackwell, vimco, "
            "wake-sleep; of mixtures em, exact, gumbel-softmax; options as in "
            "gumbel-softmax:end=0.3.",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    posterior: Posterior = "auto",
    likelihood: Likelihood = None,
    decoder: Annotated[
        str,
        typer.Option(help="log-linear, log-linear:nonnegative=true or mlp.", rich_help_panel=MODEL),
    ] = "log-linear",
    prior: Annotated[
        str,
        typer.Option(
            help="bernoulli (factors come independently), boltzmann (pairs are coupled) or "
            "belief-network (groups are); bernoulli:learnt=false,…",
            rich_help_panel=MODEL,
        ),
    ] = "bernoulli",
    encoder: Annotated[
        str, typer.Option(help="bag-of-words or bag-of-words:width=512,…", rich_help_panel=MODEL)
    ] = "bag-of-words",
    init: Start = None,
    runs: Runs = 1,
    response_family: Annotated[
        str,
        typer.Option(
            help="How --response is drawn: gaussian or poisson; gaussian:weight=10 lets it say "
            "more of what factors become.",
            rich_help_panel=MODEL,
        ),
    ] = "gaussian",
    epochs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Most passes over the documents (default: the inference's own).",
            rich_help_panel=MODEL,
        ),
    ] = None,
    batch_size: Annotated[
        str, typer.Option(help="Documents a step, or auto.", rich_help_panel=MODEL)
    ] = "auto",
    learning_rate: Annotated[
        str, typer.Option(help="Highest learning rate, or auto.", rich_help_panel=MODEL)
    ] = "auto",
    kl_warmup: Annotated[
        str,
        typer.Option(
            help="Share of training until full KL weight, or auto.", rich_help_panel=MODEL
        ),
    ] = "auto",
    overlap_penalty: Annotated[
        float,
        typer.Option(help="Keeps factors apart; try 1 to 30.", rich_help_panel=MODEL),
    ] = 0.0,
    anchors: Annotated[
        Path | None,
        typer.Option(
            help='TOML or JSON: factors with names and their words, steam = ["engine", "-train"].',
            rich_help_panel=MODEL,
        ),
    ] = None,
    anchor_strength: Annotated[
        float,
        typer.Option(help="Log-weight that an anchored word has at least.", rich_help_panel=MODEL),
    ] = 2.0,
    shrinkage: Annotated[
        str,
        typer.Option(
            help="Precision of the Gaussian prior on loadings, or auto.", rich_help_panel=MODEL
        ),
    ] = "auto",
    length_tempering: Length = "none",
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            help="Column that says how often factors are on: year, year:spline, decade:category; "
            "section:content moves the words, section:both does both; may be given several times.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    covariate_shrinkage: Annotated[
        float,
        typer.Option(help="Precision of the prior on their effects.", rich_help_panel=MODEL),
    ] = 1.0,
    validation_fraction: Annotated[
        float, typer.Option(help="Share held out to stop early.", rich_help_panel=MODEL)
    ] = 0.05,
    patience: Annotated[
        int,
        typer.Option(help="Epochs without progress; 0: never stop.", rich_help_panel=MODEL),
    ] = 8,
    starts: Starts = "auto",
    tempering: Tempering = "auto",
    smoothing: Smoothing = None,
    continuous_layers: Continuous = "0",
    components_per_class: PerClass = 1,
    shared_factors: Shared = 0,
    unlabelled_weight: Unlabelled = "auto",
    discriminative_weight: Discriminative = "auto",
    class_prior: ClassPrior = "balanced",
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed; same seed, same result.")
    ] = 0,
    vocabulary_size: VocabularySize = 10_000,
    min_df: MinDf = "5",
    max_df: MaxDf = "0.5",
    min_length: MinLength = 3,
    language: Language = "en",
    stop_words: StopWords = "language",
    token_pattern: TokenPattern = None,
    numbers: Numbers = "drop",
    urls: Urls = "drop",
    lemmas: Lemmas = False,
    spacy_model: SpacyModel = None,
    pos: Pos = None,
    phrases: Phrases = False,
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the label (default: 'label').")
    ] = None,
    response: Annotated[
        str | None,
        typer.Option(
            help="Column of a number (year, rating, count) that the factors explain beside the "
            "words; an empty cell is unknown."
        ),
    ] = None,
    vocabulary: Vocabulary = None,
    strict: Strict = False,
    device: Device = "auto",
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, help="Threads and processes (default: all cores; few tokens: one thread)."
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            callback=read_config, is_eager=True, help="TOML file of these options (a run.toml)."
        ),
    ] = None,
    checkpoint_every: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds between checkpoints, which are in RUN.checkpoints until the run is "
            "written; 0: none.",
        ),
    ] = 300.0,
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Go on from the checkpoints of the same command, with -o."),
    ] = False,
    engine: EngineName = "local",
    workers: Workers = None,
    report: Annotated[
        bool, typer.Option(help="Whether to write report.html, which has excerpts of the texts.")
    ] = True,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit factors, clusters or classes to a corpus and write them to a folder.

    The folder holds model/, factors.csv (factors, or components), factors.json, top_words.csv,
    posteriors.csv, metrics.json, model_card.md, run.toml and report.html, a page to look at in a
    browser; with covariates also effects.csv and covariate_words.csv, and of a classifier
    classes.csv. Ctrl-C keeps what was learnt so far; --resume goes on from there.

    Examples: topicfactors fit pydocs -k 20 -o run; topicfactors fit notes.csv --text-column body;
    topicfactors fit letters/ --model semisupervised
    """
    from topicfactors.cli.fitting import Fit
    from topicfactors.cli.resuming import Asked

    kept = ("resume", "checkpoint_every", "engine", "workers")
    options = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in context.params.items()
        if name not in ("config", "force", "json", "quiet", "output", "report", *kept)
    }
    typed = {name for name in (*options, *kept[:2]) if was_typed(context, name)}
    asked = Asked(resume, checkpoint_every, force)
    refuse_engine(engine, workers)
    if engine != "local":
        fit_with_ray(Told(options, typed, quiet, json, report, asked), output, workers)
        return
    Fit(options, typed, quiet, json, report).run(output, asked)
