"""A worker without a server: it does what the file `behaviour` in its folder says, and ends as a server does.

python tiny_worker.py FOLDER NUMBER:LINK:SOCKET…
"""

import os
import select
import signal
import sys
import time
from pathlib import Path

SERVES, HANGS, DIES, BAD_INPUT, KILLED, STUBBORN, LINGERS = (
    "serves",
    "hangs",
    "dies",
    "bad input",
    "killed",
    "stubborn",
    "lingers",
)
CODE = 7
"""With which it dies."""


def main() -> None:
    folder, post = Path(sys.argv[1]), sys.argv[2]
    number, link, *sockets = map(int, post.split(":"))
    behaviour = (folder / "behaviour").read_text()
    if behaviour in {DIES, BAD_INPUT}:
        sys.exit(CODE if behaviour == DIES else 2)
    if behaviour == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    wake, woken = os.pipe()
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGTERM, lambda *_: None)
    if behaviour != HANGS:
        os.write(link, b"0.1\n" if behaviour == STUBBORN else b"30.0\n")
        (folder / f"serves-{number}").touch()
    heard = select.select([wake] if behaviour == STUBBORN else [wake, link], [], [])[0]
    while behaviour == STUBBORN and link not in heard:
        heard = select.select([link], [], [])[0]
    for one in sockets:
        os.close(one)
    while behaviour == LINGERS and not (folder / "enough").exists():
        time.sleep(0.01)


if __name__ == "__main__":
    main()
