"""Where the command `trivium` begins: Ctrl-C ends it in silence while its modules are still loaded, for which Python
alone would print a traceback. `main` then hears it and tidies up.
"""

from __future__ import annotations

import signal


def main() -> None:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where it is ignored (`nohup`)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from trivium.cli.main import main as begin

    begin()
