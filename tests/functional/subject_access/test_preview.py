"""`waybill sar preview`: for who writes a template, without a stack."""

import json
from pathlib import Path
from typing import Any

import pypdf
import pytest
from PIL import Image

from waybill.cli.app import main


@pytest.fixture
def tried(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(template: str | None, data: Any) -> tuple[int, Any, str]:
        given, output = tmp_path / "answer.json", tmp_path / "sample.pdf"
        given.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
        asked = ["sar", "preview", "--data", str(given), "--output", str(output), "--json"]
        if template is not None:
            (tmp_path / "t.mustache").write_text(template, "utf-8")
            asked += ["--template", str(tmp_path / "t.mustache")]
        capsys.readouterr()
        status = main(asked)
        printed = capsys.readouterr()
        if status:
            return status, None, printed.err
        text = "".join(page.extract_text() for page in pypdf.PdfReader(output).pages)
        return status, json.loads(printed.out), text

    return run


def test_the_sample_and_what_it_does_not_print(tried: Any) -> None:
    content = {"name": "Ann", "born": "1990-01-02", "active": True, "secret": "x", "notes": [{"text": "a", "by": "b"}]}
    template = "<p>{{name}} {{formatDate born}} {{#if active}}yes{{/if}} {{#each notes}}{{text}}{{/each}}</p>"
    status, told, text = tried(template, {"content": content, "attachments": []})
    assert status == 0
    assert "Ann 02 January 1990 yes a" in text
    assert told["notPrinted"] == ["secret", "notes[0].by"]


def test_without_a_template_everything_is_printed(tried: Any) -> None:
    status, told, text = tried(None, {"name": "Ann"})
    assert (status, told["notPrinted"], "Name Ann" in text) == (0, [], True)


@pytest.mark.parametrize(
    ("template", "data", "status", "said"),
    [
        ("a\n{{shout name}}", {"name": "Ann"}, 1, "no helper is called shout (line 2)"),
        ("{{#name}}", {"name": "Ann"}, 1, "line 1"),
        ("{{optionalString n}}", {"n": 5}, 1, "optionalString takes a text (line 1)"),
        ("{{name}}", "no JSON", 2, "is not JSON"),
    ],
)
def test_what_cannot_be_drawn_is_said_with_its_line(
    tried: Any, template: str, data: Any, status: int, said: str
) -> None:
    found, _, error = tried(template, data)
    assert found == status
    assert said in error


def test_pictures_of_a_sample_are_files_beside_the_answer(tried: Any, tmp_path: Path) -> None:
    Image.new("RGB", (30, 20), "teal").save(tmp_path / "ann.png")
    photo = {"contentType": "image/png", "url": "https://files.example/ann.png", "filesize": 70}
    other = {"contentType": "image/png", "url": "https://files.example/ben.png", "filesize": 70}
    template = "{{#each people}}{{inlineAttachment this.photo}}{{/each}}"
    status, told, _ = tried(template, {"content": {"people": [{"photo": photo}, {"photo": other}]}})
    assert status == 0
    assert [one["name"] for one in told["notShown"]] == ["Picture 2 in the text"]
    # What describes a picture is in the report as the picture; of the second there is none.
    assert told["notPrinted"] == [f"people[1].photo.{name}" for name in ("contentType", "url", "filesize")]
