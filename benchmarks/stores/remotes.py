"""Two people and a DVC remote: Anna pushes, Bert pulls into a fresh clone, and nothing runs there."""

from __future__ import annotations

import getpass
import hashlib
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.servers import ROOT, environment, free_port, running, timed

TRIVIUM = (sys.executable, "-m", "trivium.cli.main")
KEYS = {"AWS_ACCESS_KEY_ID": "anna", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}  # of moto
SSHD = "/usr/sbin/sshd"
FOLDERS = ("data", "models", "reports/evaluate", "reports/plots", "reports/figures", "reports/measured", "export")


def folder(scratch: Path) -> dict[str, Any]:
    return _shared(scratch, (str(scratch / "remote"),), {})


def s3(scratch: Path) -> dict[str, Any]:
    if find_spec("dvc_s3") is None:
        sys.exit("This needs DVC's part for S3: .venv/bin/pip install dvc-s3")
    bin, port = environment(scratch / "moto", "moto[server]"), free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(bin / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, url, scratch / "moto.log"):
        bucket = "import boto3; boto3.client('s3', endpoint_url='" + url + "').create_bucket(Bucket='trivium')"
        timed([str(bin / "python"), "-c", bucket], scratch, **KEYS)
        return _shared(scratch, ("s3://trivium/store", url), KEYS)


def ssh(scratch: Path) -> dict[str, Any]:
    """A server of its own on this machine, with keys of its own."""
    if find_spec("dvc_ssh") is None or not Path(SSHD).exists():
        sys.exit("This needs an SSH server (Debian: openssh-server), and DVC's part for it: .venv/bin/pip install "
                 "dvc-ssh")
    port, host, mine = free_port(), scratch / "host_key", scratch / "mine"
    for key in (host, mine):
        timed(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], scratch)
    (scratch / "known").write_text(mine.with_suffix(".pub").read_text())
    Path("/run/sshd").mkdir(exist_ok=True)
    command = [SSHD, "-D", "-e", "-f", "/dev/null", "-h", str(host), "-p", str(port), "-o", "ListenAddress=127.0.0.1",
               "-o", f"AuthorizedKeysFile={scratch / 'known'}", "-o", "StrictModes=no", "-o", "PidFile=none",
               "-o", "Subsystem=sftp internal-sftp"]
    place = f"ssh://{getpass.getuser()}@127.0.0.1:{port}{scratch / 'far'}"
    with running(command, f"tcp://127.0.0.1:{port}", scratch / "sshd.log"):
        return _shared(scratch, (place,), {}, keyfile=str(mine))


def anna(scratch: Path) -> Path:
    """A clone with the outs of this project."""
    if not (ROOT / "reports/measured").is_dir():
        sys.exit("There are no outs here yet: `make repro` makes them.")
    place = scratch / "anna"
    timed(["git", "clone", "--quiet", str(ROOT), str(place)], scratch)
    timed(["dvc", "cache", "dir", "--local", str(ROOT / ".dvc/cache")], place)
    timed(["dvc", "checkout", "--quiet"], place)
    shutil.copytree(ROOT / "reports/measured", place / "reports/measured")
    shutil.copy(ROOT / "reports/report.html", place / "reports/report.html")
    return place


def _shared(scratch: Path, remote: tuple[str, ...], keys: dict[str, str], **more: str) -> dict[str, Any]:
    """remote: its address, and that of the server where it is not the usual one;  more: settings of it."""
    place, bert = anna(scratch), scratch / "bert"
    _point(place, remote, more)
    push, _ = timed([*TRIVIUM, "push"], place, **keys)
    name = ("-c", "user.name=anna", "-c", "user.email=anna@localhost")
    timed(["git", "add", "--all"], place)
    timed(["git", *name, "commit", "--quiet", "--allow-empty", "--message", "all"], place)
    timed(["git", "clone", "--quiet", str(place), str(bert)], scratch)
    _point(bert, remote, more)
    pull, _ = timed([*TRIVIUM, "pull"], bert, **keys)
    repro, said = timed(["dvc", "repro"], bert, **keys)
    return {"push_seconds": push, "pull_seconds": pull, "repro_seconds": repro,
            "stages_run": said.count("Running stage"), "same_bytes": _digest(place) == _digest(bert),
            "report": (bert / "reports/report.html").is_file(), "bytes": _size(scratch / "bert/.dvc/cache")}


def _point(place: Path, remote: tuple[str, ...], more: dict[str, str]) -> None:
    timed(["dvc", "remote", "add", "--local", "--force", "--default", "elsewhere", remote[0]], place)
    for key, value in (*(("endpointurl", server) for server in remote[1:]), *more.items()):
        timed(["dvc", "remote", "modify", "--local", "elsewhere", key, value], place)


def _digest(place: Path) -> str:
    """Of all outs; of what was measured, without the machine's samples of each second."""
    found = hashlib.sha256()
    for path in sorted(path for name in FOLDERS for path in (place / name).rglob("*") if path.is_file()):
        if ".system" not in path.name and "measured" not in path.parts:
            found.update(f"{path.relative_to(place)}\n".encode() + path.read_bytes())
    return found.hexdigest()


def _size(place: Path) -> int:
    return sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
