"""What the pages of services and their templates show and send."""

from tests.fakes.console import Console, ExampleApi, Problem, example


def test_a_template_is_checked_before_it_is_registered(signed_in: Console, api: ExampleApi) -> None:
    """HTML, "Form submission": line ends are sent as CR LF; the template is what was typed."""
    page = "services/keyworker-api"
    typed = "  <h1>{{ name }}</h1>\r\n<p>żółw</p>\r\n"
    answer = signed_in.post(page, {"template": typed, "what": "check"})
    assert "It is not registered yet" in answer.text
    assert [each.body for each in api.of("validateTemplate")] == [typed.replace("\r\n", "\n")]
    assert api.of("registerTemplate") == []
    api.answers["registerTemplate"] = Problem(400, "The template does not parse: line 1")
    refused = signed_in.post(page, {"template": typed, "what": "register"})
    assert "The template does not parse: line 1" in refused.text
    assert "żółw" in refused.text


def test_a_service_is_added(signed_in: Console, api: ExampleApi) -> None:
    fields = {"what": "add", "name": "gym", "label": "Gym", "url": "https://gym.example.org", "category": "PRISON"}
    assert signed_in.post("services", {**fields, "category": "SCHOOL"}).status == 400
    assert signed_in.post("services", fields).status == 303
    del fields["what"]
    assert [each.body for each in api.of("createService")] == [fields]


def test_a_service_moves_when_two_people_say_so(signed_in: Console, api: ExampleApi) -> None:
    """RFC 6750, section 5.3: where a service is decides where its token goes."""
    page, there = "services/keyworker-api", "https://new.example.org"
    assert "Enter the address" in signed_in.post(page, {"what": "propose"}).text
    assert signed_in.post(page, {"what": "propose", "url": there}).status == 303
    known = {**example("listServices")[0]}
    api.answers["listServices"] = [known]
    kept = {field: known[field] for field in ("name", "label", "enabled", "category", "templateMigrated", "redactions")}
    assert [each.body for each in api.of("changeService")] == [{**kept, "url": there}]
    known |= {"proposedUrl": there, "proposedBy": "somebody else", "proposedAt": "2026-11-02T09:15:00Z"}
    text = signed_in.get(page).text
    assert there in text
    assert "Agree: move it there" in text
    assert signed_in.post(page, {"what": "agree", "address": there}).status == 303
    assert [each.body for each in api.of("moveService")] == [{"url": there, "agreed": True}]
    api.answers["moveService"] = Problem(409, "This address is not proposed, or the service was changed since")
    refused = signed_in.post(page, {"what": "agree", "address": there})
    assert (refused.status, "not proposed" in refused.text) == (409, True)
    known["proposedBy"] = "somebody"
    assert "Agree: move it there" not in signed_in.get(page).text


def test_who_only_reads_services_has_no_buttons(console: Console, api: ExampleApi) -> None:
    console.sign_in("sar-user")
    text = console.get("services").text
    assert "Suspend" not in text
    assert "services/keyworker-api" not in text
    assert console.get("services/keyworker-api").status == 403
