"""What is stored survives a crash.

MiniStack saves the state of its services when it is stopped (`PERSIST_STATE`), and objects at once (`S3_PERSIST`). Here
the state is saved every few seconds too, while requests come. An execution that was running when the process ended does
not go on; MiniStack records it as failed.
"""

import logging
import threading
from typing import Any

from ministack import app
from ministack.core import persistence

_SECONDS = 5.0
_LOG = logging.getLogger("snapshots")


def mend() -> None:
    """Save in between."""
    if persistence.PERSIST_STATE:
        _save_in_between()


def _save_in_between() -> None:
    load = app._load_persisted_state
    handle = app.app
    saving, changed = threading.Lock(), threading.Event()
    save_all = persistence.save_all

    def save_alone(services: Any) -> None:
        with saving:
            save_all(services)

    def load_and_save_from_now_on() -> None:
        load()
        threading.Thread(target=save_again, daemon=True, name="snapshots").start()

    def save_again() -> None:
        while True:
            changed.wait()
            threading.Event().wait(_SECONDS)
            changed.clear()
            try:
                save_alone(app._build_persistence_save_dict())
            except Exception:  # a store that changes while it is copied: the next snapshot has it
                _LOG.exception("no snapshot this time")

    async def handle_and_note(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/_ministack/"):
            changed.set()
        await handle(scope, receive, send)

    app._load_persisted_state = load_and_save_from_now_on
    app.save_all = save_alone
    app.app = handle_and_note
