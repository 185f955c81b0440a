"""The mistakes: what people call them, what they type, and a part of what is said."""

from __future__ import annotations

from typing import Any

from tests.mistakes.answers import ANSWERS, ANSWERS_IN_PYTHON
from tests.mistakes.covariates import COVARIATES, IN_PYTHON
from tests.mistakes.editing import EDITING, EDITING_IN_PYTHON
from tests.mistakes.factors import FACTORS_IN_PYTHON, OPTIONS_OF_FACTORS
from tests.mistakes.happening import Mistake
from tests.mistakes.machines import MACHINES
from tests.mistakes.models import OPTIONS_OF_MODELS
from tests.mistakes.pictures import PICTURES_IN_PYTHON
from tests.mistakes.places import (
    FIT,
    broken_gzip,
    cut,
    edited,
    folder,
    foreign,
    full_disk,
    interrupted,
    no_gpu,
    read_only,
    without,
    write,
)
from tests.mistakes.quality import COMPARISONS, COMPARISONS_IN_PYTHON
from tests.mistakes.report import REPORTS, REPORTS_IN_PYTHON
from tests.mistakes.responses import IN_PYTHON as RESPONSES_IN_PYTHON
from tests.mistakes.responses import RESPONSES
from tests.mistakes.resuming import RESUMING, RESUMING_IN_PYTHON
from tests.mistakes.scores import OPTIONS_OF_SCORES, SCORES_IN_PYTHON
from tests.mistakes.smoothing import OPTIONS_OF_SMOOTHING, SMOOTHING_IN_PYTHON
from tests.mistakes.stability import STABILITY, STABILITY_IN_PYTHON
from tests.mistakes.store import STORES, STORES_IN_PYTHON
from tests.mistakes.studies import STUDIES, STUDIES_IN_PYTHON


def fit(arguments: str) -> str:
    """A fit with the options that make it quick."""
    return f"topicfactors fit {arguments}"


