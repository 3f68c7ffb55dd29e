#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Adds up test runs: totals.py RESULTS [FAILED-RUN...] prints "N passed, N failed" and exits with 1 when anything failed.

RESULTS/<run>/ctest.xml is what ctest wrote. Where a GoogleTest program left RESULTS/<run>/cases/<program>.xml, its cases count instead of
the program; a program that failed without a failed case (it crashed) is one failure. A run that failed while none of its tests did
(it did not build) is one failure as well.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def cases_of(path):
    """Passed, failed and skipped cases of one GoogleTest program."""
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None:
            failed += 1
        elif case.get("status") == "run" and case.get("result") == "completed":
            passed += 1
        else:
            skipped += 1
    return passed, failed, skipped


def totals_of(run):
    """Passed, failed and skipped of one ctest run, and the names of what failed."""
    passed = failed = skipped = 0
    names = []
    report = run / "ctest.xml"
    if not report.exists():
        return passed, failed, skipped, names
    for entry in ElementTree.parse(report).getroot().iter("testcase"):
        name = entry.get("name")
        ok = entry.get("status") == "run"
        cases = run / "cases" / f"{name}.xml"
        p, f, s = (int(ok), 0, int(entry.get("status") == "notrun")) if not cases.exists() else cases_of(cases)
        if not ok and f == 0 and entry.get("status") != "notrun":
            f = 1
        if f:
            names.append(f"{run.name}: {name}")
        passed, failed, skipped = passed + p, failed + f, skipped + s
    return passed, failed, skipped, names


def main():
    passed = failed = skipped = 0
    names = []
    for run in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        p, f, s, n = totals_of(run)
        passed, failed, skipped, names = passed + p, failed + f, skipped + s, names + n
    for run in sys.argv[2:]:
        if not any(name.startswith(f"{run}: ") for name in names):
            failed += 1
            names.append(f"{run}: did not run to its end")
    for name in names:
        print(f"failed: {name}")
    if skipped:
        print(f"skipped: {skipped}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
