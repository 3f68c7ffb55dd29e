#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""packaging/apt.txt's section [run] has every package whose library the program is linked to: else the image would not start. And the program is
position-independent, and what its loader resolves is read-only."""
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# In every Debian, or what the named packages bring with them.
ALWAYS = {"libc6", "libgcc-s1", "libstdc++6"}


def needed(program):
    out = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    return [line.split("[")[1].rstrip("]") for line in out.splitlines() if "(NEEDED)" in line]


def where(program):
    out = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return {parts[0]: parts[2] for parts in (line.split() for line in out.splitlines()) if len(parts) > 2 and parts[1] == "=>"}


def package(path):
    real = os.path.realpath(path)
    for candidate in (real, real.removeprefix("/usr"), path, path.removeprefix("/usr")):
        out = subprocess.run(["dpkg-query", "-S", candidate], capture_output=True, text=True)
        if out.returncode == 0:
            return out.stdout.split(":")[0]
    sys.exit(f"no package has {path}")


def section(name):
    lines, here = set(), False
    for line in (ROOT / "packaging/apt.txt").read_text().splitlines():
        if line.startswith("["):
            here = line == f"[{name}]"
        elif here and line and not line.startswith("#"):
            lines.add(line)
    return lines


def main():
    if not shutil.which("dpkg-query"):
        print("no dpkg here")
        return 77
    program = os.environ["SEGUE_PROGRAM"]
    paths = where(program)
    wanted = {package(paths[library]) for library in needed(program) if library in paths} - ALWAYS
    missing = wanted - section("run")
    if missing:
        print(f"packaging/apt.txt, [run]: missing {', '.join(sorted(missing))}")
        return 1
    header, dynamic = (subprocess.run(["readelf", flag, program], check=True, capture_output=True, text=True).stdout for flag in ("-hW", "-dW"))
    if "DYN" not in header or "NOW" not in dynamic:
        print("the program is not position-independent, or not linked with -z now")
        return 1
    print(f"deploy: the {len(wanted)} packages that the program is linked to are in packaging/apt.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
