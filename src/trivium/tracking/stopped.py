"""The runs that a sync was writing when it was killed, taken out of the local store at once, and without MLflow, whose
import takes longer than somebody who has pressed Ctrl-C waits. A server is told by the next sync.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from trivium.tracking import server, store

HALF = """SELECT run_uuid FROM runs WHERE lifecycle_stage = 'active' AND run_uuid IN (
    SELECT r.run_uuid FROM runs r JOIN tags t USING (run_uuid)
    WHERE r.status = 'RUNNING' AND t.key = 'fingerprint' AND t.value != ''
    UNION SELECT c.run_uuid FROM tags c JOIN runs r ON r.run_uuid = c.value JOIN tags t ON t.run_uuid = r.run_uuid
    WHERE c.key = 'mlflow.parentRunId' AND r.status = 'RUNNING' AND t.key = 'fingerprint' AND t.value != '')"""


def remove(root: Path) -> int:
    """How many runs were half-written; with their seeds and models they are deleted, as MLflow deletes."""
    path = store.database(root)
    if server.address() is not None or not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path, timeout=1.0)) as connection, connection:
            found = connection.execute(HALF).fetchall()
            for (run,) in found:
                connection.execute("UPDATE runs SET status = CASE status WHEN 'RUNNING' THEN 'KILLED' ELSE status END, "
                                   "lifecycle_stage = 'deleted', deleted_time = ? WHERE run_uuid = ?",
                                   (int(1000 * time.time()), run))
                connection.execute("UPDATE logged_models SET lifecycle_stage = 'deleted' WHERE source_run_id = ?",
                                   (run,))
    except sqlite3.Error:  # no table yet, or another process that writes: the next sync does it
        return 0
    for (run,) in found:
        shutil.rmtree(store.artifacts(root) / run, ignore_errors=True)
    return len(found)
