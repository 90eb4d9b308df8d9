"""The share of words that templates of HMPPS' services print as they do there, on a checkout of our own making."""

from pathlib import Path

import pytest

from benchmarks.subject_access.parity import services, share, words_of_page


def checkout(folder: Path, template: str, page: str) -> Path:
    files = {
        "src/main/resources/templates/template_moves.mustache": template,
        "src/main/resources/templates/template_alone.mustache": "<p>no answer</p>",
        "src/test/resources/answers/moves-response.json": '{"content": {"to": "MDI", "by": "x", "on": "2026-01-02"}}',
        "src/test/resources/pages/moves-expected.html": page,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(
    ("template", "found", "missing"),
    [
        ("<h1>Moves</h1><p>{{getPrisonName to}}, {{formatDate on}}</p>", 1.0, 0),
        # The day is not printed: three words of six.
        ("<h1>Moves</h1><p>{{getPrisonName to}}</p>", 0.5, 3),
        # A template that is refused prints nothing.
        ("<p>{{shout to}}</p>", 0.0, 6),
    ],
)
def test_the_share_of_the_words_of_the_expected_page(tmp_path: Path, template: str, found: float, missing: int) -> None:
    page = "<style>p {colour: red}</style><h1>Moves</h1><p>HMPPS Mordor, 02 January 2026</p>"
    ((service, *files),) = services(checkout(tmp_path, template, page))
    part, words = share(*files)
    assert (service, part, words.total()) == ("moves", found, missing)


def test_words_are_those_that_a_browser_shows() -> None:
    assert words_of_page("<style>a b</style><td>x &amp; y</td>").total() == 2
