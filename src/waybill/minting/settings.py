"""Environment variables of the minting functions; each function gets those that its handler reads."""

from typing import Annotated

from pydantic import Field

from waybill.core.settings import WaybillSettings
from waybill.minting.domain.requests import DEFAULT_CAP


class RegistrySettings(WaybillSettings):
    """The identifiers table, and how new canonical IDs are drawn."""

    identifiers_table: str
    check_character: bool = False
    forbidden_words: str = ""
    identifier_prefix: str = ""


class RequestSettings(WaybillSettings):
    """How many identifiers one request may hold."""

    identifiers_per_request: Annotated[int, Field(ge=1)] = DEFAULT_CAP


class ResolverSettings(WaybillSettings):
    """Where `GET /id/{canonicalId}` leads; empty: nowhere."""

    resolver_template: str = ""


class DocumentSettings(WaybillSettings):
    """The bucket of documents, requests and results."""

    documents_bucket: str


class MintingWorkflowSettings(WaybillSettings):
    """The minting workflow."""

    id_minter_workflow_arn: str


class RunSettings(WaybillSettings):
    """How many chunks of a request are minted at a time."""

    minting_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5


class ResultQueueSettings(WaybillSettings):
    """Where results of queued requests go."""

    minting_result_queue_url: str
