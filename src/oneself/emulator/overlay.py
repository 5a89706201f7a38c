"""Lays a persona's odd answers over what a provider would say, by dotted path."""

import copy
from typing import Any

from oneself.emulator.personas import Persona

_OMIT = {"$omit": True}


def overlay(persona: Persona, provider: str, document: str, body: Any) -> Any:
    """Give `body` with the persona's `answers` for this document put in; `body` stays as it was.

    A path that leads through something that is neither object nor list changes nothing.
    """
    changes = persona.answers.get(provider, {}).get(document, {})
    if not changes:
        return body
    changed = copy.deepcopy(body)
    for path, value in changes.items():
        if path == "":
            changed = copy.deepcopy(value)
        else:
            _put(changed, path.split("."), value)
    return changed


def _put(inside: Any, steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        if isinstance(inside, dict):
            inside = inside.setdefault(step, {})
        elif isinstance(inside, list) and step.isdigit() and int(step) < len(inside):
            inside = inside[int(step)]
        else:
            return
    last = steps[-1]
    if isinstance(inside, dict):
        if value == _OMIT:
            inside.pop(last, None)
        else:
            inside[last] = value
    elif isinstance(inside, list) and last.isdigit() and int(last) < len(inside):
        if value == _OMIT:
            del inside[int(last)]
        else:
            inside[int(last)] = value
