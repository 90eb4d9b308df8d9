"""Exit status, errors in one line, and the global options, before and after a command's name."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import boto3
import jwt
import pytest
import typer
from moto import mock_aws

from waybill.cli import app as program
from waybill.cli.app import main
from waybill.cli.context import Cli, Options
from waybill.cli.deployment import find_stack
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App
from waybill.cli.local.keys import SigningKey
from waybill.cli.local.stack_file import StackFile
from waybill.core.errors import FieldError, InvalidInputError


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty clone of the project, in which the program runs."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "setup").touch()
    (tmp_path / "layers").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """The program with one more command, `probe`, and a group `things`; holds the options that they got."""
    options: list[Options] = []
    commands, nouns = App(), App()
    things = App(name="things")
    nouns.add_typer(things)

    @commands.command()
    def probe(cli: Cli, fail: Annotated[str, typer.Option("--fail")] = "") -> None:
        options.append(cli.options)
        if fail == "command":
            raise CommandError("it\nfailed")
        if fail == "input":
            raise InvalidInputError(FieldError("sourceKey", "is empty"))
        if fail == "bug":
            raise ZeroDivisionError("by zero")
        if fail == "interrupt":
            raise KeyboardInterrupt
        if fail == "exit":
            raise typer.Exit(1)

    @things.callback(invoke_without_command=True)
    def every(cli: Cli) -> None:
        if cli.invoked_subcommand is None:
            options.append(cli.options)

    @things.command()
    def show(cli: Cli) -> None:
        options.append(cli.options)

    probes = SimpleNamespace(app=commands), SimpleNamespace(app=nouns)
    for name, module in zip(("probe", "things"), probes, strict=True):
        monkeypatch.setitem(sys.modules, f"tests.{name}_commands", module)
    entries = {name: program.Entry(f"tests.{name}_commands", f"for tests: {name}") for name in ("probe", "things")}
    monkeypatch.setitem(program.SECTIONS, "Tests", entries)
    return options


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--stack", "mine", "probe"],
        ["probe", "--json", "--stack", "mine"],
        ["--stack", "mine", "probe", "--json"],
        ["--stack", "theirs", "probe", "--json", "--stack", "mine"],
        ["things", "--json", "--stack", "mine"],
        ["things", "--json", "show", "--stack", "mine"],
    ],
)
def test_global_options_work_everywhere(seen: list[Options], arguments: list[str]) -> None:
    assert main(arguments) == 0
    assert seen == [Options(stack="mine", json=True)]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["probe", "--fail", "command"], 1, "waybill: it failed"),
        (["probe", "--fail", "input"], 2, "waybill: sourceKey: is empty"),
        (["probe", "--fail", "bug"], 1, "waybill: ZeroDivisionError: by zero (with --debug: where)"),
        (["probe", "--unknown"], 2, "waybill: No such option: --unknown. Try `waybill probe --help`."),
        (["xyz"], 2, "waybill: No such command 'xyz'. Try `waybill --help`."),
    ],
)
def test_errors_are_one_line_and_have_their_status(
    seen: list[Options], capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, message: str
) -> None:
    assert main(arguments) == status
    printed = capsys.readouterr()
    assert printed.err == f"{message}\n"
    assert printed.out == ""


def test_debug_adds_the_traceback(seen: list[Options], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--fail", "bug", "--debug"]) == 1
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert printed.splitlines()[-1].startswith("waybill: ZeroDivisionError")


def test_a_command_may_choose_its_status_silently(seen: list[Options], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--fail", "exit"]) == 1
    assert capsys.readouterr() == ("", "")


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    for command in ("up", "down", "status", "token"):
        assert f"  {command} " in printed


def test_token_without_a_stack_says_what_to_run(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token"]) == 1
    assert capsys.readouterr().err == "waybill: no local stack is up: run `waybill up`\n"


def test_token_prints_a_token_that_the_stack_accepts(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StackFile("http://127.0.0.1:1", "eu-west-1", "waybill", "", {}).write(clone / ".local" / "stack.json")
    key = SigningKey.load_or_generate(clone / ".local" / "keys" / "signing-key.pem")

    options = [
        "--role",
        "minting",
        "--role",
        "scanning",
        "--subject",
        "me",
        "--claim",
        "n=1",
        "--expires",
        "60",
    ]
    assert main(["token", *options, "--json"]) == 0

    token = json.loads(capsys.readouterr().out)["token"]
    (public,) = jwt.PyJWKSet.from_dict(json.loads(key.jwks())).keys
    claims = jwt.decode(token, public, algorithms=["ES256"], audience="waybill", issuer="https://waybill.local")
    assert (claims["roles"], claims["sub"], claims["n"]) == (["minting", "scanning"], "me", 1)
    assert claims["exp"] - claims["iat"] == 60


def test_an_unknown_role_is_refused_with_the_nearest_one(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--role", "replicaton"]) == 2
    assert "--role replicaton is no role: did you mean replication?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("waybill toke", ["token"]),
        ("waybill id", ["identifiers", "ids"]),
        ("waybill replications --status F", ["FAILED"]),
        ("waybill replications list --status DIS", ["DISMISSED"]),
        ("waybill consignments list --status Comp", ["Completed", "CompletedWithIssues"]),
        ("waybill findings --detector GITHUB", ["GITHUB_TOKEN"]),
        ("waybill scan-file --min-confidence H", ["HIGH"]),
        ("waybill scan-file --format nd", ["ndjson"]),
        ("waybill findings --format as", ["asff"]),
        # No stack is up, and AWS is not configured: what it knows is completed to nothing, silently.
        ("waybill scans show 0", []),
        ("waybill consignments show 0", []),
        ("waybill backfills show 0", []),
        ("waybill sar show 0", []),
        ("waybill token --role sar-", ["sar-admin", "sar-approver", "sar-support", "sar-user", "sar-worker"]),
        ("waybill token --sta", ["--stack"]),
    ],
)
def test_names_options_and_values_are_completed(
    line: str,
    completed: list[str],
    clone: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("_WAYBILL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    with pytest.raises(SystemExit):
        main([])
    printed = capsys.readouterr()
    assert (printed.out.split(), printed.err) == (completed, "")


@pytest.mark.parametrize("arguments", [["-h"], ["scans"], ["scans", "-h"], ["scans", "show", "-h"], ["--help"]])
def test_help_is_readable_and_a_group_alone_prints_it(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("Usage: waybill")
    assert len(printed.out.splitlines()) > 5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["probe", "--fail", "command"], {"code": "FAILED", "message": "it failed", "exitStatus": 1}),
        (
            ["--json", "scasn"],
            {
                "code": "USAGE",
                "message": "No such command 'scasn'. Did you mean `scan` or `scans`? Try `waybill --help`.",
                "exitStatus": 2,
            },
        ),
    ],
)
def test_with_json_an_error_is_one_json_object(
    seen: list[Options], capsys: pytest.CaptureFixture[str], arguments: list[str], told: dict[str, object]
) -> None:
    assert main([*arguments, *(() if "--json" in arguments else ("--json",))]) == told["exitStatus"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert json.loads(printed.err) == {"error": told}


@pytest.mark.parametrize("name", [name for section in program.SECTIONS.values() for name in section])
def test_every_command_of_the_overview_is_where_it_says(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "-h"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: waybill {name} ")


@pytest.mark.parametrize(
    "command",
    [
        ["consign", "no folder"],
        ["ids", "import", "no file"],
        ["detectors", "put", "no file"],
        ["detectors", "test", "no file"],
        ["mint", "--file", "no file"],
        ["scan-file", "no file"],
        ["scan-file", ".", "--baseline", "no file"],
        ["rules", "build", "no folder"],
        ["custody", "verify", "--file", "no file"],
    ],
)
def test_a_file_that_is_not_there_is_bad_usage_before_a_stack_is_looked_for(
    clone: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The contract: 2 is bad usage; one sentence, without the words of the operating system's interface."""
    assert main(command) == 2
    told = capsys.readouterr().err
    assert "no f" in told
    assert "Errno" not in told
    assert "stack" not in told


