"""The steps of ``topicfactors fit``, in the order of the main job."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import typer

from topicfactors.cli.answers import refuse_idle_response, responses_of
from topicfactors.cli.consensus import told_of_runs
from topicfactors.cli.console import (
    Terminated,
    exit_status,
    note,
    notes_for_warnings,
    when_interrupted,
)
from topicfactors.cli.covariates import names_of, told, with_columns
from topicfactors.cli.models import SEMISUPERVISED, model_for, resolved
from topicfactors.cli.resuming import Asked, Keeping
from topicfactors.cli.stores import Shown, refuse_idle, store_in
from topicfactors.cli.vectorizing import refuse_idle_words, vectorizer_for
from topicfactors.corpus.count_readers import CountedCorpus, is_counts, read_counts
from topicfactors.errors import CorpusWarning, InputError
from topicfactors.estimators.base import resolve_device
from topicfactors.training.distributed import cores_here, joined, present

SMALL = 300_000  # tokens below which one thread is used: a second gains nothing


class Fit:
    """One fit.

    Parameters
    ----------
    options
        Every option of the command.
    typed
        Those that were typed on the command line.
    quiet, as_json
        How the result is shown.
    report
        Whether report.html is written.
    """

    def __init__(
        self,
        options: dict[str, Any],
        typed: Collection[str],
        quiet: bool,
        as_json: bool,
        report: bool = True,
    ) -> None:
        from topicfactors.cli.progress import Display
        from topicfactors.cli.reports import Reporter

        self.options, self.typed = resolved(options, typed), typed
        self.world = present()
        quiet = quiet or not self.world.first  # one process speaks
        self.quiet, self.as_json = quiet, as_json
        self.display = Display(quiet)
        self.reporter = Reporter() if report else None
        self.answers: Any = None  # the responses (N,), where they are asked for
        self.shown: Any = None  # the documents of a store that are read at once
        self.keeping: Keeping | None = None

    def run(self, output: Path | None, asked: Asked) -> None:
        """Fit and write; an interruption is passed on when what was learnt is saved."""
        from sklearn.pipeline import make_pipeline

        from topicfactors.cli.runs import Fingerprint, write_run

        corpus = self.options["corpus"]
        folder, keeping = self.check(output, asked)
        fingerprint, model = Fingerprint(), model_for(self.options, self.typed)
        if self.shown is not None:
            vectorizer = self.shown.store.vectorizer()
            fingerprint.store = self.shown.store.fingerprint
        else:
            vectorizer = None if is_counts(corpus) else self._vectorizer()
        with notes_for_warnings(self.quiet), keeping.telling(self.quiet):
            keeping.look(model, self.options)
            if self.shown is not None:
                read, self.answers = self.shown.read()
            elif vectorizer is None:
                read = self._read_counts(fingerprint)
            else:
                read = self._count_texts(vectorizer, fingerprint)
            self._report(read)
            self._look_at_size(read)
            interruption = self._train(model, read, keeping)
            if not self.world.first:
                return
            fitted = model if vectorizer is None else make_pipeline(vectorizer, model)
            then = None
            if self.reporter is not None:
                then = self.reporter.after(folder, fitted, read, self.options, self.answers)
            rows, metrics = write_run(
                folder,
                fitted,
                read,
                fingerprint,
                self.options,
                overwrite=keeping.replaces,
                then=keeping.before(then, interruption),
                corpus=None if self.shown is None else self.shown.described(),
            )
        with when_interrupted(f"the run is in {folder}"):
            self._show(folder, model, rows, metrics)
        if interruption is not None:
            goes_on = f"; {keeping.how}" if keeping.how else ""
            note(f"interrupted; what was learnt until then is in {folder}{goes_on}")
            raise typer.Exit(exit_status(interruption))

    def check(self, output: Path | None, asked: Asked) -> tuple[Path, Keeping]:
        """Refuse what can be refused before anything is read; RUN, and its checkpoints."""
        from topicfactors.cli.runs import MARK
        from topicfactors.files import refuse_existing, refuse_source, refuse_unwritable

        corpus = self.options["corpus"]
        store = store_in(corpus)
        if store is not None:
            self.shown = Shown(store, self.options)
        if self.world.size > 1 and (store is None or not self.shown.streamed):
            raise InputError(
                f"{corpus}: {self.world.size} processes share the shards of a store, for a model "
                f"of factors; make one with topicfactors prepare {corpus} STORE, or start one "
                "process"
            )
        folder = output or _default_folder(corpus)
        refuse_source(folder, Path(corpus))
        self.keeping = keeping = Keeping(output, folder, asked)
        refuse_existing(folder, keeping.replaces, MARK)
        refuse_unwritable(folder)
        self._refuse_idle_options()
        return folder, keeping

    def stop(self, kind: str) -> None:
        """Let the training save after its step, and end as Ctrl-C or SIGTERM ends it."""
        if self.keeping is not None and self.keeping.checkpoints is not None:
            known = Terminated() if kind == Terminated.__name__ else KeyboardInterrupt()
            self.keeping.checkpoints.stop(known)

    def _refuse_idle_options(self) -> None:
        """Nothing that is typed is ignored."""
        if "covariate_shrinkage" in self.typed and not self.options["covariate"]:
            raise InputError(
                "--covariate-shrinkage is of the effects of covariates; name one with --covariate, "
                "or leave it out"
            )
        refuse_idle_response(self.options, self.typed)
        if self.shown is not None:
            refuse_idle(self.options["corpus"], self.typed)
        else:
            refuse_idle_words(self.options["corpus"], self.typed)

    def _vectorizer(self) -> Any:
        return vectorizer_for(self.options)

    def _count_texts(self, vectorizer: Any, fingerprint: Any) -> CountedCorpus:
        from topicfactors.corpus.columns import Columns
        from topicfactors.corpus.documents import Ledger
        from topicfactors.corpus.readers import stream_documents

        chosen, ledger = self.options, Ledger(self.options["strict"])
        source = chosen["corpus"]
        names, response = names_of(chosen["covariate"]), chosen["response"]
        named = (chosen["text_column"], chosen["id_column"], chosen["label_column"])
        beside = (*names, *(() if response is None else (response,)))
        documents = stream_documents(source, Columns(*named, beside))
        documents = with_columns(source, documents, beside)
        texts = fingerprint.watch(ledger.record(documents))
        if self.reporter is not None:
            texts = self.reporter.watch(texts)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CorpusWarning)  # the ledger knows more
            try:
                counts = vectorizer.fit_transform(self.display.reading(texts))
            except InputError as error:
                raise _from(source, error) from error
        if response is not None:
            self.answers = responses_of(source, ledger, response, chosen["response_family"])
        labels = ledger.labels if any(label is not None for label in ledger.labels) else None
        known = told(ledger, source, names)
        return CountedCorpus(counts, ledger.ids, labels, ledger.notes(), known)

    def _read_counts(self, fingerprint: Any) -> CountedCorpus:
        found = read_counts(self.options["corpus"], vocabulary=self.options["vocabulary"])
        fingerprint.add(found.counts)
        return found

    def _look_at_size(self, read: CountedCorpus) -> None:
        factors, documents = self.options["factors"], len(read.ids)
        if self.shown is not None:
            documents = self.shown.store.shape[0]
        if not isinstance(factors, int):
            return  # as many as the documents allow, or as there are classes
        from topicfactors.export.factors import NOUNS, PLURALS

        what = PLURALS[NOUNS[self.options["model"]]]
        fewer = f"try a tenth of them or fewer: -k {max(1, documents // 10)}"
        if factors > documents:
            raise InputError(
                f"{self.options['corpus']}: {factors} {what} are more than its {documents} "
                f"documents; {fewer}"
            )
        if 10 * factors > documents > 10:
            note(f"note: {factors} {what} for {documents} documents; {fewer}", quiet=self.quiet)

    def _report(self, read: CountedCorpus) -> None:
        for line in read.notes:
            note(f"note: {line}", quiet=self.quiet)
        documents, words = read.counts.shape
        tokens = read.counts.sum()
        if self.shown is not None:
            (documents, words), tokens = self.shown.store.shape, self.shown.store.tokens
        self.display.say(f"{documents:,} documents, {words:,} words, {int(tokens):,} tokens")

    def _train(self, model: Any, read: CountedCorpus, keeping: Keeping) -> BaseException | None:
        from threadpoolctl import threadpool_limits

        from topicfactors.cli.classes import labels_of

        tokens = read.counts.sum() if self.shown is None else self.shown.store.tokens
        if self.options["threads"] is None and tokens < SMALL:
            model.set_params(n_jobs=1)  # threads that wait for each other cost more than they bring
        if self.options["threads"] is None and self.world.size > 1:
            model.set_params(n_jobs=cores_here())
        limit = model.n_jobs if model.n_jobs > 0 else None
        try:
            with (
                threadpool_limits(limit),
                keeping.training(self.quiet),
                self.display.training() as shown,
            ):
                model.set_params(callbacks=[shown, *keeping.callbacks()])
                if self.shown is not None and self.shown.streamed:
                    with joined(resolve_device(model.device)):
                        model.fit(self.shown.store, response=self.options["response"])
                elif self.options["model"] == SEMISUPERVISED:
                    model.fit(read.counts, labels_of(self.options["corpus"], read.labels))
                else:
                    model.fit(read.counts, covariates=read.covariates, response=self.answers)
            for begun, needed, evidence in getattr(model, "tried_", []):
                needs = f"{needed} of {begun} factors needed"
                self.display.say(f"{needs}: evidence {evidence:.2f} nats a document")
            for line in told_of_runs(model):
                self.display.say(line)
            if model.stopped_:
                kept = f"the weights of epoch {model.best_iter_} are kept"
                self.display.say(f"{model.stopped_}: {kept}")
        except InputError as error:
            raise _from(self.options["corpus"], error) from error
        except KeyboardInterrupt as interruption:
            if not getattr(model, "best_iter_", 0) or not hasattr(model, "held_out_"):
                raise
            return interruption
        finally:
            model.set_params(callbacks=None)
        return keeping.interruption

    def _show(self, folder: Path, model: Any, rows: Any, metrics: dict[str, Any]) -> None:
        if self.as_json:
            from topicfactors.export.tables import dump_json

            factors = [row._asdict() for row in rows]
            print(dump_json({"run": str(folder), "metrics": metrics, "factors": factors}))
            return
        from topicfactors.cli.classes import told_of_fit
        from topicfactors.cli.readings import listed_of
        from topicfactors.cli.reports import NAME
        from topicfactors.cli.tables import print_factors, summary

        if not self.quiet:
            print_factors(rows, beside=None, noun=listed_of(model))
        self.display.say(summary(metrics))
        if "labelled" in metrics:
            self.display.say(told_of_fit(metrics))
        page = f", with {NAME} to look at" if (folder / NAME).exists() else ""
        following = f"topicfactors topics {folder} -n 20"
        if self.shown is not None and self.shown.streamed:
            store = self.shown.store.folder
            following = f"topicfactors transform {folder} {store} -o posteriors.csv"
        self.display.say(f"written to {folder}{page}; next: {following}")


def _from(corpus: str, error: InputError) -> InputError:
    """The error with the name of the corpus in front of it."""
    return error if str(error).startswith(corpus) else InputError(f"{corpus}: {error}")


def _default_folder(corpus: str) -> Path:
    from datetime import datetime

    name = "stdin" if corpus == "-" else Path(corpus.rstrip("/")).name.split(".")[0] or "corpus"
    return Path("runs") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
