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


def not_hardened(program):
    """What docs/security.md says of the program (14.1) and readelf does not find."""
    def read(flag):
        return subprocess.run(["readelf", "--wide", flag, program], check=True, capture_output=True, text=True).stdout
    header, dynamic, segments, symbols = read("-h"), read("-d"), read("-l"), read("--dyn-syms")
    checks = {"is not position-independent": "DYN (" in header,
              "does not resolve all symbols at its start (-z now)": "NOW" in dynamic,
              "has no RELRO": "GNU_RELRO" in segments,
              "has an executable stack": "GNU_STACK" in segments and "RWE" not in segments,
              "has no stack protector": "__stack_chk_fail" in symbols,
              "has no calls that check lengths (_FORTIFY_SOURCE)": "__memcpy_chk" in symbols or "__memmove_chk" in symbols}
    return [what for what, right in checks.items() if not right]


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
    soft = not_hardened(program)
    for what in soft:
        print(f"{program}: {what}")
    if soft:
        return 1
    print(f"deploy: the {len(wanted)} packages that the program is linked to are in packaging/apt.txt; it is hardened as docs/security.md says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