CORPORA = [
    ("A folder that is not there", fit("nowhere"), "nowhere: no such file or folder", None),
    ("A sample corpus with a slip", fit("pydoc"), "did you mean 'pydocs'?", None),
    ("An empty folder", fit("empty"), "empty: no texts in this folder", folder("empty")),
    ("A folder of pictures", fit("pictures"), "no texts", write("pictures/a.png", b"\x89PNG")),
    ("A file of no known kind", fit("a.docx"), "cannot tell how to read", write("a.docx", b"PK")),
    ("A binary file called .txt", fit("a.txt"), "NUL", write("a.txt", b"\x00\x01\n\x00\xff\n")),
    ("A binary file called .csv", fit("a.csv"), "NUL", write("a.csv", b"\x00\x01\x02\xff")),
    (
        "A broken line of JSON",
        fit("a.jsonl"),
        "a.jsonl, line 2: not JSON",
        write("a.jsonl", '{"text": "steam"}\n{"text": \n'),
    ),
    (
        "JSON that is no object",
        fit("a.jsonl"),
        "line 1: must be a JSON object",
        write("a.jsonl", '["steam", "engine"]\n'),
    ),
    (
        "A ragged table",
        fit("a.csv"),
        "a.csv, line 3: 3 cells where the header has 2",
        write("a.csv", "id,text\n1,steam\n2,steam, engine\n"),
    ),
    (
        "A quotation mark that is never closed",
        fit("a.csv"),
        "in the row that starts on line",
        write("a.csv", 'id,text\n1,"steam\n2,engine\n'),
    ),
    ("An empty table", fit("a.csv"), "the file is empty", write("a.csv", "")),
    ("A column that is not there", fit("table.csv --text-column body"), "no column 'body'", None),
    (
        "A table whose text is not named",
        fit("a.csv"),
        "which column holds the text?",
        write("a.csv", "one,two\nsteam,engine\n"),
    ),
    (
        "An id that comes twice",
        fit("a.csv --strict"),
        "id 'a' comes more than once (rows 0 and 1)",
        write("a.csv", "id,text\na,steam\na,engine\n"),
    ),
    (
        "An empty document",
        fit("a.csv --strict"),
        "row 1 (id b) is empty",
        write("a.csv", "id,text\na,steam\nb,\n"),
    ),
    ("One document", fit("a.txt"), "min_df", write("a.txt", "a steam engine\n")),
    ("Documents that are all empty", fit("a.txt"), "no words in 3", write("a.txt", "\n\n\n")),
    ("No document at all", fit("a.txt"), "there are no documents", write("a.txt", "")),
    ("A vocabulary pruned to nothing", fit("notes --min-df 44 --max-df 1.0"), "none of", None),
    ("More documents than there may be", fit("notes --min-df 0.9"), "lower min_df", None),
    ("A download that broke off", fit("table.csv.gz"), "cannot be read to its end", broken_gzip),
    ("An archive that is none", fit("a.tar"), "a.tar", write("a.tar", b"not a tar")),
    ("A Parquet file that is none", fit("a.parquet"), "a.parquet", write("a.parquet", b"PAR")),
    ("An address where nobody answers", fit("http://localhost:1/a.csv"), "cannot be opened", None),
]
COUNTS = [
    (
        "A negative count",
        fit("a.mtx"),
        "column 1: -3 is no count",
        write("a.mtx", "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 2 -3\n"),
    ),
    (
        "A count that is not a number",
        fit("a.mtx"),
        "column 1: nan is no count",
        write("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n1 2 nan\n"),
    ),
    (
        "A matrix that breaks off",
        fit("a.mtx"),
        "a.mtx",
        write("a.mtx", "%%MatrixMarket matrix coordinate integer general\n2 2 3\n1 2 3\n"),
    ),
    ("A file that is no Matrix Market", fit("a.mtx"), "a.mtx", write("a.mtx", "steam engine\n")),
    (
        "A UCI file without its numbers",
        fit("docword.a.txt"),
        "docword.a.txt",
        write("docword.a.txt", "steam\nengine\n"),
    ),
    ("A line that is no svmlight", fit("a.svmlight"), "a.svmlight", write("a.svmlight", "1 x:y\n")),
    (
        "A vocabulary of another length",
        fit("counts.mtx --vocabulary words.txt"),
        "8 columns, but 2 words",
        write("words.txt", "steam\nengine\n"),
    ),
    ("Options of texts for counts", fit("counts.mtx --min-df 3"), "leave out --min-df", None),
    (
        "A vocabulary for texts",
        fit("notes --vocabulary words.txt"),
        "leave out --vocabulary",
        write("words.txt", "steam\n"),
    ),
    (
        "Texts for a model of counts",
        "topicfactors transform counted notes",
        "fitted to counts",
        None,
    ),
    (
        "Counts of another width",
        "topicfactors transform counted a.mtx",
        "3 columns, and the run was fitted to 8",
        write("a.mtx", "%%MatrixMarket matrix coordinate integer general\n1 3 1\n1 2 3\n"),
    ),
]
OPTIONS = [
    ("No factors", fit("notes -k 0"), "-k", None),
    (
        "More factors than documents",
        fit("notes -k 60 -q"),
        "60 factors are more than its 45 documents",
        None,
    ),
    ("An inference with a slip", fit("notes --inference nvill"), "did you mean 'nvil'?", None),
    ("A likelihood with a slip", fit("notes --likelihood polia"), "did you mean 'polya'?", None),
    ("A decoder that is none", fit("notes --decoder linear"), "did you mean 'log-linear'?", None),
    (
        "One draw where others are needed",
        fit("notes --inference rloo:samples=1"),
        "samples must be a whole number of 2 or more",
        None,
    ),
    ("An option of a part with a slip", fit("notes --inference nvil:sample=3"), "samples", None),
    ("A start with a slip", fit("notes --init cluster"), "did you mean 'clusters'?", None),
    ("A language spaCy lacks", fit("notes --language klingon"), "language must be", None),
    (
        "A pipeline that is not installed",
        fit("notes --spacy-model en_core_web_sm"),
        "python -m spacy download en_core_web_sm",
        None,
    ),
    ("Parts of speech without a pipeline", fit("notes --pos NOUN"), "spacy_model", None),
    ("A pattern that is none", fit("notes --token-pattern [a-z"), "token_pattern", None),
    ("Two groups in a pattern", fit("notes --token-pattern (a)(b)"), "group", None),
    ("Numbers in a way unknown", fit("notes --numbers folded"), "did you mean 'fold'?", None),
    ("Stop words that are not there", fit("notes --stop-words mine.txt"), "--stop-words", None),
    ("A share for a number", fit("notes --min-df many"), "a number of documents such as 5", None),
    ("An exact posterior of many factors", fit("notes -k 40 --inference exact"), "exact", None),
    (
        "A setting file that is no TOML",
        fit("notes --config a.toml"),
        "a.toml",
        write("a.toml", "="),
    ),
    (
        "A setting that does not exist",
        fit("notes --config a.toml"),
        "unknown option 'factor'",
        write("a.toml", "factor = 3\n"),
    ),
    ("A command with a slip", "topicfactors topic run", "topic", None),
    ("An option with a slip", "topicfactors topics run --rankings lift", "--ranking", None),
    (
        "A ranking with a slip",
        "topicfactors topics run --ranking frx",
        "did you mean 'frex'?",
        None,
    ),
    ("A format that is none", "topicfactors export run out --format xls", "--format", None),
    ("A bound with a slip", "topicfactors evaluate run notes --bound ielbo", "'elbo'", None),
    ("No such sample", "topicfactors corpora newsgroups", "did you mean '20newsgroups'?", None),
    ("A device that is none", fit("notes --device gpu"), "device must be", None),
]
RUNS = [
    ("No run there", "topicfactors topics nowhere", "no model here", None),
    ("A folder that is no run", "topicfactors topics notes", "no model here", None),
    (
        "A damaged config",
        "topicfactors topics run",
        "config.json",
        cut("run/model/config.json", 1000),
    ),
    (
        "Weights that break off",
        "topicfactors topics run",
        "weights.safetensors",
        cut("run/model/weights.safetensors", 0.7),
    ),
    (
        "A vocabulary that breaks off",
        "topicfactors topics run",
        "vocabulary.txt",
        cut("run/model/vocabulary.txt", 0.5),
    ),
    (
        "A vocabulary that is missing",
        "topicfactors topics run",
        "vocabulary.txt",
        without("run/model/vocabulary.txt"),
    ),
    ("A run of a newer version", "topicfactors topics run", "format 99", edited(format=99)),
    ("A model of another program", "topicfactors topics run", "not the config of", foreign),
    (
        "Posteriors that were edited",
        "topicfactors export run out",
        "damaged",
        lambda place: (place / "run/posteriors.csv").write_text("id,factor_0\na,high\n") and None,
    ),
]
DOCUMENTS = [
    ("A text file that is not there", "topicfactors explain run a/b.txt", "no such file", None),
    ("A corpus where one text is meant", "topicfactors explain run table.csv", "--id", None),
    ("An id with a slip", "topicfactors explain run notes --id clocks/1.txt", "did you mean", None),
    ("A text for a model of counts", "topicfactors explain counted 'a text'", "counts", None),
    (
        "Texts in another language than the run's",
        "topicfactors evaluate run a.txt",
        "none of 1 documents has a word",
        write("a.txt", "Dampfmaschine und Uhrwerk\n"),
    ),
    ("C_V of counts", "topicfactors evaluate counted counts.mtx --c-v", "leave out --c-v", None),
    ("An output of no known kind", "topicfactors transform run notes -o a.xlsx", "a.xlsx", None),
]
OUTPUT = [
    ("A run that exists", fit(f"notes -o run {FIT}"), "run exists and is kept", None),
    ("An export that exists", "topicfactors export run out", "out exists", folder("out")),
    (
        "A file that exists",
        "topicfactors transform run notes -o a.csv",
        "a.csv exists and is kept",
        write("a.csv", "mine"),
    ),
    (
        "Somebody else's folder, forced",
        fit(f"notes -o thesis --force {FIT}"),
        "holds something else",
        write("thesis/chapter.tex", "years"),
    ),
    ("A folder under a file", fit(f"notes -o table.csv/run {FIT}"), "is no folder", None),
]


