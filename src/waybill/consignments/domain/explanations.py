"""What a verdict means to the person who sent the file, and what to do about it."""

from collections.abc import Mapping
from typing import Any

from waybill.consignments.domain.evidence import remarks
from waybill.consignments.domain.tables import Tables

# Stands in a sentence for what the rule saw.
_DETAIL = "{detail}"


def explanation(verdict: Mapping[str, Any], tables: Tables) -> dict[str, Any]:
    """Return `{statusName, value, rule, detail?, tableVersion?, sentence, action}` for a stored verdict.

    The sentence is that of the rule where it has one, since the rule follows the evidence, else that of the value. A
    value without a sentence of its own, such as a reason that was added to a table, gets the one of its failure.
    """
    name, value, rule = str(verdict["statusName"]), str(verdict["value"]), str(verdict.get("rule", ""))
    keys = (f"{_key(name)}.{rule}", f"{_key(name)}.{_lowered(value)}")
    told = next((found for key in keys if (found := tables.sentences.get(key))), None)
    told = told or tables.sentences[f"{_key(name)}.failed"]
    sentence = told.sentence.replace(_DETAIL, str(verdict.get("detail") or "no detail is known"))
    return {**verdict, "sentence": sentence, "action": told.action}


def explained_remarks(path: str, file_format: Mapping[str, Any], tables: Tables) -> list[dict[str, Any]]:
    """Return `{rule, sentence, action}` for what is to be told of a file whatever its verdicts are."""
    found = []
    for remark in remarks(path, file_format, tables):
        told = tables.sentences[f"ffid.{remark.rule}"]
        sentence = told.sentence.replace(_DETAIL, remark.detail)
        detail = {"detail": remark.detail} if remark.detail else {}
        found.append({"rule": remark.rule, "sentence": sentence, **detail, "action": told.action})
    return found


def _key(name: str) -> str:
    return "ffid" if name == "FFID" else _lowered(name)


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
