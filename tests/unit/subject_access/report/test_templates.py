"""Templates: Mustache with helpers, a little mark-up, and nothing of either in the values."""

import json
import re
from typing import Any

import pytest

from tests.unit.subject_access.report.conftest import DrawPart
from waybill.subject_access.domain.report.blocks import Heading, Pair, Paragraph, Table
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.models import Lookups, Number
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


# Sources: the facts of HMPPS' template library (hmpps-kotlin-lib, subject access request module, release notes 2.1 to
# 2.2.1) as the project's notes list them; British Summer Time by the Summer Time Order 2002.
@pytest.mark.parametrize(
    ("call", "data", "printed"),
    [
        ("formatDate d", {"d": "2023-10-01"}, "01 October 2023"),
        ("formatDate d", {"d": "06/02/2019"}, "06 February 2019"),
        ("formatDate d", {"d": "2024-05-01T12:34:56Z"}, "01 May 2024, 1:34:56 pm"),
        ("formatDate d", {"d": "2024-05-01T23:30:00Z"}, "02 May 2024, 12:30:00 am"),
        ("formatDate d", {"d": "2023-01-21T16:30:41+0100"}, "21 January 2023, 3:30:41 pm"),
        ("formatDate d", {"d": "2023-01-21T16:30:41-03:00"}, "21 January 2023, 7:30:41 pm"),
        ("formatDate d", {"d": "2024-03-05T14:05:06.789Z"}, "05 March 2024, 2:05:06 pm"),
        ("formatDate d", {"d": "2024-05-01T12:34:56"}, "01 May 2024, 12:34:56 pm"),
        ("formatDate d", {"d": "2020-09-04T00:12:53.8"}, "04 September 2020, 12:12:53 am"),
        ("formatDate d", {"d": "2024-05-01T12:34"}, "01 May 2024, 12:34 pm"),
        ("formatDate d", {"d": "2024-05-01T12:34Z"}, "01 May 2024, 1:34 pm"),
        ("formatDate d", {"d": "01/05/2024 12:34"}, "01 May 2024, 12:34 pm"),
        ("formatDate d", {"d": "19/11/2024 17:26:59"}, "19 November 2024, 5:26:59 pm"),
        ("formatDate d", {"d": "2024-11-26 12:34:00.0"}, "26 November 2024, 12:34:00 pm"),
        ("formatDate d", {"d": "2024-01-02 03:04:05.123456"}, "02 January 2024, 3:04:05 am"),
        ("formatDate d", {"d": [2023, 3, 24, 13, 59, 16, 133644]}, "24 March 2023, 1:59:16 pm"),
        ("formatDate d", {"d": ["2023.0", "3", "24"]}, "24 March 2023, 12:00 am"),
        ("formatDate d", {"d": [2024, 3, 5, 14, 5]}, "05 March 2024, 2:05 pm"),
        ("formatDate d", {"d": ["2024", "3"]}, "01 March 2024, 12:00 am"),
        # The nights on which clocks change: 01:00 UTC is 02:00 in March, and 01:00 again in October.
        ("formatDate d", {"d": "2024-03-31T00:59:59Z"}, "31 March 2024, 12:59:59 am"),
        ("formatDate d", {"d": "2024-03-31T01:00:00Z"}, "31 March 2024, 2:00:00 am"),
        ("formatDate d", {"d": "2024-10-27T00:59:59Z"}, "27 October 2024, 1:59:59 am"),
        ("formatDate d", {"d": "2024-10-27T01:00:00Z"}, "27 October 2024, 1:00:00 am"),
        # British Standard Time: summer time all year from 1968 to 1971.
        ("formatDate d", {"d": "1970-01-01T00:00:00Z"}, "01 January 1970, 1:00:00 am"),
        ("formatDate d", {"d": "0001-01-01T00:00:00+01:00"}, "0001-01-01T00:00:00+01:00"),
        ("formatDate d", {"d": "1850-06-01"}, "01 June 1850"),
        ("formatDate d", {"d": "2024-05-01T24:00"}, "2024-05-01T24:00"),
        ("formatDate d", {"d": "12024-05-01"}, "12024-05-01"),
        ("formatDate d", {"d": "2024-02-31"}, "2024-02-31"),
        ("formatDate d", {"d": [2024, 13, "x"]}, "2024, 13, x"),
        ("formatDate d", {"d": [100000000000000000000, 1, 1]}, "100000000000000000000, 1, 1"),
        ("formatDate d", {"d": [float("inf"), 1, 1]}, "inf, 1, 1"),
        ("formatDate d", {"d": "soon"}, "soon"),
        ("formatDate d", {"d": "on 2024-05-01"}, "on 2024-05-01"),
        ("formatDate d", {}, ""),
        ("optionalValue d", {}, "No Data Held"),
        ("optionalValue d", {"d": ""}, "No Data Held"),
        ("optionalValue d", {"d": 0}, "0"),
        # Handlebars.java prints what Java's Boolean is as a text; only convertBoolean says Yes and No.
        ("optionalValue d", {"d": False}, "false"),
        ("formatDate d", {"d": True}, "true"),
        ("formatDate d", {"d": [2023, None, 5]}, "05 January 2023, 12:00 am"),
        ("formatDate d", {"d": [2024, {"m": 1}, 2]}, "2024\nm: 1\n2"),
        ("optionalString d", {"d": "  "}, "No Data Held"),
        ("optionalString d", {"d": "x"}, "x"),
        ("optionalValue (formatDate d)", {"d": "2024-03-05"}, "05 March 2024"),
        ("optionalValue (formatDate d)", {"d": None}, "No Data Held"),
        ("getOrDefault d 'none'", {}, "none"),
        ("getIndexPlusOne d", {"d": 41}, "42"),
        ("getIndexPlusOne d", {"d": Number("41")}, "42"),
        ("getIndexPlusOne d", {"d": Number("-1")}, "0"),
        ("getIndexPlusOne d", {"d": Number("1234567")}, "1234568"),
        ("getIndexPlusOne d", {}, ""),
        ("getPrisonName d", {"d": "MDI"}, "Moorland"),
        ("getPrisonName d", {"d": "XXX"}, "XXX"),
        ("getPrisonName d", {}, "No Data Held"),
        ("getUserLastName d", {"d": "JSMITH_GEN"}, "Smith"),
        ("getUserLastName d", {"d": " "}, "No Data Held"),
        ("getLocationNameByNomisId d", {"d": 77}, "A-1-001"),
        ("getLocationNameByDpsId d", {"d": "77"}, "A-1-001"),
        ("getLocationNameByNomisId d", {}, "No Data Held"),
        ("convertBoolean d", {"d": True}, "Yes"),
        ("convertBoolean d", {"d": False}, "No"),
        ("convertBoolean d", {"d": "0"}, "No"),
        ("convertBoolean d", {"d": None}, "No Data Held"),
        ("convertBoolean d", {"d": "Maybe"}, "Maybe"),
        ("convertBoolean d", {"d": Number("1")}, "Yes"),
        ("convertBoolean d", {"d": 0}, "No"),
        # The texts are these and no others.
        ("convertBoolean d", {"d": "TRUE"}, "TRUE"),
        ("convertBoolean d", {"d": ""}, ""),
        ("buildDate y m d", {"y": "2024", "m": "4", "d": "8"}, "08 April 2024"),
        ("buildDate y m d", {"y": "2024", "m": "month", "d": "19"}, "2024-month-19"),
        ("buildDate y m d", {"y": "2024", "m": "month", "d": "9"}, "2024-month-9"),
        ("buildDate y m d", {"y": "2024", "m": None, "d": "5"}, "No Data Held"),
        ("buildDateNumber y m d", {"y": 2024.0, "m": 4.0, "d": 8.0}, "08 April 2024"),
        ("buildDateNumber y m d", {"y": None, "m": 11, "d": 15}, "No Data Held"),
        ("convertCamelCase d", {"d": "camelCaseValue"}, "camel case value"),
        ("convertCamelCase d", {"d": "roleDescriptionPNC"}, "role description pnc"),
        ("convertCamelCase d", {"d": "Value With Spaces"}, "Value With Spaces"),
        ("convertCamelCase d", {"d": ""}, "No Data Held"),
        # Apache Commons Lang, StringUtils.splitByCharacterTypeCamelCase, which the library calls.
        ("convertCamelCase d", {"d": "addressLine2Text"}, "address line 2 text"),
        ("convertCamelCase d", {"d": "ASFLicence"}, "asf licence"),
        ("convertCamelCase d", {"d": "ORDER_OF_COURT"}, "order _ of _ court"),
        ("lookup codes key", {"codes": {"X": "Name"}, "key": "X"}, "Name"),
    ],
)
def test_helpers(call: str, data: dict[str, Any], printed: str) -> None:
    assert line("[{{ " + call + " }}]", data) == f"[{printed}]"


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
        # handlebarsjs.com, "Expressions": this and ./ are the current context alone.
        ("{{#each c}}[{{this.name}}{{./name}}]{{/each}}", {"name": "OUTER", "c": [{"name": "first"}, {"p": 2}]},
         "[firstfirst][]"),
        ("{{#each c}}[{{optionalValue this.name}}{{#if this.name}}!{{/if}}{{#each this.l}}!{{/each}}]{{/each}}",
         {"name": "OUTER", "l": [1], "c": [{"p": 2}]}, "[No Data Held]"),
        ("{{#each c}}[{{name}}]{{/each}}", {"name": "OUTER", "c": [{"p": 2}]}, "[OUTER]"),
        # Mustache manual, dotted names: a broken chain is not looked for elsewhere.
        ("{{#each c}}[{{a.b}}{{this.a.b}}]{{/each}}", {"a": {"b": "OUTER"}, "c": [{"a": {}}]}, "[]"),
        ("{{#each c}}[{{optionalValue when}}]{{/each}}", {"when": "OUTER", "c": [{"when": None}]}, "[No Data Held]"),
        ("{{#each c}}{{#each i}}{{../n}}{{this.n}}{{@root.n}} {{/each}}{{/each}}",
         {"n": "r", "c": [{"n": "o", "i": [{"n": 1}, {}]}]}, "o1r or"),
        # handlebarsjs.com, "Built-in helpers", "Block parameters", "Segment-literal notation", "Whitespace control"
        ("{{#if a}}A{{else if b}}B{{else if c}}C{{else}}D{{/if}}", {"c": 1}, "C"),
        ("{{#if a}}A{{else if b}}B{{else}}D{{/if}}E", {}, "DE"),
        ("{{#with p}}{{name}}{{else}}nobody{{/with}} {{#with q}}x{{else}}nobody{{/with}}", {"p": {"name": "N"}},
         "N nobody"),
        ("{{#each l as |item place|}}{{place}}{{item.v}}{{#each item.w as |x|}}{{x}}{{item.v}}{{/each}} {{/each}}",
         {"l": [{"v": "a", "w": [1]}, {"v": "b"}]}, "0a1a 1b"),
        ("{{#each o as |v k|}}{{k}}={{v}} {{/each}}", {"o": {"x": 1}}, "x=1"),
        # handlebarsjs.com, "Expressions" (a path with slashes, as older templates have it), "Data variables" (../),
        # "Escaping Handlebars expressions"
        ("{{a/b}} {{#each a}}{{../a/b}}{{/each}}", {"a": {"b": 1}}, "1 1"),
        ("{{#each l}}{{#each this}}{{@../index}}{{../@index}}{{@index}} {{/each}}{{/each}}", {"l": [[1], [1]]},
         "000 110"),
        ("\\{{a}} {{a}}", {"a": 1}, "{{a}} 1"),
        ("{{[odd name]}} {{d.[0]}} {{d.[1].[a b]}}", {"odd name": "odd", "d": ["first", {"a b": 2}]}, "odd first 2"),
        ("a {{~x~}} b", {"x": "-"}, "a-b"),
        ("a{{!-- not {{this}} }} --}}b{{! nor this }}c{{~!-- nor --~}} d", {}, "abcd"),
        ("{{#each e}}x{{else}}none{{/each}}", {"e": {}}, "none"),
        # Mustache manual, non-false values: an empty object is one.
        ("{{#o}}shown{{/o}}{{^o}}hidden{{/o}}{{#if o}}!{{/if}}", {"o": {}}, "shown!"),
        ("{{#if (eq a b)}}same{{/if}}{{#if (eq a c)}}never{{/if}}", {"c": "c"}, "same"),
        ("[{{#l.²}}x{{/l.²}}{{l.²}}{{l.9}}]", {"l": [1]}, "[]"),
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


