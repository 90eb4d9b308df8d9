"""`Hub` on AWS Security Hub."""

from collections.abc import Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from waybill.scanning.errors import ExportUnavailableError, SecurityHubRefusedError

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

# AWS Security Hub API reference, BatchImportFindings.
_AT_ONCE = 100
_FOR_NOW = frozenset({"InternalException", "LimitExceededException", "ThrottlingException", "TooManyRequestsException"})


class SecurityHub:
    """Imports findings; `client` is a boto3 `securityhub` client."""

    def __init__(self, client: "SecurityHubClient") -> None:
        self._client = client

    def import_findings(self, findings: Sequence[Mapping[str, object]]) -> None:
        """Import findings; those that are there already are replaced.

        Raises
        ------
        ExportUnavailableError
            Security Hub throttles, fails or cannot be reached.
        SecurityHubRefusedError
            It is not enabled here, refuses the role, or refuses a finding.
        """
        for batch in batched(findings, _AT_ONCE, strict=False):
            try:
                answer = self._client.batch_import_findings(
                    Findings=cast("list[AwsSecurityFindingTypeDef]", list(batch))
                )
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code"))
                if code in _FOR_NOW:
                    raise ExportUnavailableError(f"Security Hub: {code}") from error
                raise SecurityHubRefusedError(f"Security Hub: {code}") from error
            except BotoCoreError as error:
                raise ExportUnavailableError(f"Security Hub: {type(error).__name__}") from error
            if answer["FailedCount"]:
                raise SecurityHubRefusedError(f"Security Hub takes {answer['FailedCount']} findings not")
