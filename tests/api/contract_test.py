# SPDX-License-Identifier: Apache-2.0
"""services/api/openapi.json is OpenAPI 3.1, names the routes that there are, and holds for what a running `segue up` answers (schemathesis)."""
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import venv

import http_client
import shop as shops
from segue_program import SKIPPED, expect, figure, main

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
DOCUMENT = PROJECT / "services/api/openapi.json"
ENVIRONMENT = pathlib.Path(os.environ.get("SEGUE_CONTRACT_TOOLS") or PROJECT / "build/api-tools")
TOKEN = "a-token-of-a-test"
SCOPES = ("read", "write", "admin", "erase")


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


def check_scopes(shop, document):
    """Every route asks for a token, and for the one scope that the document names. Gives the number of refusals."""
    def status(method, path, token):
        api = http_client.Api(shop.api.host, shop.api.port, token)
        found = api.request(method.upper(), re.sub(r"{\w+}", "1", path), raw=None if method in ("get", "delete") else b"{}").status
        api.connection.close()
        return found
    for scope in SCOPES:
        status("get", "/v1/status", f"{TOKEN}-{scope}")  # known before wrong ones make new ones wait
    refusals = 0
    for path, item in document["paths"].items():
        for method, operation in item.items():
            scope = re.match(r"Scope `(\w+)`", operation["description"])
            if operation.get("security") == []:
                expect(status(method, path, None) == 200, f"{method} {path} without a token")
                continue
            wanted = {None: 401, "no-such-token-at-all": 401} | {f"{TOKEN}-{other}": 403 for other in SCOPES if other != scope[1]}
            for token, code in wanted.items():
                found = status(method, path, token)
                # Wrong tokens are held back after a while.
                expect(found == code or (code == 401 and token and found == 429), f"{method} {path} with {token}: {found}, not {code}")
            refusals += len(wanted)
            if path != "/v1/transitions":  # has no end
                expect(status(method, path, f"{TOKEN}-{scope[1]}") not in (401, 403, 429), f"{method} {path} with {scope[1]}")
    return refusals


def test(directory):
    binaries = tools()
    if binaries is None:
        print("skipped: the tools of tests/api/requirements.txt cannot be installed here")
        return SKIPPED
    subprocess.run([binaries / "openapi-spec-validator", DOCUMENT], check=True, stdout=subprocess.DEVNULL)
    home = directory / "shop"
    shops.make_log(home, 2, 2_000, 50, 3)
    tokens = directory / "tokens"
    lines = {TOKEN: ",".join(SCOPES)} | {f"{TOKEN}-{scope}": scope for scope in SCOPES}
    tokens.write_text("# by name\n" + "".join(f"{token} {hashlib.sha256(token.encode()).hexdigest()} {scopes}\n" for token, scopes in lines.items()))
    shop = shops.Shop(home, 2, tokens).start(TOKEN)
    shop.wait_until_read()
    document = shop.api.get("/openapi.json").json
    expect(routes_of_code() == routes_of_document(document),
           f"code and openapi.json differ in {sorted(routes_of_code() ^ routes_of_document(document))}")
    refusals = check_scopes(shop, document)
    # Allow also names HEAD, which the document leaves out: api_test.py looks at 405. Many wrong tokens get 429: check_scopes saw 401.
    command = [binaries / "schemathesis", "--config-file", HERE / "schemathesis.toml", "run", DOCUMENT, "--header", f"Authorization: Bearer {TOKEN}",
               "--url", f"http://{shop.api.host}:{shop.api.port}", "--max-examples", "25", "--exclude-path", "/v1/transitions",
               "--exclude-checks", "unsupported_method,ignored_auth", "--phases", "examples,coverage,fuzzing", "--generation-deterministic",
               "--no-color"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=170, check=False, cwd=directory)
    text = result.stdout.decode(errors="replace")
    if result.returncode != 0:
        print(text[-12000:])
    expect(result.returncode == 0, "schemathesis found answers that are not what openapi.json says")
    shop.stop()
    cases = re.search(r"(\d[\d,]*) generated", text)
    figure(f"API contract: {len(routes_of_document(document))} operations, {cases[1] if cases else '?'} generated requests; "
           f"{refusals} refused for want of a token or scope")


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    main(test)
