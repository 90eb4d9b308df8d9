"""How the console signs people in, and where it keeps sessions."""

from waybill.core.settings import WaybillSettings
from waybill.gateway.settings import ClaimSettings


class ConsoleSettings(ClaimSettings):
    """The table of sessions, where the console is seen, and which claims of a token give roles.

    `console_url` is the address of the console as browsers see it; empty where nothing stands in front of the API.
    `console_handover` lets the local stack's own tokens open a session.
    """

    console_sessions_table: str
    consignment_upload_bucket: str
    console_url: str = ""
    console_handover: bool = False
    console_time_zone: str = "Europe/London"


class ProviderSettings(WaybillSettings):
    """The client that the identity provider knows the console as; with no id there is no sign-in by a provider."""

    console_client_id: str = ""
    console_client_secret_arn: str = ""
    console_scopes: str = "openid profile"
    console_authorize_parameters: str = ""


class PlaceSettings(WaybillSettings):
    """Where this process runs, as Lambda says it; `aws_endpoint_url` is that of the local stack."""

    aws_endpoint_url: str = ""
    aws_region: str = ""

    @property
    def suffix(self) -> str:
        """What the names of the region's endpoints end in (AWS General Reference, "AWS service endpoints")."""
        return "amazonaws.com.cn" if self.aws_region.startswith("cn-") else "amazonaws.com"