def listed(section: str, rows: list[Any], status: int = 2) -> list[Mistake]:
    """Rows of a table as mistakes."""
    return [
        Mistake(section, title, shown, said, status, prepare)
        for title, shown, said, prepare in rows
    ]


def python(title: str, code: str, said: str) -> Mistake:
    """A mistake in Python."""
    return Mistake("In Python", title, code, said)


MISTAKES: list[Mistake] = [
    *listed("Corpora", CORPORA),
    *listed("Counts", COUNTS),
    *listed("Responses", RESPONSES),
    *listed("Options", OPTIONS),
    *OPTIONS_OF_FACTORS,
    *OPTIONS_OF_SCORES,
    *OPTIONS_OF_MODELS,
    *OPTIONS_OF_SMOOTHING,
    *ANSWERS,
    Mistake("Options", "A GPU that is not there", fit("notes --device cuda"), "cuda", patch=no_gpu),
    *MACHINES,
    *listed("Documents for a run", DOCUMENTS),
    Mistake(
        "Documents for a run",
        "Another overwriting the input",
        "topicfactors transform run table.csv -o table.csv --force",
        "would replace",
    ),
    *COVARIATES,
    *STUDIES,
    *EDITING,
    *REPORTS,
    *COMPARISONS,
    *STABILITY,
    *RESUMING,
    *STORES,
    *listed("Runs", RUNS, status=1),
    *listed("Output", OUTPUT, status=1),
    Mistake(
        "Output",
        "A folder that may only be read",
        fit(f"notes -o new {FIT}"),
        "may not be written to",
        status=1,
        patch=read_only,
    ),
    Mistake(
        "Output",
        "A full disk",
        "topicfactors transform run notes -o a.csv",
        "No space left on device",
        status=1,
        patch=full_disk,
    ),
    Mistake(
        "Output",
        "Ctrl-C while the corpus is read",
        fit("notes -o new"),
        "interrupted; nothing was written",
        status=130,
        patch=interrupted,
    ),
    python("One text instead of several", 'DocumentVectorizer().fit("a text")', "put it in a list"),
    python("A frame instead of its column", "DocumentVectorizer().fit(counts)", "one column"),
    python("A number among the texts", "DocumentVectorizer(strict=True).fit([3])", "row 0"),
    python(
        "Texts for the model alone", 'BinaryFactorModel().fit(["a text"])', "turn texts into counts"
    ),
    python("A negative count", "BinaryFactorModel(2).fit(counts - 1)", "row 0, column 1 is -1"),
    python(
        "A count that is not a number",
        "BinaryFactorModel(2).fit(counts * np.nan)",
        "row 0, column 0 is nan",
    ),
    python(
        "An infinite count", "BinaryFactorModel(2).fit(counts * 1e400)", "row 0, column 0 is inf"
    ),
    python("Counts that are all zero", "BinaryFactorModel(2).fit(counts * 0)", "no tokens"),
    python("No factors", "BinaryFactorModel(0).fit(counts)", "n_components must be"),
    python("A name with a slip", 'BinaryFactorModel(2, inference="exakt").fit(counts)', "'exact'"),
    python(
        "Names of other columns",
        'BinaryFactorModel(2).fit(counts, feature_names=["a", "b"])',
        "each of the 5 columns",
    ),
    python(
        "A dictionary for counts",
        "BinaryFactorModel(2).fit(counts, id2word={0: 'a'})",
        "id2word names",
    ),
    python(
        "A word outside the dictionary",
        'BinaryFactorModel(2).fit([[(7, 1)]], id2word={0: "a"})',
        "row 0",
    ),
    python("Another width at transform", "pipeline[-1].transform(counts)", "5 features"),
    python(
        "Other words at transform", "pipeline[-1].fit(counts).transform(counts[:, :3])", "3 feat"
    ),
    python(
        "A bound for fewer factors", 'pipeline[-1].perplexity(counts, bound="exakt")', "'exact'"
    ),
    python("A model where a pipeline is meant", 'explain(pipeline[-1], "a text")', "pipeline"),
    python("A list where a text is meant", 'explain(pipeline, ["a text"])', "one text"),
    python("A frame without a text", "read_corpus({'a': ['b']})", "values"),
    python("Saving where something is", 'save(pipeline, "run/model")', "exists and is kept"),
    python(
        "Saving what a folder cannot hold",
        "from sklearn.pipeline import make_pipeline; "
        "from sklearn.preprocessing import Normalizer; "
        'save(make_pipeline(Normalizer(), pipeline[-1]), "new")',
        "cannot hold the step",
    ),
    python("Loading what is no model", 'load("notes")', "no model here"),
    *IN_PYTHON,
    *(python(*row) for row in RESPONSES_IN_PYTHON),
    *FACTORS_IN_PYTHON,
    *(python(*row) for row in SCORES_IN_PYTHON),
    *SMOOTHING_IN_PYTHON,
    *ANSWERS_IN_PYTHON,
    *STUDIES_IN_PYTHON,
    *(python(*row) for row in PICTURES_IN_PYTHON),
    *EDITING_IN_PYTHON,
    *REPORTS_IN_PYTHON,
    *COMPARISONS_IN_PYTHON,
    *STABILITY_IN_PYTHON,
    *RESUMING_IN_PYTHON,
    *STORES_IN_PYTHON,
]
