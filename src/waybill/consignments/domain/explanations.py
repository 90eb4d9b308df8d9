"""What a verdict means to the person who sent the file, and what to do about it."""

from collections.abc import Mapping
from typing import Any

from waybill.consignments.domain.tables import Tables


def explanation(verdict: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """Return `{statusName, value, rule, detail?, tableVersion?, sentence, action}` for a stored verdict.

    The sentence is that of the rule where it has one, since the rule follows the evidence, else that of the value. A
    value without a sentence of its own, such as a reason that was added to a table, gets the one of its failure.
    """
    name, value, rule = str(verdict["statusName"]), str(verdict["value"]), str(verdict.get("rule", ""))
    keys = (f"{_key(name)}.{rule}", f"{_key(name)}.{_lowered(value)}")
    told = next((found for key in keys if (found := tables.sentences.get(key))), None)
    told = told or tables.sentences[f"{_key(name)}.failed"]
    return {**verdict, "sentence": told.sentence, "action": told.action}


def _key(name: str) -> str:
    return "ffid" if name == "FFID" else _lowered(name)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
