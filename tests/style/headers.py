#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header of lib/ and services/ alone (syntax only): each includes what it uses. headers.py [BUILD-FOLDER]."""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# Generated protobuf headers lie in the build folder.
BUILD = sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release"
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{ROOT}", f"-I{BUILD}", f"-I{BUILD}/proto"]


def fault_of(header):
    source = f'#include "{header.relative_to(ROOT)}"\n'
    result = subprocess.run(["g++", *FLAGS, "-x", "c++", "-"], input=source, capture_output=True, text=True, check=False)
    return "" if result.returncode == 0 else f"{header.relative_to(ROOT)} does not compile alone\n{result.stderr[:2000]}"


def main():
    headers = [path for folder in ("lib", "services") for path in sorted((ROOT / folder).rglob("*.h"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for fault in pool.map(fault_of, headers) if fault]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
