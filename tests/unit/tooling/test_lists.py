"""Lists that follow from all workflows are written where a line marks them, and nowhere else."""

import pytest

from scripts.generated import Lists, filled
from scripts.template import load_template
from scripts.template_lists import machines

_TEMPLATE = """\
Queues:  # scripts/lists: queues
  - !Ref OldQueue
Statement:
  - Resource:
      # scripts/lists: of no list, in the middle of a comment
      - kept
"""
_PAGE = """\
## Roles

<!-- scripts/lists: roles -->
old
<!-- end -->

More.
"""


def test_in_yaml_a_list_ends_where_the_indentation_does() -> None:
    made = filled(_TEMPLATE, {"queues": lambda: iter(["- !Ref A", "- !Ref B"])})
    assert made == _TEMPLATE.replace("  - !Ref OldQueue\n", "  - !Ref A\n  - !Ref B\n")


def test_in_a_page_a_list_ends_where_it_says() -> None:
    made = filled(_PAGE, {"roles": lambda: iter(["new", "lines"])})
    assert made == _PAGE.replace("old\n", "new\nlines\n")


def test_in_code_a_list_ends_where_it_says() -> None:
    written = "class Role:\n    # scripts/lists: roles\n    OLD = 1\n    # end\n    ADMIN = 2\n"
    assert filled(written, {"roles": lambda: iter(["NEW = 1"])}) == written.replace("OLD", "NEW")


def test_writing_twice_changes_nothing() -> None:
    lists: Lists = {"queues": lambda: iter(["- !Ref A"])}
    once = filled(_TEMPLATE, lists)
    assert filled(once, lists) == once


@pytest.mark.parametrize("lists", [{}, {"queues": lambda: iter([]), "paths": lambda: iter([])}])
def test_a_mark_without_a_list_and_a_list_without_a_mark_are_refused(lists: Lists) -> None:
    with pytest.raises(ValueError, match="marks the lists"):
        filled(_TEMPLATE, lists)


def test_a_list_without_an_end_does_not_swallow_what_stands_behind_it() -> None:
    with pytest.raises(ValueError, match="roles has no line with its end"):
        filled(_PAGE.replace("<!-- end -->\n", ""), {"roles": lambda: iter(["new"])})


def test_express_executions_are_not_listened_for() -> None:
    """They send no events (Step Functions developer guide, "Automating Step Functions event delivery")."""
    listed = list(machines(load_template()))
    assert "- !Ref FileCopyWorkflow" in listed
    assert "- !Ref FileCopyExpressWorkflow" not in listed
