"""Several server processes on one port: a parent that starts them, keeps them alive and replaces them one after another.

The parent opens the port and answers nothing itself. Its workers accept from the same listening sockets, so callers wait in
the system's queue while a worker starts, and nobody is refused while one is replaced.

Parent and worker hold the two ends of a socket pair. The worker writes one line into it when it serves: the seconds it may need to
stop. Its end tells the parent that the worker is gone, and the worker that it is alone, even after a `kill -9`.

`record` says when a worker that ended is started again, `values` where the metrics of all are kept.
"""
