"""One grammar for all commands, held for each of them: those that are added later are found by themselves.

Sources: the table of exit statuses (README: 0 done, 1 the work failed, 2 bad usage), clig.dev "Help" and "Errors".
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from waybill.cli import app as program
from waybill.cli.app import main
from waybill.cli.grammar import Group, is_output

# What they do is done to this machine, and looked at by the tests of the local stack.
_OF_THIS_MACHINE = {("up",), ("down",), ("console",), ("doctor",), ("status",), ("sar", "stub")}
# What they read and write is on this machine alone.
# They look into what they are given before they look for a stack.
_PROVING_FIRST = {("rules", "build"), ("rules", "signatures", "update")}
_WITHOUT_A_STACK = {("scan-file",), ("templates", "validate"), ("detectors", "test"), ("sar", "preview"), ("token",)}


def _commands() -> Iterator[tuple[tuple[str, ...], Any]]:
    root: Any = get_command(program.app)
    waiting = [((name,), root.get_command(None, name)) for section in program.SECTIONS.values() for name in section]
    while waiting:
        path, command = waiting.pop()
        yield path, command
        if isinstance(command, Group):
            waiting += [((*path, name), each) for name, each in command.commands.items()]


@cache
def commands() -> dict[tuple[str, ...], Any]:
    """Every command and group, by its words."""
    return dict(sorted(_commands()))


def files(*, written: bool) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every parameter that names a file: what a command reads, or what it writes."""
    for path, command in commands().items():
        for one in command.params:
            declared = _declared(one)
            if declared and "Path" in str(declared.annotation) and is_output(one) == written:
                yield path, one


