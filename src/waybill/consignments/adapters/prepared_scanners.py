"""The scanners' processes of one function, which are kept from one group to the next."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from waybill.consignments.adapters.scanner_pair import ScannerPair

if TYPE_CHECKING:
    from waybill.consignments.domain.checks.rule_set import RuleSet
    from waybill.consignments.domain.checks.signature_set import SignatureSet


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
        self.process: ScannerPair | None = None
        self.signatures: SignatureSet | None = None
        self._environment = environment
        self._files: list[Path] = []

    def prepare(self, rules: "RuleSet | None", signatures: "SignatureSet | None" = None) -> ScannerPair:
        """Return the process with `rules` and `signatures`, a new one if there was one with others."""
        if self.process is not None and (rules, signatures) == (self.rules, self.signatures):
            return self.process
        self._discard()
        compiled = None if rules is None else rules.write(self.folder)
        file = None if signatures is None else signatures.write(self.folder)
        self._files = [path for path in (compiled, file) if path is not None]
        excluded = rules.excluded if rules else ()
        self.process = ScannerPair(compiled, excluded, self._environment, signatures=file)
        self.rules, self.signatures = rules, signatures
        return self.process

    def _discard(self) -> None:
        """End the process with other rules, and delete what it was started from."""
        if self.process is not None:
            self.process.close()
            self.process = None
        for path in self._files:
            path.unlink(missing_ok=True)
        self._files = []
