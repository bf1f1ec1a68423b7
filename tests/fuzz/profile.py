"""How long the fuzz tests try: a little in CI, as many examples of each as SIDECAR_INJECTOR_FUZZ says elsewhere."""

import os

from hypothesis import HealthCheck, settings

FUZZ = settings(
    max_examples=int(os.environ.get("SIDECAR_INJECTOR_FUZZ") or 120),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
