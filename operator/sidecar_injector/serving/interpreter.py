"""How Python runs us, so that the event loop never stands still for long: other threads, and the garbage collector."""

import gc
import sys

TURN_SECONDS = 0.0005
"""How long a thread that computes keeps another waiting for its turn; Python's own 5 ms are ten times as much.

The event loop asks for a turn after each system call, so several times in an admission. While a template of 2,000 lines
was judged again and again in a thread, half of the admissions took more than 11 ms and a tenth more than 35 ms; with
this, 1.4 ms and 6 ms. A fifth of it gains no more.
"""


def take_short_turns() -> None:
    """Have threads take turns as short as the event loop needs them."""
    sys.setswitchinterval(TURN_SECONDS)


def settle() -> None:
    """Collect what is garbage, and set everything else apart, as being there to stay.

    A collection stops everything, and takes 0.4 µs for each object that it looks at: 50 ms for the operator without
    any config, 370 ms with 200 configs of 4,500 objects each. Of what was set apart it looks at nothing. So this takes
    2 ms when a config has come since the last time. Nothing is kept alive by it that is used no more: a config has no
    cycles in it (see `templating.program`), so it goes with the last reference to it, set apart or not.

    The thresholds of the collector are Python's own: an admission leaves it so little that others gain less than 1 %.
    """
    gc.collect()
    gc.freeze()