def words_of(block: Any) -> list[str]:
    match block:
        case Heading(text) | Paragraph(text):
            return [text]
        case Pair(label, value):
            return [label, value]
        case Table(head, rows):
            return [*head, *(cell for row in rows for cell in row)]
    raise AssertionError(block)


# Forms that templates of services have; the words are those of the page that Handlebars 4.7.10 makes with `compat`,
# which looks for names outwards as Handlebars.java does, with helpers as above.
@pytest.mark.parametrize(
    ("template", "content", "words"),
    [
        (
            '{{#.}}<h2>Stay</h2><table class="summary-list"><tr><td>Ward</td><td>'
            "{{ optionalValue ward }}</td></tr></table>{{/.}}{{^.}}<p>Nothing kept</p>{{/.}}",
            [],
            "Nothing kept",
        ),
        (
            "{{#.}}<h2>Stay</h2><p>{{ optionalValue ward.name }}</p>{{/.}}",
            {"ward": {"name": "East"}},
            "Stay East",
        ),
        (
            "{{#.}}<p>{{ optionalValue ward.name }}</p>{{/.}}",
            [{"ward": {"name": "East"}}, {"ward": {}}, {"ward": None}, {}],
            "East No Data Held No Data Held No Data Held",
        ),
        (
            "<table><tr><td>Tag</td><td>Papers</td></tr>{{#rows}}<tr><td>{{tag}}</td><td>{{#papers}}"
            "{{.}}{{#unless @last}}, {{/unless}}{{/papers}}{{^papers}}None kept{{/papers}}</td></tr>"
            "{{/rows}}</table>",
            {
                "rows": [
                    {"tag": "a", "papers": ["passport", "licence"]},
                    {"tag": "b", "papers": []},
                    {"tag": "c", "papers": ["card"]},
                ]
            },
            "Tag Papers a passport licence b None kept c card",
        ),
        (
            '{{#if (eq kind "Meal plan") }}{{#value }}<p>{{ optionalValue value }}</p>{{/value}}'
            "{{^value}}<p>Empty</p>{{/value}}{{/if}}",
            {"kind": "Meal plan", "value": "no nuts"},
            "no nuts",
        ),
        (
            '{{#if (eq kind "Meal plan") }}{{#value }}<p>{{ optionalValue value }}</p>{{/value}}'
            "{{^value}}<p>Empty</p>{{/value}}{{/if}}",
            {"kind": "Meal plan", "value": ""},
            "Empty",
        ),
        (
            '<table class="summary-list"><!-- <tr><td>Hidden id</td><td>{{ optionalValue id }}</td>'
            "</tr> --><tr><td>Shown</td><td>{{ optionalValue on }}</td></tr></table>",
            {"id": "x1", "on": "y1"},
            "Shown y1",
        ),
        (
            '{{#more}}{{#each .}}<br><b>{{ @key }}</b>{{#this}}<table class="summary-list">'
            "{{#each .}}<tr><td>{{ @key }}</td><td>{{ optionalValue this }}</td></tr>{{else}}<div>"
            "Nothing in it</div>{{/each}}</table>{{/this}}{{^this}}<p>No such</p>{{/this}}{{/each}}"
            "{{/more}}",
            {"more": {"curfew": {"from": "7pm", "to": ""}, "visits": {}, "none": None}},
            "curfew from 7pm to No Data Held visits Nothing in it none No such",
        ),
        (
            "<table><tr><td>Seen</td>{{#car}}<td>Plate</td>{{/car}}<td></td></tr><tr><td>"
            "{{ optionalValue seen }}</td>{{#car}}<td>{{ optionalValue plate }}</td>{{/car}}<td></td>"
            "</tr></table>",
            {"seen": "yes", "car": {"plate": "AB12"}},
            "Seen Plate yes AB12",
        ),
        (
            "<table><tr><td>Seen</td>{{#car}}<td>Plate</td>{{/car}}<td></td></tr><tr><td>"
            "{{ optionalValue seen }}</td>{{#car}}<td>{{ optionalValue plate }}</td>{{/car}}<td></td>"
            "</tr></table>",
            {"seen": "yes", "car": None},
            "Seen yes",
        ),
        (
            "<table><tr><td>Bank</td><td>Sent</td></tr><tr><td>{{bank}}</td><td>"
            "{{ optionalValue (formatDate sent) }}</td><td>{{ convertBoolean kept }}</td></tr>"
            "</table>",
            {"bank": "One", "sent": "2024-07-31T23:30:00Z", "kept": 1},
            "Bank Sent One 01 August 2024 12 30 00 am Yes",
        ),
        (
            '<h4>Extra notes</H4><table class="summary-list"><tr><td>Reasons</td><td><ul>{{#reasons}}'
            "<li>{{ optionalValue . }}</li>{{/reasons}}</ul>{{^reasons}}None kept{{/reasons}}</td>"
            "</tr></table>",
            {"reasons": ["cold", "late"]},
            "Extra notes Reasons cold late",
        ),
        (
            '<table class="summary-list"><tr><td>Place</td><td>{{#cell}}'
            "{{ getLocationNameByDpsId . }}{{/cell}}{{^cell}}{{ getLocationNameByNomisId old }}{{/cel"
            "l}}</td></tr></table>",
            {"old": 41},
            "Place Hogwarts",
        ),
        (
            "{{#moves}}<h3>Move {{ optionalValue (getIndexPlusOne @index) }}</h3>{{#steps}}<p>"
            "Step {{ optionalValue (getIndexPlusOne @index) }} {{to}}</p>{{/steps}}{{/moves}}",
            {"moves": [{"steps": [{"to": "A"}, {"to": "B"}]}, {"steps": []}, {"steps": [{"to": "C"}]}]},
            "Move 1 Step 1 A Step 2 B Move 2 Move 3 Step 1 C",
        ),
        (
            "<p>{{ optionalValue used }}</p>",
            {"used": ["HOLD", "LIFT"]},
            "HOLD LIFT",
        ),
    ],
)
def test_templates_print_the_words_of_handlebars_in_their_order(template: str, content: Any, words: str) -> None:
    names = Lookups(locations={"41": "Hogwarts"})
    read = json.loads(json.dumps(content), parse_int=Number, parse_float=Number)
    check_template(template)
    shown = [text for block in template_blocks(template, read, names, "") for text in words_of(block)]
    assert re.findall(r"\w+", " ".join(shown)) == words.split()


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
        ("{{a/}}", "not a name"),
        ("x\n{{#formatDate a}}b{{/formatDate}}", "formatDate has no block.* .line 2"),
        ("{{else}}", "else without"),
        ("{{#a}}" * 60 + "{{/a}}" * 60, "nested"),
        ("{{optionalValue " + "(" * 5000 + "a" + ")" * 5000 + "}}", "nested"),
        ("{{optionalValue b 'Not recorded'}}", "optionalValue takes 1 value, not 2 .line 1"),
        ("x\n\n{{formatDate}}", "formatDate takes 1 value, not 0 .line 3"),
        ("{{#each}}x{{/each}}", "each takes 1 value, not 0 .line 1"),
        ("{{#if a}}x{{else if}}y{{/if}}", "if takes 1 value, not 0 .line 1"),
        ("{{#each as |x|}}y{{/each}}", "each takes 1 value, not 0 .line 1"),
        ("{{#eq a}}x{{/eq}}", "eq takes 2 values, not 1 .line 1"),
        ("{{#each a as ||}}x{{/each}}", "no name between the bars: each a as .. .line 1"),
        ("x\n\n<video>", "the tag video .line 3"),
        ("x\n<img src='http://x'>", "inlineAttachmentContent .line 2"),
        ("{{buildDate y m}}", "takes 3"),
        ("{{optionalValue a=1}}", "no named values"),
        ("{{#if a}}{{else}}{{else}}{{/if}}", "else without"),
        ("{{#if a}}{{else if b}}", "not closed"),
        ("{{@nothing}}", "not a name"),
        ("a\n{{a", "line 2"),
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


@pytest.mark.parametrize(
    ("call", "value", "problem"),
    [
        ("optionalString d", True, "optionalString takes a text"),
        ("optionalString d", Number("5"), "optionalString takes a text"),
        ("getIndexPlusOne d", "first", "whole number"),
    ],
)
def test_a_helper_that_cannot_use_a_value_names_the_line(call: str, value: Any, problem: str) -> None:
    with pytest.raises(TemplateError, match=rf"{problem} .line 2"):
        blocks("<p>\n{{" + call + "}}</p>", {"d": value})


# OWASP ASVS 5.0, V2.4; CWE-400: whoever writes a template cannot spend the time of all.
def test_a_template_ends_after_a_million_steps() -> None:
    template = "{{#each l}}" * 6 + "x" + "{{/each}}" * 6
    with pytest.raises(TemplateError, match="1,000,000 steps"):
        blocks(template.replace("each l", "each @root.l"), {"l": list(range(20))})


def test_one_byte_more_is_another_template() -> None:
    assert template_hash("<p>{{a}}</p>") != template_hash("<p>{{a}}</p> ")
    assert template_hash("é") == "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"
