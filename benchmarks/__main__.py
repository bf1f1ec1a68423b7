"""`python -m benchmarks`, in a checkout."""

import signal
import sys

from benchmarks.cli import main

if __name__ == "__main__":
    # SIGTERM as well; and SIGINT even if a shell that put this in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    sys.exit(main(sys.argv[1:]))
