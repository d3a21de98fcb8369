"""Limits for tests: the defaults, with some of them changed by name."""

from __future__ import annotations

from typing import Any, get_type_hints

from bot.limits import Limits


def limits_of(**changes: Any) -> Limits:
    """All limits, untouched by any `.env`; each change goes to the section that declares it."""
    kinds = get_type_hints(Limits)
    names = {field for kind in kinds.values() for field in kind.model_fields}
    if unknown := changes.keys() - names:
        raise TypeError(f"no limit is named {sorted(unknown)}")
    return Limits(
        **{
            name: kind(
                _env_file=None, **{f: v for f, v in changes.items() if f in kind.model_fields}
            )
            for name, kind in kinds.items()
        }
    )
