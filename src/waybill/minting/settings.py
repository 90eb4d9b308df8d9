"""Environment variables of the minting functions; each function gets those that its handler reads."""

from typing import Annotated

from pydantic import Field

from waybill.core.settings import WaybillSettings
from waybill.minting.domain.requests import DEFAULT_CAP


class RegistrySettings(WaybillSettings):
    """The identifiers table, how new canonical IDs are drawn, and how many identifiers one request may hold."""

    identifiers_table: str
    check_character: bool = False
    forbidden_words: str = ""
    identifiers_per_request: Annotated[int, Field(ge=1)] = DEFAULT_CAP


class ResolverSettings(WaybillSettings):
    """Where `GET /id/{canonicalId}` leads; empty: nowhere."""

    resolver_template: str = ""


class RunSettings(WaybillSettings):
    """The bucket of documents, requests and results, and how many chunks of a request are minted at a time."""

    documents_bucket: str
    minting_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5


class ResultQueueSettings(WaybillSettings):
    """Where results of queued requests go."""

    minting_result_queue_url: str
