"""`Hub` on AWS Security Hub."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from waybill.scanning.domain.export import HubRefusal
from waybill.scanning.errors import ExportUnavailableError, SecurityHubRefusedError

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef, GetFindingsRequestTypeDef

# AWS Security Hub API reference, BatchImportFindings and GetFindings.
_AT_ONCE = 100
_FOR_NOW = frozenset({"InternalException", "LimitExceededException", "ThrottlingException", "TooManyRequestsException"})


class SecurityHub:
    """Imports findings and reads them; `client` is a boto3 `securityhub` client."""

    def __init__(self, client: "SecurityHubClient") -> None:
        self._client = client

    def import_findings(self, findings: Sequence[Mapping[str, object]]) -> list[HubRefusal]:
        """Import findings, and return which of them are refused; those that are there already are replaced.

        Raises
        ------
        ExportUnavailableError
            Security Hub throttles, fails or cannot be reached.
        SecurityHubRefusedError
            It is not enabled here, or refuses the role.
        """
        refused: list[HubRefusal] = []
        for batch in batched(findings, _AT_ONCE, strict=False):
            with _translated():
                answer = self._client.batch_import_findings(
                    Findings=cast("list[AwsSecurityFindingTypeDef]", list(batch))
                )
            failed = answer.get("FailedFindings", [])
            refused += [HubRefusal(each["Id"], each["ErrorCode"], each["ErrorMessage"]) for each in failed]
        return refused

    def findings(
        self, product: str, prefix: str, token: str | None
    ) -> tuple[Sequence[Mapping[str, object]], str | None]:
        """Return some findings of a product whose ids begin with `prefix`, and the token of the next ones.

        Raises
        ------
        ExportUnavailableError, SecurityHubRefusedError
            As `import_findings`.
        """
        wanted: GetFindingsRequestTypeDef = {
            "Filters": {
                "ProductArn": [{"Value": product, "Comparison": "EQUALS"}],
                "Id": [{"Value": prefix, "Comparison": "PREFIX"}],
            },
            "MaxResults": _AT_ONCE,
        }
        if token:
            wanted["NextToken"] = token
        with _translated():
            answer = self._client.get_findings(**wanted)
        return answer["Findings"], answer.get("NextToken") or None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code"))
        if code in _FOR_NOW:
            raise ExportUnavailableError(f"Security Hub: {code}") from error
        raise SecurityHubRefusedError(f"Security Hub: {code}") from error
    except BotoCoreError as error:
        raise ExportUnavailableError(f"Security Hub: {type(error).__name__}") from error
