"""`kopf run operator/main.py`, from a checkout: importing the handlers registers them."""

import sidecar_injector.handlers  # noqa: F401
