"""Environment variables of the function that checks files, besides those of `settings`."""

from typing import Annotated, Literal

from pydantic import Field

from waybill.core.settings import WaybillSettings


class CheckSettings(WaybillSettings):
    """Where the rules are, which engine judges, and what fits on the function's disk."""

    consignment_rules_bucket: str
    consignment_antivirus: Literal["yara", "guardduty"] = "yara"
    consignment_large_file_bytes: Annotated[int, Field(ge=1)] = 3_000_000_000


class InterpreterSettings(WaybillSettings):
    """How Lambda's interpreter finds its own library; Lambda sets it."""

    ld_library_path: str = ""
