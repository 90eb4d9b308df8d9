"""Redacted files and their originals: what each name means, as TDR has it."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.consignments.domain.redactions import (
    AMBIGUOUS_ORIGINAL_FILE,
    DUPLICATE_FILE_NAME,
    NO_ORIGINAL_FILE,
    NamedFile,
    RedactionPair,
    match_redactions,
)


def outcomes(*paths: str) -> dict[str, str]:
    """By the path of each redacted file, the path of its original or the cause."""
    files = [NamedFile(f"id-{number}", path) for number, path in enumerate(paths)]
    return {
        outcome.redacted.path: outcome.original.path if isinstance(outcome, RedactionPair) else outcome.cause
        for outcome in match_redactions(files)
    }


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (["x.txt", "x_R1.txt", "x_R2.txt"], {"x_R1.txt": "x.txt", "x_R2.txt": "x.txt"}),
        (["DTP.pdf", "DTP_R1.docx"], {"DTP_R1.docx": "DTP.pdf"}),
        (["DTP", "DTP_R.png"], {"DTP_R.png": "DTP"}),
        (["DTP.docx", "DTP_R"], {"DTP_R": "DTP.docx"}),
        (["MyDocument.updated", "MyDocument.updated_R.png"], {"MyDocument.updated_R.png": "MyDocument.updated"}),
        (
            ["MyDocument.updated.docx", "MyDocument.updated_R.docx"],
            {"MyDocument.updated_R.docx": "MyDocument.updated.docx"},
        ),
        (["DTP_.docx", "DTP__R.docx"], {"DTP__R.docx": "DTP_.docx"}),
        (["DTP.docx", "DTP__R.docx"], {"DTP__R.docx": NO_ORIGINAL_FILE}),
        (
            ["Anothe_R13_R14Redacted.docx", "Anothe_R13_R14Redacted_R15.docx"],
            {"Anothe_R13_R14Redacted_R15.docx": "Anothe_R13_R14Redacted.docx"},
        ),
        (
            ["DTP.docx", "DTP_R.docx", "DTP_Redacted1.pdf", "DTP_redacted2"],
            dict.fromkeys(["DTP_R.docx", "DTP_Redacted1.pdf", "DTP_redacted2"], "DTP.docx"),
        ),
        (
            ["Anothe_Redacted.docx", "Anothe_Redacted_R.docx"],
            {"Anothe_Redacted.docx": NO_ORIGINAL_FILE, "Anothe_Redacted_R.docx": "Anothe_Redacted.docx"},
        ),
        (
            ["DTP.docx", "DTP_R.docx", "DTP_R.pdf"],
            dict.fromkeys(["DTP_R.docx", "DTP_R.pdf"], DUPLICATE_FILE_NAME),
        ),
        (["DTP_R", "DTP_R.docx", "DTP.pdf"], dict.fromkeys(["DTP_R", "DTP_R.docx"], DUPLICATE_FILE_NAME)),
        (["DTP.docx", "DTP.pdf", "DTP_R1.docx"], {"DTP_R1.docx": AMBIGUOUS_ORIGINAL_FILE}),
        (["DTP", "DTP.docx", "DTP_R.png"], {"DTP_R.png": AMBIGUOUS_ORIGINAL_FILE}),
        (["/dir1/DTP_R.docx", "/dir1/dir2/DTP.docx"], {"/dir1/DTP_R.docx": NO_ORIGINAL_FILE}),
        (
            ["a/DTP.docx", "a/DTP_R.docx", "b/DTP_R.docx"],
            {"a/DTP_R.docx": "a/DTP.docx", "b/DTP_R.docx": NO_ORIGINAL_FILE},
        ),
        (["é/ü.txt", "é/ü_R.txt"], {"é/ü_R.txt": "é/ü.txt"}),
        (["two\nlines.txt", "two\nlines_R.txt"], {"two\nlines_R.txt": "two\nlines.txt"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_table(paths: list[str], expected: dict[str, str]) -> None:
    assert outcomes(*paths) == expected


@pytest.mark.parametrize(
    "name",
    [
        "DTP_r.docx",
        "DTP_REDACTED.docx",
        "DTP.docx_R",
        "DTP.docx_Ra",
        "DTP_R .docx",
        "DTP_R.updated.docx",
        "DTPR",
        "_R",
        "DTP_RR.docx",
        "DTP_Redacted_.docx",
        "",
    ],
)
def test_not_redacted_at_all(name: str) -> None:
    assert outcomes("DTP.docx", name) == {}


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.b.c", "a.b"), (".hidden", ".hidden"), ("end.", "end."), ("none", "none"), (".a.b", ".a"), ("..", "..")],
)
def test_the_name_without_its_extension(name: str, stem: str) -> None:
    assert NamedFile("id", f"folder.d/{name}").stem == stem


NAMES = st.sampled_from(
    ["a", "a_R", "a_R1", "a.txt", "a_R.txt", "a_R.pdf", "a.pdf", "a_Redacted.txt", "b_R.txt", "b.c_R"]
)


@given(st.lists(st.tuples(st.sampled_from(["", "x/", "x/y/"]), NAMES).map("".join), unique=True), st.randoms())
def test_the_order_of_the_files_does_not_matter(paths: list[str], shuffled: random.Random) -> None:
    other = list(paths)
    shuffled.shuffle(other)
    assert outcomes(*paths) == outcomes(*other)


def test_ten_thousand_files_of_one_folder_are_matched_in_one_pass() -> None:
    paths = [f"{number}.txt" for number in range(5000)] + [f"{number}_R.txt" for number in range(5000)]
    assert all(original == redacted.replace("_R", "") for redacted, original in outcomes(*paths).items())


@pytest.mark.parametrize(("original", "redacted"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_names_that_are_the_same_text_are_a_pair(original: str, redacted: str) -> None:
    # Unicode Standard Annex 15. Folders too.
    files = [
        NamedFile("1", unicodedata.normalize(original, "Zo\u00eb/caf\u00e9.docx")),
        NamedFile("2", unicodedata.normalize(redacted, "Zo\u00eb/caf\u00e9_R.docx")),
    ]
    (pair,) = match_redactions(files)
    assert isinstance(pair, RedactionPair)
    assert (pair.original.file_id, pair.redacted.file_id) == ("1", "2")
