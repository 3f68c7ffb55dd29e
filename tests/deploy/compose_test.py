#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/docker-compose.yml as far as that can be told without an engine: compose takes it, what it mounts is there once secrets.sh has run, the
program takes the configuration, nothing is published beyond this machine, Prometheus scrapes services that exist."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("SEGUE_PROGRAM") or str(PROJECT / "build/release/segue")
COMPOSE = "docker-compose.yml"


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)


def composers():
    """The compose programs that are here: version 1 is docker-compose, version 2 a plug-in of docker."""
    if shutil.which("docker-compose"):
        yield ["docker-compose"]
    if shutil.which("docker") and run("docker", "compose", "version").returncode == 0:
        yield ["docker", "compose"]


def check_files(deploy, text):
    for source in re.findall(r'[\s"](\./[\w./]+):/', text):
        if not (deploy / source).exists():
            yield f"{source} is mounted and does not exist"
    for port in re.findall(r'ports: \["(.*?)"\]', text):
        if not port.startswith("127.0.0.1:"):
            yield f"{port} is published beyond this machine"
    services = set(re.findall(r"^  (\w+):$", text[text.index("\nservices:"):text.index("\nvolumes:")], re.M))
    scraped = set(re.findall(r'"(\w+):\d+"', (deploy / "prometheus/prometheus.yml").read_text(encoding="utf-8")))
    if not scraped or not scraped <= services:
        yield f"Prometheus scrapes {scraped}, the services are {services}"
    for image in re.findall(r"image: (\S+)", text):
        if image != "${SEGUE_IMAGE:-segue}" and not re.fullmatch(r"\$\{\w+:-[\w/]+:[\w.]*\d[\w.]*\}", image):
            yield f"{image} cannot be replaced, or has no version"


def check_configuration(deploy):
    """The configuration as the containers see it, with the secrets where secrets.sh put them."""
    secrets = deploy / "secrets"
    configuration = (deploy / "segue.yaml").read_text(encoding="utf-8").replace("/run/secrets/", f"{secrets}/")
    path = deploy / "checked.yaml"
    path.write_text(configuration, encoding="utf-8")
    result = run(PROGRAM, "check", "--config", str(path))
    if result.returncode != 0:
        yield f"segue check deploy/segue.yaml: {result.stdout}"
    before = (secrets / "tokens").read_text(encoding="utf-8")
    run("bash", str(deploy / "secrets.sh"))
    if (secrets / "tokens").read_text(encoding="utf-8") != before or (secrets / "token").read_text(encoding="utf-8").strip() in before:
        yield "secrets.sh makes tokens anew, or shows the token to the program"


def main():
    with tempfile.TemporaryDirectory() as folder:
        deploy = pathlib.Path(folder) / "deploy"
        shutil.copytree(PROJECT / "deploy", deploy, ignore=shutil.ignore_patterns("secrets"))
        result = run("bash", str(deploy / "secrets.sh"))
        text = (deploy / COMPOSE).read_text(encoding="utf-8")
        found = [] if result.returncode == 0 else [f"secrets.sh: {result.stdout}"]
        found += list(check_files(deploy, text)) + list(check_configuration(deploy))
        programs = list(composers())
        for program in programs:
            for profile in ([], ["--profile", "grafana"]):
                result = run(*program, "-f", str(deploy / COMPOSE), *profile, "config", "-q", env=os.environ | {"COMPOSE_PROJECT_NAME": "segue"})
                if result.returncode != 0 or result.stdout.strip():
                    found.append(f"{' '.join(program)}: {result.stdout}")
        for path in (deploy / "grafana").rglob("*.json"):
            json.loads(path.read_text(encoding="utf-8"))
    if not programs and not found:
        print("skipped: no compose is installed (package docker-compose); files and configuration are right")
        return 77
    print("\n".join(found) or f"figure: compose file taken by {len(programs)} of 2 versions of compose; no engine ran it")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
