"""Every sample event goes to its handler, which has the environment that the template gives it, and AWS on moto."""

import os
from importlib import import_module

import pytest

from tests.fakes.api import LambdaContext
from tests.fakes.functions import functions
from tests.fakes.samples import PROJECT, handler_of, handlers, read, sample_paths, story_of
from tests.fakes.wire import Wire

SAMPLES = list(sample_paths())


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_event_does_what_its_story_tells(wire: Wire, monkeypatch: pytest.MonkeyPatch, sample: str) -> None:
    handler, story = handler_of(sample), story_of(sample)
    assert handler, f"events/{sample}.json has no handler"
    assert story, f"nothing tells what comes of events/{sample}.json"
    module = import_module(handlers()[handler])
    for name, value in functions()[module.__name__].environment.items():
        monkeypatch.setitem(os.environ, name, value)
    story(read(sample), lambda event: module.lambda_handler(event, LambdaContext()), wire)


@pytest.mark.parametrize("handler", sorted(handlers()))
def test_every_handler_has_a_sample_event_and_a_function(handler: str) -> None:
    assert handler in SAMPLES
    assert handlers()[handler] in functions()


def test_sample_events_are_json_files() -> None:
    assert {path.suffix for path in (PROJECT / "events").rglob("*") if path.is_file()} == {".json"}
