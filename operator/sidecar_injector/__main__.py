"""`python -m sidecar_injector` is `sidecar-injector`."""

from sidecar_injector.cli import main

main()
