# SPDX-License-Identifier: Apache-2.0
"""services/api/openapi.json is OpenAPI 3.1, names the routes that there are, and holds for what a running `segue up` answers (schemathesis)."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import venv

import shop as shops
from segue_program import SKIPPED, expect, figure, main

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
DOCUMENT = PROJECT / "services/api/openapi.json"
ENVIRONMENT = pathlib.Path(os.environ.get("SEGUE_CONTRACT_TOOLS") or PROJECT / "build/api-tools")
TOKEN = "a-token-of-a-test"


def tools():
    """The virtual environment with what requirements.txt names; made once. Empty where it cannot be had."""
    wanted = (HERE / "requirements.txt").read_text(encoding="utf-8")
    mark = ENVIRONMENT / "installed.txt"
    if not mark.exists() or mark.read_text(encoding="utf-8") != wanted:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        command = [ENVIRONMENT / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", HERE / "requirements.txt"]
        if subprocess.run(command, check=False).returncode != 0:
            return None
        mark.write_text(wanted, encoding="utf-8")
    return ENVIRONMENT / "bin"


def routes_of_code():
    """What the router is given, as METHOD path."""
    found = set()
    for source in (PROJECT / "services/api").glob("*.cpp"):
        found |= {f"{method} {path}" for method, path in re.findall(r'router\.add\(\s*"([A-Z]+)", "([^"]+)"', source.read_text(encoding="utf-8"))}
    return found


def routes_of_document(document):
    methods = ("get", "put", "post", "delete", "patch")
    return {f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item if method in methods}


def test(directory):
    binaries = tools()
    if binaries is None:
        print("skipped: the tools of tests/api/requirements.txt cannot be installed here")
        return SKIPPED
    subprocess.run([binaries / "openapi-spec-validator", DOCUMENT], check=True, stdout=subprocess.DEVNULL)
    home = directory / "shop"
    shops.make_log(home, 2, 2_000, 50, 3)
    tokens = directory / "tokens"
    tokens.write_text(f"# all scopes\ntest {hashlib.sha256(TOKEN.encode()).hexdigest()} read,write,admin,erase\n", encoding="utf-8")
    shop = shops.Shop(home, 2, tokens).start(TOKEN)
    shop.wait_until_read()
    document = shop.api.get("/openapi.json").json
    expect(routes_of_code() == routes_of_document(document),
           f"code and openapi.json differ in {sorted(routes_of_code() ^ routes_of_document(document))}")
    # Allow also names HEAD, which the document leaves out; api_test.py looks at 405.
    command = [binaries / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", DOCUMENT, "--header", f"Authorization: Bearer {TOKEN}",
               "--url", f"http://{shop.api.host}:{shop.api.port}", "--max-examples", "25", "--exclude-path", "/v1/transitions",
               "--exclude-checks", "unsupported_method", "--phases", "examples,coverage,fuzzing", "--generation-deterministic", "--no-color"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=170, check=False, cwd=directory)
    text = result.stdout.decode(errors="replace")
    if result.returncode != 0:
        print(text[-12000:])
    expect(result.returncode == 0, "schemathesis found answers that are not what openapi.json says")
    shop.stop()
    cases = re.search(r"(\d[\d,]*) generated", text)
    figure(f"API contract: {len(routes_of_document(document))} operations, {cases[1] if cases else '?'} generated requests")


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main(test)
