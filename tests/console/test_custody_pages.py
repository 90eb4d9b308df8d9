"""What the pages of custody show and send."""

from tests.fakes.console import Console, ExampleApi, Problem


def test_names_are_erased_once_it_was_seen_which(console: Console, api: ExampleApi) -> None:
    """Custody, section 4.4: for good, so the places are shown before, and the second step alone does it."""
    console.sign_in("custody-admin")
    place, reason = {"bucket": "waybill-source", "key": "a<b>.pdf"}, "case 4711"
    assert console.post("custody/erase", place).status == 400
    seen = console.post("custody/erase", {**place, "reason": reason, "step": "look"})
    assert seen.status == 200
    assert "a&lt;b&gt;.pdf" in seen.text
    api.answers["eraseNames"] = {"erased": True, "places": [place, place]}
    gone = console.post("custody/erase", {**place, "reason": reason, "step": "erase"})
    assert gone.headers["Location"].endswith("custody/erase?done=names-erased.2")
    assert [each.body["dryRun"] for each in api.of("eraseNames")] == [True, False]
    api.answers["eraseNames"] = Problem(404)
    assert console.post("custody/erase", {**place, "reason": reason, "step": "erase"}).status == 400
