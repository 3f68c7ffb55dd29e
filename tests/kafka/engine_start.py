# SPDX-License-Identifier: Apache-2.0
"""How tests and measurements start `segue engine`."""
import json
import subprocess


def nested(settings):
    """{"a.b": 1} as {"a": {"b": 1}}."""
    tree = {}
    for path, value in settings.items():
        *folders, name = path.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[name] = value
    return tree


def write_configuration(folder, settings):
    """FOLDER/segue.yaml of settings by path; JSON is YAML."""
    (folder / "segue.yaml").write_text(json.dumps(nested(settings), indent=2), encoding="utf-8")


def start_engine(program, folder, command="engine"):
    """The engine (or another command) of FOLDER/segue.yaml, its log appended to FOLDER/stderr.log. It does not outlive this process."""
    with open(folder / "stderr.log", "ab") as errors:
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", program, command, "--config", str(folder / "segue.yaml")],
                                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors)


def log_of(folder):
    return (folder / "stderr.log").read_text(encoding="utf-8", errors="replace")
