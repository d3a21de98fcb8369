"""Activities as the Bot Framework sends them; see SOURCES.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def payload(name: str, /, **changes: Any) -> dict[str, Any]:
    """Read a payload, with fields replaced; those given as None are left out."""
    read = {**json.loads((FOLDER / f"{name}.json").read_text()), **changes}
    return {key: value for key, value in read.items() if value is not None}
