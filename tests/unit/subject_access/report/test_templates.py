"""Templates: Mustache with helpers, a little mark-up, and nothing of either in the values."""

from typing import Any

import pytest

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report.blocks import Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.models import Lookups
from waybill.subject_access.domain.report.templates import check_template, template_blocks, template_hash

LOOKUPS = Lookups(prisons={"MDI": "Moorland"}, surnames={"JSMITH_GEN": "Smith"}, locations={"77": "A-1-001"})


def blocks(template: str, content: Any, title: str = "Title") -> list[Any]:
    check_template(template)
    return list(template_blocks(template, content, LOOKUPS, title))


def line(template: str, content: Any) -> str:
    """The one paragraph that a template makes."""
    (block,) = blocks(f"<p>{template}</p>", content)
    assert isinstance(block, Paragraph)
    return block.text


@pytest.mark.parametrize(
    ("call", "data", "printed"),
    [
        ("formatDate d", {"d": "2024-03-05"}, "05 March 2024"),
        ("formatDate d", {"d": "2024-03-05T14:05:06.789Z"}, "05 March 2024, 2:05:06 pm"),
        ("formatDate d", {"d": "2024-03-05T00:05:06+01:00"}, "05 March 2024, 12:05:06 am"),
        ("formatDate d", {"d": [2024, 3, 5, 14, 5]}, "05 March 2024, 2:05:00 pm"),
        ("formatDate d", {"d": ["2024", "3"]}, "01 March 2024, 12:00:00 am"),
        ("formatDate d", {"d": "2024-02-31"}, "2024-02-31"),
        ("formatDate d", {"d": [2024, 13, "x"]}, "2024, 13, x"),
        ("formatDate d", {"d": "in spring"}, "in spring"),
        ("optionalValue d", {}, "No Data Held"),
        ("optionalValue d", {"d": ""}, "No Data Held"),
        ("optionalValue d", {"d": 0}, "0"),
        ("optionalValue d", {"d": False}, "No"),
        ("optionalString d", {"d": " "}, "No Data Held"),
        ("optionalValue (formatDate d)", {"d": "2024-03-05"}, "05 March 2024"),
        ("optionalValue (formatDate d)", {"d": None}, "No Data Held"),
        ("getOrDefault d 'none'", {}, "none"),
        ("getPrisonName d", {"d": "MDI"}, "Moorland"),
        ("getPrisonName d", {"d": "XXX"}, "XXX"),
        ("getPrisonName d", {}, "No Data Held"),
        ("getUserLastName d", {"d": "JSMITH_GEN"}, "Smith"),
        ("getLocationNameByNomisId d", {"d": 77}, "A-1-001"),
        ("getLocationNameByDpsId d", {"d": "77"}, "A-1-001"),
        ("convertBoolean d", {"d": True}, "Yes"),
        ("convertBoolean d", {"d": "0"}, "No"),
        ("convertBoolean d", {"d": None}, "No Data Held"),
        ("convertBoolean d", {"d": "maybe"}, "maybe"),
        ("buildDate y m d", {"y": "2024", "m": "3", "d": "5"}, "05 March 2024"),
        ("buildDateNumber y m d", {"y": 2024, "m": 3, "d": 5}, "05 March 2024"),
        ("buildDate y m d", {"y": "2024", "m": None, "d": "5"}, "No Data Held"),
        ("convertCamelCase d", {"d": "roleDescriptionPNC"}, "role description pnc"),
        ("convertCamelCase d", {"d": "has spaces"}, "has spaces"),
        ("formatDate d d d", {"d": "2024-03-05"}, "2024-03-05"),
    ],
)
def test_helpers(call: str, data: dict[str, Any], printed: str) -> None:
    assert line("{{ " + call + " }}", data) == printed


@pytest.mark.parametrize(
    ("template", "data", "printed"),
    [
        ("{{#.}}{{n}} {{/.}}", [{"n": 1}, {"n": 2}], "1 2"),
        ("{{#list}}{{getIndexPlusOne @index}}:{{.}} {{/list}}", {"list": ["a", "b"]}, "1:a 2:b"),
        ("{{#each list}}{{@number}}/{{this}} {{/each}}", {"list": ["a", "b"]}, "1/a 2/b"),
        ("{{#each object}}{{@key}}={{.}} {{/each}}", {"object": {"x": 1, "y": 2}}, "x=1 y=2"),
        ("{{#a}}{{#list}}{{@index}}{{#inner}}{{@index}}{{/inner}} {{/list}}{{/a}}",
         {"a": {"list": [{"inner": {"x": 1}}, {"inner": [1, 2]}]}}, "00 101"),
        ("{{^list}}none{{/list}}{{#list}}some{{/list}}", {"list": []}, "none"),
        ("{{#if a}}yes{{else}}no{{/if}} {{#unless a}}no{{/unless}}", {"a": 0}, "yes"),
        ("{{#eq kind 'A'}}is A{{else}}is not{{/eq}}", {"kind": "A"}, "is A"),
        ("{{#eq kind \"A\"}}is A{{else}}is not{{/eq}}", {"kind": "B"}, "is not"),
        ("{{#if (eq a b)}}same{{/if}}", {"a": 1, "b": "1"}, "same"),
        ("{{a.b.c}} {{list.1.x}} {{a.missing.c}}", {"a": {"b": {"c": 1}}, "list": [{}, {"x": "second"}]}, "1 second"),
        ("{{#a}}{{outer}} {{../outer}} {{b}}{{/a}}", {"outer": "o", "a": {"b": 1}}, "o o 1"),
        ("{{#content}}{{n}}{{/content}}", [{"n": 1}, {"n": 2}], "12"),
        ("{{#list}}{{.}}{{#if @first}}!{{/if}}{{#unless @last}}, {{/unless}}{{/list}}", {"list": [1, 2]}, "1!, 2"),
        ("{{@index}}{{@last}}{{@key}}x", {}, "x"),
        ("{{! a comment }}a{{name}}b", {}, "ab"),
        ("{{list}} {{object}}", {"list": [1, None, "x"], "object": {"k": "v"}}, "1\n\nx k: v"),
    ],
)  # fmt: skip
def test_names_and_sections(template: str, data: Any, printed: str) -> None:
    assert line(template, data) == printed