def _declared(one: Any) -> Any:
    return getattr(one, "type_descriptor", None)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run a command with something for each argument that it needs, in a folder with a space, on no stack."""
    folder = tmp_path / "way bill"
    (folder / "a folder").mkdir(parents=True)
    for name in ("a file", "a folder/a file"):
        (folder / name).write_text("{}", "utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("waybill.cli.context.project_folder", lambda: None)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))

    def run(path: tuple[str, ...], *more: str, without: Any = None, value: str = "") -> tuple[int, str, str]:
        arguments: list[str] = []
        for one in commands()[path].params:
            options = [each for each in one.opts if each.startswith("-")][:1]
            if one is without:
                arguments += [*options, value]
            elif one.required:
                arguments += [*options, _something(one)]
        capsys.readouterr()
        status = main([*path, *arguments, *more])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def _something(one: Any) -> str:
    declared = _declared(one)
    if declared.choices:
        return str(getattr(declared.choices[0], "value", declared.choices[0]))
    if "Path" in str(declared.annotation):
        return "a folder" if not declared.parameter_info.file_okay else "a file"
    return "1" if declared.annotation in {int, float} else "s3://a-bucket/key"


def test_every_command_has_its_page_and_refuses_what_it_does_not_know(
    call: Callable[..., Any], capsys: pytest.CaptureFixture[str], subtests: pytest.Subtests
) -> None:
    for path in commands():
        with subtests.test(" ".join(path)):
            pages = []
            for option in ("-h", "--help"):
                assert main([*path, option]) == 0
                pages.append(capsys.readouterr())
            assert pages[0] == pages[1]
            assert pages[0].out.startswith(f"Usage: waybill {' '.join(path)} ")
            assert pages[0].err == ""
            assert main([*path, "--no-such-option", "--json"]) == 2
            printed = capsys.readouterr()
            told = json.loads(printed.err)["error"]
            assert (told["code"], told["exitStatus"], printed.out) == ("USAGE", 2, "")


def test_a_file_that_is_not_there_or_is_none_is_bad_usage(call: Callable[..., Any], subtests: pytest.Subtests) -> None:
    for path, one in files(written=False):
        declared = _declared(one).parameter_info
        wrong = ["not there"] + ["a folder"] * (not declared.dir_okay) + ["a file"] * (not declared.file_okay)
        for value in wrong:
            with subtests.test(" ".join((*path, one.opts[0], value))):
                status, out, err = call(path, "--json", without=one, value=value)
                told = json.loads(err)["error"]
                assert (status, told["code"], out) == (2, "USAGE", "")
                assert value in told["message"]
                assert "stack" not in told["message"]


def test_what_cannot_be_written_where_it_is_wanted_is_bad_usage(
    call: Callable[..., Any], subtests: pytest.Subtests
) -> None:
    for path, one in files(written=True):
        declared = _declared(one).parameter_info
        wrong = ["no folder/x", "a file/x"]
        wrong += ["a folder"] * (not declared.dir_okay) + ["a file"] * (not declared.file_okay)
        for value in wrong:
            with subtests.test(" ".join((*path, one.opts[0], value))):
                status, out, err = call(path, "--json", without=one, value=value)
                told = json.loads(err)["error"]
                assert (status, told["code"], out) == (2, "USAGE", "")
                assert "stack" not in told["message"]


def test_a_stack_or_a_profile_that_is_not_there_is_named(call: Callable[..., Any], subtests: pytest.Subtests) -> None:
    """What is wrong with an argument may be told first, as bad usage; never is it a fault of the program."""
    for path, command in commands().items():
        if isinstance(command, Group) or path in _OF_THIS_MACHINE | _WITHOUT_A_STACK | _PROVING_FIRST:
            continue
        for option in ("--stack", "--profile"):
            with subtests.test(" ".join((*path, option))):
                status, out, err = call(path, option, "no-such-one", "--json")
                told = json.loads(err)["error"]
                assert (status, told["code"], out) in {
                    (1, "STACK_NOT_FOUND", ""),
                    (2, "USAGE", ""),
                    (2, "INVALID_INPUT", ""),
                }, told
                assert status == 2 or "no-such-one" in told["message"]


@pytest.mark.parametrize(
    ("path", "option", "content", "said"),
    [
        (("services", "put"), "file", b"{", "is not JSON"),
        (("sar", "names"), "file", b"\xff", "no text in UTF-8"),
        (("sar", "names"), "file", b"[" * 100_000, "is not JSON"),
        (("sar", "preview"), "--data", b"no JSON", "is not JSON"),
        (("sar", "preview"), "--names", b"\xff\xfe", "no text in UTF-8"),
        (("detectors", "test"), "file", b"\xff", "cannot be read"),
        (("rules", "build"), "--exclude", b"\xff", "no text in UTF-8"),
    ],
)
def test_a_file_of_another_kind_is_bad_input(
    path: tuple[str, ...],
    option: str,
    content: bytes,
    said: str,
    call: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("wrong").write_bytes(content)
    monkeypatch.setattr("waybill.cli.subject_access.catalogue.Deployed", lambda cli: None)
    (one,) = (one for one in commands()[path].params if option in one.opts)
    status, out, err = call(path, without=one, value="wrong")
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_names_in_errors_command_no_terminal(call: Callable[..., Any]) -> None:
    (one,) = commands()["consign",].params[:1]
    _, _, err = call(("consign",), without=one, value="\x1b[2Jno\u202ewhere")
    assert "\\x1b[2Jno\\u202ewhere" in err
    assert not set("\x1b\u202e") & set(err)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        # https://docs.python.org/3/library/signal.html#note-on-sigpipe: quiet, and 1.
        ("closed pipe", ""),
        ("/dev/full", "waybill: standard output: No space left on device\n"),
    ],
)
def test_a_reader_that_has_gone_and_a_full_disk_end_it_in_order(target: str, said: str) -> None:
    if target == "closed pipe":
        reader, writer = os.pipe()
        os.close(reader)
    else:
        writer = os.open(target, os.O_WRONLY)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "waybill.cli", "-h"],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=100,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (1, said)


def test_what_is_written_by_default_is_ignored_by_git(project: Path) -> None:
    """Personal data stays out of the clone: letters are named by their kinds."""
    from waybill.subject_access.domain.letters import LetterKind

    ignored = (project / ".gitignore").read_text("utf-8").splitlines()
    assert {f"/{kind.value}.pdf" for kind in LetterKind} <= set(ignored)
