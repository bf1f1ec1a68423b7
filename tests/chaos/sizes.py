"""How much is done to the operator: `CHAOS_SCALE=3` makes everything three times as large, `0.1` a tenth."""

import os

SCALE = float(os.environ.get("CHAOS_SCALE", "1"))


def _scaled(number: int) -> int:
    return max(1, round(number * SCALE))


PODS = _scaled(1000)
"""Created while replicas are killed."""
EDITS = _scaled(100)
"""Of a config, one after the other."""
ADMISSIONS_ROTATING = _scaled(2000)
"""At least so many while certificates and CAs are replaced."""
ADMISSIONS_MEMORY = _scaled(20_000)
ADMISSIONS_WARMING_UP = _scaled(3000)
CLIENTS = 8
"""Create Pods at the same time."""