@pytest.mark.parametrize("braces", ["{{x}}", "{{{x}}}", "{{&x}}"])
@pytest.mark.parametrize("value", ["<b>&amp;</b>", "</p><h1>Title</h1>", "<!--", "{{y}}", "<script>", "&#60;i&#62;"])
def test_values_are_text_in_any_braces(braces: str, value: str) -> None:
    assert line(f"[{braces}]", {"x": value, "y": "never"}) == f"[{value}]"


@pytest.mark.parametrize(
    "name", ["items", "keys", "__class__", "upper", "x.upper", "x.__len__", "list.append", "helpers"]
)
def test_a_template_reaches_nothing_but_the_data(name: str) -> None:
    assert line("[{{" + name + "}}{{#" + name + "}}!{{/" + name + "}}]", {"x": "text", "list": [1]}) == "[]"


def test_mark_up_becomes_blocks() -> None:
    template = """
      <h1 class="title">Keyworkers</h1>
      <h2>First <em>part</em></h2>
      Loose text<br>on two lines
      <div><p>In a paragraph
         over lines</p></div>
      <ul><li>one</li><li>two</li></ul><ol><li>first<li>second</ol>
      <table class="data-table wide"><tr><td>Name</td><td>Date</td></tr>
        <tr><td>{{n}}</td><td><p>a</p><p>b</p></td></tr></table>
      <table class="summary-list"><tr><td>Reason</td><td>{{n}}</td></tr><tr><th>Alone</th></tr></table>
      <table><tr><td>only</td><td>one row</td><td></td></tr></table>
      <table><tr><th>A</th></tr><tr><td>1</td><td>2</td></tr></table>
      <dl><dt>Term</dt><dd>Value</dd><dd></dd></dl>
      <h4>Deep</h4>
    """
    assert blocks(template, {"n": "x\ny"}, title="KEYWORKERS") == [
        Heading("First part", 2),
        Paragraph("Loose text\non two lines"),
        Paragraph("In a paragraph over lines"),
        Paragraph("one", "•"),
        Paragraph("two", "•"),
        Paragraph("first", "1."),
        Paragraph("second", "2."),
        Table(["Name", "Date"], [["x\ny", "a\n\nb"]]),
        Pair("Reason", "x\ny"),
        Paragraph("Alone"),
        Table((), [["only", "one row"]]),
        Table(["A", ""], [["1", "2"]]),
        Pair("Term", "Value"),
        Pair("Term", ""),
        Heading("Deep", 4),
    ]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{{#a}}", "do not match"),
        ("{{/a}}", "do not match"),
        ("{{#a}}{{#b}}{{/a}}{{/b}}", "do not match"),
        ("{{a", "do not match"),
        ("{{}}", "do not match"),
        ("{{ }}", "nothing between"),
        ("{{>partial}}", "partials"),
        ("{{=<% %>=}}", "delimiters"),
        ("{{delete all}}", "no helper is called delete"),
        ("{{(eq a b) c}}", "no helper"),
        ("{{optionalValue (formatDate a}}", "bracket is not closed"),
        ("{{optionalValue a)}}", "bracket is closed"),
        ("{{optionalValue 'a}}", "quote is not closed"),
        ("{{a/b}}", "not a name"),
        ("{{else}}", "else without"),
        ("{{#a}}" * 60 + "{{/a}}" * 60, "nested"),
        ("<script>alert(1)</script>", "tag script"),
        ("<p><img src=x></p>", "tag img"),
        ("<a href='x'>x</a>", "tag a"),
    ],
)
def test_what_may_not_be_registered(template: str, problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        check_template(template)


def test_a_part_with_a_template_shows_what_the_template_shows(draw: DrawPart) -> None:
    template = "<h1>Allocate Keyworkers</h1>{{#.}}<h3>Worker {{@number}}</h3><p>{{getUserLastName user}}</p>{{/.}}"
    part = draw([{"user": "JSMITH_GEN", "internalId": "secret-7"}], template=template, lookups=LOOKUPS)
    assert part.text.count("Allocate Keyworkers") == 1
    assert "Worker 1" in part.text
    assert "Smith" in part.text
    assert "secret-7" not in part.text


def test_a_template_that_is_broken_is_not_drawn(draw: DrawPart) -> None:
    with pytest.raises(TemplateError):
        draw({"a": 1}, template="{{#a}}")


def test_one_byte_more_is_another_template() -> None:
    assert template_hash("<p>{{a}}</p>") != template_hash("<p>{{a}}</p> ")
    assert template_hash("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
