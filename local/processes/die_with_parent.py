"""Becomes another program, which ends with its parent.

    python die_with_parent.py PARENT_PID SIGNAL PROGRAM ARGUMENT...

On Linux the kernel sends the signal when the parent dies, however it dies: prctl(2), PR_SET_PDEATHSIG. This is a
program of its own because code between fork and exec is not safe in a process with threads.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, number, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number))
    if os.getppid() != int(parent):  # the parent died before the kernel was asked
        sys.exit(1)
    try:
        os.execv(command[0], command)  # noqa: S606 - the program is the caller's choice
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
