"""The scanners' process of one function, which is kept from one group to the next."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from waybill.consignments.domain.checks.scanner_process import ScannerProcess

if TYPE_CHECKING:
    from waybill.consignments.domain.checks.rule_set import RuleSet


class PreparedScanners:
    """A process with the rules that are in use when a group begins.

    Parameters
    ----------
    folder : Path
        Where compiled rules go, and copies of files.
    environment : Mapping[str, str]
        The variables of the process: nothing that is secret.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.rules: RuleSet | None = None
        self.process: ScannerProcess | None = None
        self._environment = environment

    def prepare(self, rules: "RuleSet | None") -> ScannerProcess:
        """Return the process with `rules`, a new one if there was one with others."""
        if self.process is not None and rules == self.rules:
            return self.process
        if self.process is not None:
            self.process.close()
        compiled = None
        if rules is not None:
            compiled = self.folder / "rules.yarc"
            compiled.write_bytes(rules.compiled)
        self.process = ScannerProcess(compiled, rules.excluded if rules else (), self._environment)
        self.rules = rules
        return self.process
