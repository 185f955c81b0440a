"""``topicfactors fit``: from a corpus to a run folder."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from topicfactors.cli.console import exit_status, note, notes_for_warnings
from topicfactors.cli.options import (
    Force,
    IdColumn,
    Json,
    Quiet,
    TextColumn,
    Threads,
    document_bound,
    number_or_auto,
    read_config,
    stop_words_of,
)
from topicfactors.errors import CorpusWarning

MODEL, WORDS = "Model", "Words"


def fit(
    context: typer.Context,
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="A folder of texts (sub-folders are labels), a .csv, .tsv, .jsonl or .txt file, "
            "'-' for a document a line on stdin, or a sample: pydocs, lee.",
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder of the run (default: in runs/).")
    ] = None,
    factors: Annotated[int, typer.Option("--factors", "-k", min=1, help="Number of factors.")] = 50,
    inference: Annotated[
        str,
        typer.Option(
            help="auto, truncated, exact, gumbel-softmax, local-expectation, dvae, nvil, "
            "straight-through; options as in gumbel-softmax:end=0.3.",
            rich_help_panel=MODEL,
        ),
    ] = "auto",
    likelihood: Annotated[
        str,
        typer.Option(help="polya, multinomial, poisson or bernoulli.", rich_help_panel=MODEL),
    ] = "polya",
    decoder: Annotated[
        str,
        typer.Option(help="log-linear, log-linear:nonnegative=true or mlp.", rich_help_panel=MODEL),
    ] = "log-linear",
    prior: Annotated[
        str,
        typer.Option(help="bernoulli or bernoulli:learnt=false,…", rich_help_panel=MODEL),
    ] = "bernoulli",
    encoder: Annotated[
        str, typer.Option(help="bag-of-words or bag-of-words:width=512,…", rich_help_panel=MODEL)
    ] = "bag-of-words",
    init: Annotated[
        str, typer.Option(help="auto, clusters, nmf or random.", rich_help_panel=MODEL)
    ] = "auto",
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
    shrinkage: Annotated[
        str,
        typer.Option(
            help="Precision of the Gaussian prior on loadings, or auto.", rich_help_panel=MODEL
        ),
    ] = "auto",
    validation_fraction: Annotated[
        float, typer.Option(help="Share held out to stop early.", rich_help_panel=MODEL)
    ] = 0.05,
    patience: Annotated[
        int,
        typer.Option(help="Epochs without progress; 0: never stop.", rich_help_panel=MODEL),
    ] = 8,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Seed; same seed, same result.")
    ] = 0,
    vocabulary_size: Annotated[
        int, typer.Option(min=1, help="Most words kept.", rich_help_panel=WORDS)
    ] = 10_000,
    min_df: Annotated[
        str,
        typer.Option(help="Fewest documents of a word: 5, or 0.01.", rich_help_panel=WORDS),
    ] = "5",
    max_df: Annotated[
        str, typer.Option(help="Most documents of a word: 500, or 0.5.", rich_help_panel=WORDS)
    ] = "0.5",
    min_length: Annotated[
        int, typer.Option(min=1, help="Shortest word.", rich_help_panel=WORDS)
    ] = 3,
    language: Annotated[
        str, typer.Option(help="spaCy's code: en, de, it, …", rich_help_panel=WORDS)
    ] = "en",
    stop_words: Annotated[
        str,
        typer.Option(
            help="'language', 'none', or a file of one word a line.", rich_help_panel=WORDS
        ),
    ] = "language",
    text_column: TextColumn = None,
    id_column: IdColumn = None,
    label_column: Annotated[
        str | None, typer.Option(help="Column of the label (default: 'label').")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Threads = None,
    config: Annotated[
        Path | None,
        typer.Option(
            callback=read_config, is_eager=True, help="TOML file of these options (a run.toml)."
        ),
    ] = None,
    force: Force = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit factors to a corpus and write them to a folder.

    The folder holds model/, factors.csv, factors.json, top_words.csv, posteriors.csv,
    metrics.json and run.toml. Ctrl-C keeps what was learnt so far.

    Examples: topicfactors fit pydocs -k 20 -o run; topicfactors fit notes.csv --text-column body
    """
    options = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in context.params.items()
        if name not in ("config", "force", "json", "quiet", "output")
    }
    _Fit(options, quiet, json).run(output, force)


