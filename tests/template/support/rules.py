"""Rules over many things of a kind: one test for each rule, which names everything that breaks it."""

import inspect
from collections.abc import Callable, Iterable
from typing import Any

type Rule = Callable[..., None]


def every(names: str | tuple[str, ...], values: Iterable[Any]) -> Callable[[Rule], Rule]:
    """Hold a rule for each of `values`, which it gets by the name or names; the rest of its arguments are fixtures."""
    asked = (names,) if isinstance(names, str) else names
    held = [(value,) if isinstance(names, str) else tuple(value) for value in values]

    def held_for_each(rule: Rule) -> Rule:
        def test(**fixtures: Any) -> None:
            assert held, f"{' and '.join(asked)}: there is nothing that the rule could be about"
            broken = {}
            for value in held:
                try:
                    rule(**fixtures, **dict(zip(asked, value, strict=True)))
                except Exception as fault:  # whatever it is, the others are looked at as well
                    broken[" and ".join(_label(part) for part in value)] = fault
            listed = [f"{name}: {type(fault).__name__}: {fault}" for name, fault in broken.items()]
            assert not broken, f"{len(broken)} of {len(held)} break the rule\n" + "\n".join(listed)

        signature = inspect.signature(rule)
        fixtures = [parameter for name, parameter in signature.parameters.items() if name not in asked]
        test.__name__, test.__doc__, test.__module__ = rule.__name__, rule.__doc__, rule.__module__
        test.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return test

    return held_for_each


def _label(value: Any) -> str:
    return str(getattr(value, "label", value))
