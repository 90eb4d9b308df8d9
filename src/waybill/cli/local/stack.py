"""The application on the embedded AWS: everything that `waybill up` and `waybill down` do."""

import fcntl
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from waybill.cli.account import DEFAULT_REGION
from waybill.cli.adapters.local_clients import local_clients
from waybill.cli.local.answers import http_status
from waybill.cli.local.errors import LocalStackError
from waybill.cli.local.fingerprint import fingerprint
from waybill.cli.local.keys import AUDIENCE, ISSUER, SigningKey
from waybill.cli.local.ministack import MiniStack
from waybill.cli.local.sam import SamCli
from waybill.cli.local.stack_file import StackFile, local_api_url
from waybill.core.aws.faults import AWS_FAULTS
from waybill.core.retry import poll

if TYPE_CHECKING:
    from waybill.core.aws.clients import Clients

_HEALTH_SECONDS = 60.0


class LocalStack:
    """One application on one embedded AWS; several can run beside each other, each with its state and port.

    Parameters
    ----------
    project : Path
        The project's folder, with `template.yaml` and the environments of `scripts/setup`.
    port : int
        Port for the embedded AWS.
    state_dir : Path, optional
        Folder for everything that belongs to this one stack; default `.local` of the project.
    build_dir : Path, optional
        Folder for what `sam build` makes, which stacks of one template may share; default `.aws-sam`.
    template : Path, optional
        Default `template.yaml` of the project. Its `src`, `layers` and `statemachine` folders belong to it.
    stack_name, region : str
        Where the application is deployed to.
    parameters : Mapping[str, str], optional
        More template parameters than those of the local authoriser.
    environment : Mapping[str, str], optional
        More environment variables for the embedded AWS, such as ``SFN_WAIT_SCALE``.
    persistent : bool
        Whether what is stored survives `down` and a crash.
    report : Callable[[str], None], optional
        Is told what happens, one short sentence at a time.
    """

    def __init__(  # noqa: PLR0913 (all but the first by keyword)
        self,
        project: Path,
        *,
        port: int,
        state_dir: Path | None = None,
        build_dir: Path | None = None,
        template: Path | None = None,
        stack_name: str = "waybill",
        region: str = DEFAULT_REGION,
        parameters: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        persistent: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        tools = project / ".local"
        self.state_dir = state_dir or tools
        self.stack_name = stack_name
        self.template = template or project / "template.yaml"
        self.stack_file = self.state_dir / "stack.json"
        self._deployed_file = self.state_dir / "deployed.json"
        self.key_file = self.state_dir / "keys" / "signing-key.pem"
        self._parameters = dict(parameters or {})
        self._report = report
        self.ministack = MiniStack(
            tools / "ministack" / "bin" / "python",
            project / "tools" / "ministack" / "serve.py",
            self.state_dir,
            port=port,
            region=region,
            environment=environment,
            persistent=persistent,
        )
        self.sam = SamCli(
            python=tools / "sam" / "bin" / "python",
            program=project / "tools" / "sam" / "quick.py",
            layer_python=tools / "uv" / "bin" / "python3.13",
            template=self.template,
            build_dir=build_dir or project / ".aws-sam",
            log_file=self.state_dir / "sam.log",
        )

    @property
    def signing_key(self) -> SigningKey:
        """The key pair whose tokens the stack accepts; made on first use, and kept."""
        return SigningKey.load_or_generate(self.key_file)

    @property
    def client(self) -> "Clients":
        """Gives boto3 clients of the embedded AWS, with the rights of the account's root."""
        return local_clients(self.ministack.endpoint, self.ministack.region)

    def up(self) -> StackFile:
        """Start what does not run, build and deploy what changed, and return when the API answers.

        Returns
        -------
        StackFile
            What `stack.json` now holds.

        Raises
        ------
        PortTakenError
            Another program has the port.
        LocalStackError
            The embedded AWS did not start, or the build or the deployment failed.
        """
        with _locked(self.state_dir / "up.lock"):
            started = self._start()
            try:
                if self._deploy(started=started):
                    self._wait_for_api()
            except BaseException:
                if started:
                    self.stack_file.unlink(missing_ok=True)
                    self.ministack.stop()
                raise
        deployed = StackFile.read(self.stack_file)
        if deployed is None:
            raise LocalStackError(f"{self.stack_file} was removed while the stack came up")
        return deployed

    def down(self, *, wipe: bool = False) -> bool:
        """Stop the embedded AWS; True when one ran. With `wipe`, or when it is not persistent, forget what it holds."""
        self.stack_file.unlink(missing_ok=True)
        stopped = self.ministack.stop()
        if wipe or not self.ministack.persistent:
            self._forget()
        return stopped

    def _forget(self) -> None:
        self._deployed_file.unlink(missing_ok=True)
        self.ministack.forget()

    def __enter__(self) -> Self:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def _start(self) -> bool:
        """Start the embedded AWS, with what it has stored; False when it runs already."""
        running_on = self.ministack.recorded_port
        complete = self._deployed_file.exists()
        if running_on == self.ministack.port and complete and self.ministack.healthy():
            return False
        if running_on is not None:
            if running_on == self.ministack.port:
                self._report("the last start did not get to its end: starting again")
            else:
                self._report(f"moving from port {running_on} to {self.ministack.port}")
        self.down(wipe=not complete)
        stored = " with what it has stored" if self._deployed_file.exists() else ""
        self._report(f"starting the embedded AWS on {self.ministack.endpoint}{stored}")
        self.ministack.start()
        return True

    def _deploy(self, *, started: bool) -> bool:
        """Build and deploy when something changed since the last time; True when the API is to be waited for."""
        folder = self.template.parent
        layers = fingerprint([folder / "layers"])
        built = fingerprint([self.template, folder / "src"], layers)
        parameters = {
            "AuthIssuer": ISSUER,
            "AuthAudience": AUDIENCE,
            "Platform": "embedded",
            "Stage": "dev",
            "ScanBuckets": "*",
            "WorkerConcurrency": "10",  # about as many as the machine has processes for
            "ResolverTemplate": "https://example.org/works/{canonicalId}",
            "AuthJwks": self.signing_key.jwks(),
            **self._parameters,
        }
        wanted = fingerprint(
            [folder / "statemachine", folder / "samconfig.toml"],
            built,
            self.stack_name,
            self.ministack.region,
            json.dumps(parameters, sort_keys=True),
        )
        # Without a store, a deployment lasts as long as its process.
        deployed = {"fingerprint": wanted, "pid": None if self.ministack.persistent else self.ministack.pid}
        if _read_json(self._deployed_file) == deployed and (started or StackFile.read(self.stack_file) is not None):
            self._report("nothing changed since the last deployment")
            if started:
                self._write_stack_file()
            return started
        with _locked(self.sam.build_dir / "build.lock"):  # until it is deployed: the next build empties the folder
            self._build(layers, built)
            self._report("deploying" if self._deployed_file.exists() else "deploying for the first time")
            try:
                self.sam.deploy(
                    stack_name=self.stack_name,
                    endpoint=self.ministack.endpoint,
                    region=self.ministack.region,
                    parameters=parameters,
                )
            except LocalStackError as error:
                raise LocalStackError(self._failed_resources() or str(error)) from error
        self._write_stack_file()
        self._deployed_file.write_text(json.dumps(deployed), "utf-8")
        return True

    def _build(self, layers: str, built: str) -> None:
        record_file = self.sam.build_dir / "built.json"
        record = _read_json(record_file)
        if record == {"layers": layers, "all": built} and self.sam.built_template.exists():
            return
        if record.get("layers") != layers:
            self.sam.forget()  # the SAM CLI's cache does not see layers/layer.mk
        record_file.unlink(missing_ok=True)
        self._report("building")
        self.sam.build()
        record_file.write_text(json.dumps({"layers": layers, "all": built}), "utf-8")

    def _write_stack_file(self) -> None:
        cloudformation = self.client("cloudformation")
        try:
            stack = cloudformation.describe_stacks(StackName=self.stack_name)["Stacks"][0]
        except AWS_FAULTS as error:
            raise LocalStackError(
                f"what the embedded AWS has stored holds no stack {self.stack_name}: `waybill down --wipe` forgets it"
            ) from error
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        described = StackFile(
            endpoint=self.ministack.endpoint,
            region=self.ministack.region,
            stack_name=self.stack_name,
            api_url=local_api_url(outputs["ApiUrl"], self.ministack.endpoint) if "ApiUrl" in outputs else "",
            outputs=outputs,
        )
        described.write(self.stack_file)

    def _failed_resources(self) -> str:
        """What CloudFormation says about the resources that failed, empty when it says nothing."""
        try:
            cloudformation = self.client("cloudformation")
            events = cloudformation.describe_stack_events(StackName=self.stack_name)["StackEvents"]
        except AWS_FAULTS:
            return ""
        reasons = {
            event["LogicalResourceId"]: event.get("ResourceStatusReason", "no reason given")
            for event in events
            if event["ResourceStatus"].endswith("_FAILED") and event["LogicalResourceId"] != self.stack_name
        }
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        return told and f"the deployment failed (all of it in {self.sam.log_file}): {told}"

    def _wait_for_api(self) -> None:
        """Return when `GET /health` answers 200, which also warms the API's function up."""
        deployed = StackFile.read(self.stack_file)
        if deployed is None or not deployed.api_url:
            return
        self._report("waiting for the API")
        address = f"{deployed.api_url}/health"
        status, healthy = poll(lambda: http_status(address), lambda status: status == 200, seconds=_HEALTH_SECONDS)
        if not healthy:
            raise LocalStackError(f"GET {address} answers {status or 'nothing'}")


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock between processes; a second one waits."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