class _Fit:
    """The steps of a fit, in the order of the main job."""

    def __init__(self, options: dict[str, Any], quiet: bool, as_json: bool) -> None:
        from topicfactors.cli.progress import Display

        self.options, self.quiet, self.as_json = options, quiet, as_json
        self.display = Display(quiet)

    def run(self, output: Path | None, force: bool) -> None:
        from topicfactors.cli.runs import MARK, Fingerprint, write_run
        from topicfactors.corpus.documents import Ledger
        from topicfactors.files import refuse_existing, refuse_source

        folder = output or _default_folder(self.options["corpus"])
        refuse_source(folder, Path(self.options["corpus"]))
        refuse_existing(folder, force, MARK)
        ledger, fingerprint = Ledger(), Fingerprint()
        pipeline = self._pipeline()
        with notes_for_warnings(self.quiet):
            counts = self._count(pipeline[0], ledger, fingerprint)
            interruption = self._train(pipeline[-1], counts)
            rows, metrics = write_run(
                folder, pipeline, counts, ledger, fingerprint, self.options, overwrite=force
            )
        self._show(folder, rows, metrics)
        if interruption is not None:
            note(f"interrupted; what was learnt until then is in {folder}")
            raise typer.Exit(exit_status(interruption))

    def _pipeline(self) -> Any:
        from sklearn.pipeline import make_pipeline

        from topicfactors.corpus.vectorizer import DocumentVectorizer
        from topicfactors.estimators.base import resolve_device
        from topicfactors.estimators.checks import check_parameters
        from topicfactors.estimators.factor_model import BinaryFactorModel
        from topicfactors.estimators.parts import build, choose

        chosen = self.options
        jobs = chosen["threads"] or -1
        vectorizer = DocumentVectorizer(
            language=chosen["language"],
            stop_words=stop_words_of(chosen["stop_words"]),
            min_length=chosen["min_length"],
            min_df=document_bound(str(chosen["min_df"])),
            max_df=document_bound(str(chosen["max_df"])),
            max_features=chosen["vocabulary_size"],
            n_jobs=jobs,
        )
        model = BinaryFactorModel(
            chosen["factors"],
            inference=chosen["inference"],
            likelihood=chosen["likelihood"],
            decoder=chosen["decoder"],
            prior=chosen["prior"],
            encoder=chosen["encoder"],
            init=chosen["init"],
            max_iter=chosen["epochs"],
            batch_size=number_or_auto(chosen["batch_size"], int),
            learning_rate=number_or_auto(chosen["learning_rate"], float),
            kl_warmup=number_or_auto(chosen["kl_warmup"], float),
            shrinkage=number_or_auto(chosen["shrinkage"], float),
            overlap_penalty=chosen["overlap_penalty"],
            validation_fraction=chosen["validation_fraction"],
            n_iter_no_change=chosen["patience"],
            device=chosen["device"],
            random_state=chosen["seed"],
            n_jobs=jobs,
        )
        check_parameters(model)  # before the corpus is read; so is a model of one word built
        parts = choose(model.get_params(deep=False), model.n_components)
        build(parts, 1, model.n_components, model.overlap_penalty)
        resolve_device(model.device)
        vectorizer.rules()
        return make_pipeline(vectorizer, model)

    def _count(self, vectorizer: Any, ledger: Any, fingerprint: Any) -> Any:
        from topicfactors.corpus.readers import Columns, stream_documents

        chosen = self.options
        columns = Columns(chosen["text_column"], chosen["id_column"], chosen["label_column"])
        documents = stream_documents(chosen["corpus"], columns)
        texts = fingerprint.watch(ledger.record(documents))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorpusWarning)  # the ledger knows more
            counts = vectorizer.fit_transform(self.display.reading(texts))
        for line in ledger.notes():
            note(f"note: {line}", quiet=self.quiet)
        self.display.say(
            f"{counts.shape[0]:,} documents, {counts.shape[1]:,} words, "
            f"{int(counts.sum()):,} tokens"
        )
        return counts

    def _train(self, model: Any, counts: Any) -> BaseException | None:
        try:
            with self.display.training() as shown:
                model.set_params(callbacks=[shown])
                model.fit(counts)
        except KeyboardInterrupt as interruption:
            if not getattr(model, "best_iter_", 0) or not hasattr(model, "held_out_"):
                raise
            return interruption
        finally:
            model.set_params(callbacks=None)
        return None

    def _show(self, folder: Path, rows: Any, metrics: dict[str, Any]) -> None:
        if self.as_json:
            from topicfactors.export.tables import dump_json

            factors = [row._asdict() for row in rows]
            print(dump_json({"run": str(folder), "metrics": metrics, "factors": factors}))
            return
        from topicfactors.cli.tables import print_factors, summary

        if not self.quiet:
            print_factors(rows)
        self.display.say(summary(metrics))
        self.display.say(f"written to {folder}; next: topicfactors topics {folder} -n 20")


def _default_folder(corpus: str) -> Path:
    from datetime import datetime

    name = "stdin" if corpus == "-" else Path(corpus.rstrip("/")).name.split(".")[0] or "corpus"
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
