#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The systemd unit: systemd takes it, finds it well closed off, and the program tells when it is ready and when it stops."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SEGUE_PROGRAM") or str(PROJECT / "build/release/segue")
UNITS = sorted((PROJECT / "deploy/systemd").glob("*.service"))
# Of systemd's own scale from 0 (closed) to 10: "OK" begins at 5.
MOST_EXPOSURE = 1.2
WAIT_SECONDS = 60


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def check_units(folder):
    settings = {unit.read_text(encoding="utf-8").split("ExecReload", 1)[1] for unit in UNITS}
    if len(UNITS) != 2 or len(settings) != 1:
        yield "the two units differ in more than what they start"
    for unit in UNITS:
        name = unit.name.replace("@.", "@engine.")
        copy = folder / name
        # The program of this build; and this user, as the unit's own may not be here.
        copy.write_text(unit.read_text(encoding="utf-8").replace("/usr/bin/segue", PROGRAM).replace("=segue\nGroup=segue", "=root\nGroup=root"),
                        encoding="utf-8")
        result = analyze("verify", "--man=no", str(copy))
        if result.returncode != 0 or result.stdout.strip():
            yield f"systemd-analyze verify {unit.name}: {result.stdout}"
        result = analyze("security", "--offline=yes", f"--threshold={round(MOST_EXPOSURE * 10)}", str(unit))
        if result.returncode != 0:
            yield f"systemd-analyze security {unit.name}: {result.stdout}"


def told_by(folder, address):
    """What `segue engine` tells about its start and its end; a broker need not be there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + address[1:] if address.startswith("@") else address)
        listener.settimeout(WAIT_SECONDS)
        configuration = {"instance": "one", "application": "shop", "state": {"directory": str(folder / "state")},
                         "kafka": {"brokers": "127.0.0.1:1"}, "http": {"listen": "127.0.0.1:0"}}
        (folder / "segue.yaml").write_text(json.dumps(configuration), encoding="utf-8")
        with open(folder / "log", "ab") as log:
            process = subprocess.Popen([PROGRAM, "engine", "--config", str(folder / "segue.yaml")], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       env=os.environ | {"NOTIFY_SOCKET": address})
        try:
            told = [listener.recv(100)]
            process.send_signal(signal.SIGTERM)
            told.append(listener.recv(100))
            process.wait(WAIT_SECONDS)
        finally:
            process.kill()
    return told


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        found = []
        for address in (str(folder / "notify"), f"@segue-test-{os.getpid()}"):
            told = told_by(folder, address)
            if told != [b"READY=1", b"STOPPING=1"]:
                found.append(f"{address} was told {told}")
        if shutil.which("systemd-analyze"):
            found += check_units(folder)
        elif not found:
            print("skipped the unit: systemd is not installed; the program's messages are right")
            return 77
    print("\n".join(found) or "ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