def test_the_version_and_the_overview_need_nothing_but_the_grammar(project: Path) -> None:
    loaded = "import sys; from waybill.cli.app import main; main([sys.argv[1]]); print(*sys.modules, file=sys.stderr)"
    for option in ("--version", "-h"):
        done = subprocess.run(
            [sys.executable, "-c", loaded, option], capture_output=True, text=True, check=True, timeout=100
        )
        heavy = {"boto3", "botocore", "pydantic", "rich", "cryptography", "waybill.core.aws"}
        assert not heavy & set(done.stderr.split())


def test_an_interruption_is_one_from_the_first_import_on() -> None:
    # Where the program itself is being imported when Ctrl-C is pressed: 128 + SIGINT (POSIX shells), nothing printed.
    script = """
import sys, importlib.abc
class Interrupting(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "waybill.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from waybill.cli.__main__ import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interrupted_command_has_the_status_of_one(seen: list[Options], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--fail", "interrupt"]) == 130
    assert capsys.readouterr().err == ""


def test_commands_are_sorted_each_with_its_whole_summary(capsys: pytest.CaptureFixture[str]) -> None:
    # clig.dev, "Help": the most that a page can do is to be read.
    for group in ("scans", "sar", "ids", "consignments", "replications", "backfills"):
        assert main([group, "-h"]) == 0
        printed = capsys.readouterr().out.partition("Commands:\n")[2]
        names = [line.split()[0] for line in printed.splitlines() if line[2] != " "]
        assert names == sorted(names)
        assert "..." not in printed
    for section in program.SECTIONS.values():
        assert list(section) == sorted(section)


def test_a_noun_has_a_shorter_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identifiers", "-h"]) == 0
    whole = capsys.readouterr().out
    assert main(["ids", "-h"]) == 0
    assert capsys.readouterr().out == whole.replace("waybill identifiers", "waybill ids")


def test_malformed_claim_is_bad_usage(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StackFile("http://127.0.0.1:1", "eu-west-1", "waybill", "", {}).write(clone / ".local" / "stack.json")
    assert main(["token", "--claim", "nothing"]) == 2
    assert "--claim nothing is not of the form name=value" in capsys.readouterr().err


def test_port_that_is_none_is_bad_usage(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAYBILL_PORT", "http")
    assert main(["up"]) == 2
    assert "WAYBILL_PORT=http is not a port number" in capsys.readouterr().err


def test_down_without_a_stack_is_done(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["down"]) == 0
    assert capsys.readouterr().out == "no local stack was up\n"


def test_local_stack_is_found_unless_another_is_named(clone: Path) -> None:
    StackFile("http://127.0.0.1:1", "eu-west-1", "waybill", "http://x", {"A": "1"}).write(
        clone / ".local" / "stack.json"
    )
    stack = find_stack(clone, None, None)
    assert (stack.endpoint, stack.output("A")) == ("http://127.0.0.1:1", "1")
    with pytest.raises(CommandError, match="no output B"):
        stack.output("B")


@mock_aws
def test_another_name_leads_to_aws(clone: Path) -> None:
    StackFile("http://127.0.0.1:1", "eu-west-1", "waybill", "", {}).write(clone / ".local" / "stack.json")
    with pytest.raises(
        CommandError, match=r"no stack production \(AWS, eu-west-1\): .*the local stack is called waybill"
    ):
        find_stack(clone, "production", None)


@mock_aws
def test_stack_on_aws_is_found_by_its_name(clone: Path) -> None:
    boto3.client("cloudformation").create_stack(
        StackName="production",
        TemplateBody=json.dumps(
            {
                "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
                "Outputs": {"ApiUrl": {"Value": "https://abc.execute-api.eu-west-1.amazonaws.com/v1/"}},
            }
        ),
    )
    stack = find_stack(clone, "production", None)
    assert stack.endpoint is None
    assert stack.api_url == "https://abc.execute-api.eu-west-1.amazonaws.com/v1"
    assert stack.region == "eu-west-1"


def test_identifiers_is_another_word_for_ids(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["identifiers", "-h"]) == 0
    assert "waybill ids" in capsys.readouterr().out.replace("identifiers", "ids", 1)
