"""A setting stands in one class of its package, which others inherit: its default and its limits are in one place."""

import ast
from collections import defaultdict

from scripts.template import PROJECT


def _twice(source: str) -> dict[str, list[str]]:
    found = defaultdict(list)
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign):
                    # One that is needed here and not there is another.
                    found[ast.unparse(field)].append(node.name)
    return {field: classes for field, classes in found.items() if len(classes) > 1}


def test_no_setting_is_written_twice() -> None:
    files = list((PROJECT / "src" / "waybill").glob("*/settings.py"))
    assert len(files) >= 8
    assert {file.parent.name: twice for file in files if (twice := _twice(file.read_text("utf-8")))} == {}


def test_one_that_is_written_twice_is_seen() -> None:
    assert _twice("class A:\n    b: int = 1\nclass C:\n    b: int = 1\n    d: str") == {"b: int = 1": ["A", "C"]}
