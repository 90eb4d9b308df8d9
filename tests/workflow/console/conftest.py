"""The console of the deployed application, asked over HTTP as a browser asks it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import pytest

from tests.workflow.scanning.conftest import scanner  # noqa: F401 - a fixture
from tests.workflow.subject_access.conftest import Case, case  # noqa: F401 - a fixture
from tests.workflow.support.application import Application
from tests.workflow.support.polling import until

_HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
_TAGS = re.compile(r"<[^>]+>")


class _Stays(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(ProxyHandler({}), _Stays)


@dataclass
class Page:
    """An answer of the console, and where it came from."""

    url: str
    status: int
    text: str
    headers: Mapping[str, str]

    @property
    def words(self) -> str:
        """What somebody reads, in one line."""
        return " ".join(_TAGS.sub(" ", self.text).replace("&#39;", "'").split())


@dataclass
class Visitor:
    """Somebody who is signed in."""

    home: str
    cookie: str = ""
    seen: list[str] = field(default_factory=list)

    def get(self, path: str) -> Page:
        """Ask for a page: of the path below `/console`, or of an address."""
        return self._ask("GET", path if "://" in path else f"{self.home}/{path}".rstrip("/"), None, {})

    def send(self, page: Page, action: str, fields: Mapping[str, Any]) -> Page:
        """Send a form of a page, and follow where it leads."""
        parts = urlsplit(self.home)
        hidden = dict(_HIDDEN.findall(page.text))
        body = urlencode({**{name: hidden[name] for name in ("token", "once", "who")}, **fields}, doseq=True)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": f"{parts.scheme}://{parts.netloc}",
        }
        answer = self._ask("POST", f"{self.home}/{action}", body.encode(), headers)
        return self.get(urljoin(answer.url, answer.headers["Location"])) if answer.status == 303 else answer

    def _ask(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        request = Request(url, body, {**headers, "Cookie": self.cookie}, method=method)
        try:
            with _OPENER.open(request, timeout=60) as answer:
                found = Page(url, answer.status, answer.read().decode(errors="replace"), answer.headers)
        except HTTPError as error:
            found = Page(url, error.code, error.read().decode(errors="replace"), error.headers)
        self.seen.append(found.text)
        return found


@pytest.fixture
def visitor(application: Application) -> Callable[..., Visitor]:
    """Sign somebody in, as `waybill console` does."""
    home = f"{application.api_url}/console"

    def signed_in(subject: str, *roles: str) -> Visitor:
        token = application.stack.signing_key.token(subject=subject, roles=roles, claims={}, expires_in=900)
        made, said = Visitor(home), list[tuple[int, str]]()

        def opened() -> str | None:
            """The cookie of a session; a code whose answer did not come in time is used up."""
            asked = Request(f"{home}/handover", b"", {"Authorization": f"Bearer {token}"}, method="POST")
            with _OPENER.open(asked, timeout=60) as given:
                taken = made.get(f"handover?code={json.load(given)['code']}")
            said.append((taken.status, taken.words[:300]))
            return taken.headers.get("Set-Cookie")

        made.cookie = until(opened, "somebody is signed in", seen=said).partition(";")[0]
        return made

    if _OPENER.open(f"{home}/help", timeout=60).status != 200 or "Local stack" not in Visitor(home).get("help").text:
        pytest.skip("signs in as the local stack alone lets people")
    return signed_in


__all__ = ["Case", "Page", "Visitor"]
