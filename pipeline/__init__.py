"""The stages, one file each, in the order of dvc.yaml."""

import sys

if sys.argv[0] == "-m":  # run as a command, not imported: signals are heard before anything heavy is loaded
    from trivium.machine import signals

    signals.heed()
