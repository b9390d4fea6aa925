"""A decoder that dies, as one written in C can."""

import os


def work(task):
    """The length of each value, but "crash" ends the process."""
    results = []
    for value, _, _ in task[3]:
        if value == "crash":
            os._exit(139)
        results.append({"characters": len(value)})
    return results
