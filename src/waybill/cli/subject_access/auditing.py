"""What `waybill sar audit` says of a trail: by itself, and against the log of custody where there is one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.subject_access.runtime import Deployed

if TYPE_CHECKING:
    from waybill.custody.domain.verifying import SealedTrail
    from waybill.subject_access.domain.audit import ChainBreak, Trail


def audited(cli: Cli, named: str) -> dict[str, Any]:
    """Return the trail of a request, or of a day, as the API tells it, with how it stands to the log (`log`).

    Raises
    ------
    CommandError
        There is no such request, nor anything of it in the log.
    """
    from waybill.subject_access.domain.answers import trail_answer
    from waybill.subject_access.domain.audit import Trail, trail_key
    from waybill.subject_access.domain.refusals import trail_of

    deployed, about = Deployed(cli), trail_of(named)
    # The log grows while it is read: what it has by then is compared with what the table has after.
    sealed = _sealed_trail(cli, trail_key(about))
    found = deployed.store.trail(about)
    is_past = about != named and named < f"{deployed.now().astimezone(UTC):%Y-%m-%d}"
    if found is None and not (sealed and (sealed.hashes or (is_past and sealed.report.holds))):
        raise CommandError(_nothing(is_day=about != named, is_log=sealed is not None))
    trail = found or Trail((), 0, "")
    told = trail_answer(about, trail) | {"log": None}
    return _against(told, trail, sealed, deployed.now()) if sealed else told


def _nothing(*, is_day: bool, is_log: bool) -> str:
    if not is_day:
        return "there is no such request"
    unknown = "" if is_log else ", and custody has sealed nothing here, so nobody can say whether something was"
    return f"nothing is recorded of this day{unknown}"


def _sealed_trail(cli: Cli, trail: str) -> "SealedTrail | None":
    """Return what the log has of a trail; None where custody is not deployed, or has sealed nothing."""
    from waybill.custody import runtime

    if not {"CustodyTableName", "CustodyLogBucketName"} <= cli.stack.outputs.keys():
        return None
    found = runtime.verifier().trail(trail)
    return found if found.report.size else None


def _against(told: dict[str, Any], trail: "Trail", sealed: "SealedTrail", now: datetime) -> dict[str, Any]:
    from waybill.subject_access.domain.audit import against_log

    stands, report = against_log(trail.entries, sealed.hashes, now), sealed.report
    findings = [{"code": one.code, "about": one.about, "index": one.index} for one in report.findings]
    log = {
        "size": report.size,
        "holds": report.holds,
        "findings": findings,
        "sealed": stands.sealed,
        "waiting": stands.waiting,
        "unsealed": list(stands.unsealed),
    }
    broken = told["break"] or _said(stands.broken)
    return told | {"break": broken, "intact": broken is None, "notShown": [], "log": log}


def _said(broken: "ChainBreak | None") -> dict[str, Any] | None:
    return {"number": broken.number, "problem": broken.problem} if broken else None


def holds(told: Mapping[str, Any]) -> bool:
    """Return whether nothing is wrong, nor left out of what could be compared."""
    log = told["log"]
    return told["intact"] and (log is None or (log["holds"] and not log["unsealed"]))


def verdict(told: Mapping[str, Any]) -> list[str]:
    """Return what is to be said below a trail."""
    broken, log, count = told["break"], told["log"], len(told["entries"])
    if broken:
        said = [f"the trail does not hold: entry {broken['number']} {broken['problem']}"]
    else:
        said = [f"{count} entries follow each other, and the request is what they say"]
    if log is None:
        return [*said, f"custody has sealed nothing here, so nobody can say {'; '.join(told['notShown'])}"]
    if not log["holds"]:
        return [*said, "the log itself does not hold: `waybill custody verify` names what is wrong"]
    said.append(f"{log['sealed']} of them are in the log, which has {log['size']:,} entries")
    if log["waiting"]:
        said.append(f"{log['waiting']} are not sealed yet: entries are, every few minutes")
    if log["unsealed"]:
        first, last = log["unsealed"][0], log["unsealed"][-1]
        which = f"entry {first}" if first == last else f"entries {first} to {last}"
        said.append(f"{which} should be in the log and cannot be compared: `waybill custody reconcile`")
    return said
