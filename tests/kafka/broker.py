#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Apache Kafka cluster for tests: KRaft, on loopback, of one node or three.

    broker.py resolve                    fetch the jars (once; needs the network)
    broker.py --dir D start [NODES]      start; prints the addresses. The nodes outlive the command
    broker.py --dir D stop | wipe        stop every node; wipe deletes the folder too
    broker.py --dir D kill9 ID           SIGKILL one node
    broker.py --dir D restart ID         start it again and wait until it serves
    broker.py --dir D pause ID | resume ID   SIGSTOP, SIGCONT
    broker.py run NODES COMMAND ARG...   a cluster of its own for one command, which finds SEGUE_TEST_BROKERS and SEGUE_TEST_BROKER_DIR (for --dir)
    broker.py --dir D topics|groups|transactions|configs|delete-records|log ARG...   Kafka's own tools

As a library: Cluster(folder).start(). Ports and folder belong to one cluster, so many can run side by side.

Every node has two listeners for clients. CLIENT advertises itself. PROXY advertises front_port(id), where a proxy listens: a client that
bootstraps through the proxy is told of no other address, so it stays on the proxy though nothing rewrites the metadata. With secure=True there is a
third, SECURE: SASL_SSL with PLAIN and SCRAM-SHA-512, a certificate of its own (ca_file) and one account.

SEGUE_KAFKA_JARS names a folder of jars that are there already. SEGUE_BROKER_JAVA adds options to the nodes' Java.
"""
import argparse
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
CLUSTER_ID = "c2VndWUtdGVzdC1icm9rZQ"  # any 16 bytes in URL-safe base64
HEAP_MB = 384
# Below the range from which the kernel takes the ports of outgoing connections: a killed node finds its ports free again.
PORTS = range(20000, 32000)
CLIENT, PROXY, CONTROLLER, FRONT, COMMANDS, SECURE = range(6)
PORTS_A_NODE = 6
# The one account of the listener SECURE.
USER, PASSWORD = "shop", "open-sesame"
START_SECONDS = 90  # a node starts in 3 to 6 s on a free machine


class BrokerError(Exception):
    """A node or a tool did not do what was asked; the message holds the end of its log."""


# ---- jars


def jars_folder():
    return pathlib.Path(os.environ.get("SEGUE_KAFKA_JARS") or PROJECT / "build/kafka/jars")


def resolve_jars():
    """Copies the broker's jars into jars_folder() unless they are there: the only step that needs the network."""
    folder = jars_folder()
    if "SEGUE_KAFKA_JARS" in os.environ:
        if not any(folder.glob("kafka_*.jar")):
            raise BrokerError(f"SEGUE_KAFKA_JARS={folder} holds no kafka_*.jar")
        return folder
    mark = folder.parent / "jars.complete"
    wanted = (HERE / "pom.xml").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder.parent / "jars.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
            return folder
        if not shutil.which("mvn"):
            raise BrokerError("Maven (mvn) is not installed: ./dev setup, or let SEGUE_KAFKA_JARS name a folder with the jars of tests/kafka/pom.xml")
        shutil.rmtree(folder)
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies", "-DincludeScope=runtime",
                   f"-DoutputDirectory={folder}"]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if result.returncode != 0:
            raise BrokerError(f"Maven could not fetch the jars of tests/kafka/pom.xml (is a Maven repository in reach?):\n{result.stdout[-2000:]}")
        mark.write_text(wanted, encoding="utf-8")
    return folder


def java(*arguments, options=()):
    # Only C1: the nodes live for seconds, and the tests' two cores are not theirs alone.
    return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", *options, "-cp", f"{jars_folder()}/*", *arguments]


# ---- a cluster


def free_ports(count):
    """`count` ports in a row that nobody listens on."""
    for _ in range(200):
        first = random.SystemRandom().randrange(PORTS.start, PORTS.stop - count)
        sockets = []
        try:
            for port in range(first, first + count):
                one = socket.socket()
                sockets.append(one)
                one.bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for one in sockets:
                one.close()
    raise BrokerError("no free ports")


class Cluster:
    """One cluster in one folder. A second object on the same folder drives the same nodes: ports and process ids are kept in cluster.json."""

    def __init__(self, folder, nodes=1, properties=None, front_ports=None, secure=False, bound_to_parent=True):
        """`properties` are added to every node's server.properties; `front_ports` are the ports that PROXY advertises, node by node.

        bound_to_parent: the nodes die with the thread that started them, so that a test that is killed leaves none behind.
        """
        self.folder = pathlib.Path(folder)
        self.bound_to_parent = bound_to_parent
        self.processes = {}
        self.record = self.folder / "cluster.json"
        if self.record.exists():
            self.state = json.loads(self.record.read_text(encoding="utf-8"))
            return
        first = free_ports(PORTS_A_NODE * nodes)
        fronts = front_ports or [first + PORTS_A_NODE * i + FRONT for i in range(nodes)]
        self.state = {"first": first, "nodes": nodes, "fronts": fronts, "properties": properties or {}, "secure": secure, "pids": {}}

    def ids(self):
        return range(1, self.state["nodes"] + 1)

    def _port(self, node, kind):
        return self.state["first"] + PORTS_A_NODE * (node - 1) + kind

    def port(self, node):
        return self._port(node, CLIENT)

    def proxied_port(self, node):
        """Where a proxy has to connect to."""
        return self._port(node, PROXY)

    def front_port(self, node):
        """Where a proxy has to listen."""
        return self.state["fronts"][node - 1]

    def command_port(self, node):
        """Where a proxy may listen for commands."""
        return self._port(node, COMMANDS)

    @property
    def bootstrap(self):
        return ",".join(f"127.0.0.1:{self.port(node)}" for node in self.ids())

    @property
    def front_bootstrap(self):
        return ",".join(f"127.0.0.1:{self.front_port(node)}" for node in self.ids())

    @property
    def secure_bootstrap(self):
        return ",".join(f"127.0.0.1:{self._port(node, SECURE)}" for node in self.ids())

    @property
    def ca_file(self):
        return self.folder / "ca.pem"

    def node_folder(self, node):
        return self.folder / f"node{node}"

    def _properties(self, node):
        copies = min(3, self.state["nodes"])
        in_sync = 2 if copies == 3 else 1
        properties = {
            "process.roles": "broker,controller",
            "node.id": node,
            "controller.quorum.voters": ",".join(f"{one}@127.0.0.1:{self._port(one, CONTROLLER)}" for one in self.ids()),
            "listeners": f"CLIENT://127.0.0.1:{self.port(node)},PROXY://127.0.0.1:{self.proxied_port(node)},"
                         f"CONTROLLER://127.0.0.1:{self._port(node, CONTROLLER)}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{self.port(node)},PROXY://127.0.0.1:{self.front_port(node)}",
            "inter.broker.listener.name": "CLIENT",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,PROXY:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.node_folder(node) / "log",
            # A test names its topics; a slip of the pen must not make one.
            "auto.create.topics.enable": "false",
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync,
            # Failover within seconds: members, nodes and forgotten transactions are given up soon.
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 2000,
            "broker.session.timeout.ms": 2000,
            "broker.heartbeat.interval.ms": 300,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 500,
            # Small files, and retention that a test can wait for.
            "log.index.size.max.bytes": 1 << 20,
            "log.cleaner.dedupe.buffer.size": 16 << 20,
            "log.initial.task.delay.ms": 500,
            "log.retention.check.interval.ms": 1000,
            "num.network.threads": 2,
            "num.io.threads": 4,
        }
        if self.state["secure"]:
            self._add_secure_listener(properties, node)
        return properties | self.state["properties"]

    def _add_secure_listener(self, properties, node):
        for key, value in (("listeners", f"SECURE://127.0.0.1:{self._port(node, SECURE)}"), ("listener.security.protocol.map", "SECURE:SASL_SSL"),
                           ("advertised.listeners", f"SECURE://127.0.0.1:{self._port(node, SECURE)}")):
            properties[key] += f",{value}"
        name = "listener.name.secure."
        properties |= {
            f"{name}sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            f"{name}plain.sasl.jaas.config": f'org.apache.kafka.common.security.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
            f"{name}scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
            f"{name}ssl.keystore.type": "PEM",
            f"{name}ssl.keystore.location": self.folder / "node.pem",
        }

    def _make_certificate(self):
        """One that signs itself, for all nodes, and good for a day."""
        key = self.folder / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
                   "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(self.ca_file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (self.folder / "node.pem").write_text(key.read_text(encoding="utf-8") + self.ca_file.read_text(encoding="utf-8"), encoding="utf-8")

    def _save(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.record.write_text(json.dumps(self.state), encoding="utf-8")

    # ---- start

    def start(self):
        """Formats what is not formatted, starts what does not run, and returns once every node serves."""
        resolve_jars()
        self._save()
        if self.state["secure"] and not self.ca_file.exists():
            self._make_certificate()
        missing = [node for node in self.ids() if not self.alive(node)]
        formats = []
        for node in missing:
            folder = self.node_folder(node)
            folder.mkdir(parents=True, exist_ok=True)
            lines = [f"{key}={value}\n" for key, value in self._properties(node).items()]
            (folder / "server.properties").write_text("".join(lines), encoding="utf-8")
            if not (folder / "log/meta.properties").exists():
                account = ("--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]") if self.state["secure"] else ()
                command = java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(folder / "server.properties"), *account,
                               options=self._quiet())
                formats.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE))
        for process in formats:
            _, errors = process.communicate(timeout=START_SECONDS)
            if process.returncode != 0:
                raise BrokerError(f"formatting failed: {errors.decode(errors='replace')[-2000:]}")
        for node in missing:
            self._launch(node)
        for node in missing:
            self._wait_until_serving(node)
        return self

    def _launch(self, node):
        folder = self.node_folder(node)
        log = folder / "server.log"
        log.unlink(missing_ok=True)
        options = (f"-Xms{HEAP_MB}m", f"-Xmx{HEAP_MB}m", "-XX:+ExitOnOutOfMemoryError", f"-Dsegue.log={log}",
                   f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", *os.environ.get("SEGUE_BROKER_JAVA", "").split())
        command = java("kafka.Kafka", str(folder / "server.properties"), options=options)
        if self.bound_to_parent:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        with open(folder / "output.log", "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=not self.bound_to_parent)
        self.processes[node] = process
        self.state["pids"][str(node)] = process.pid
        self._save()

    def _wait_until_serving(self, node):
        log = self.node_folder(node) / "server.log"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if log.exists() and "Kafka Server started" in log.read_text(encoding="utf-8", errors="replace"):
                return
            if not self.alive(node):
                raise BrokerError(f"node {node} ended while starting:\n{self.log_end(node)}")
            time.sleep(0.05)
        raise BrokerError(f"node {node} did not serve within {START_SECONDS} s:\n{self.log_end(node)}")

    def log_end(self, node, size=3000):
        texts = [path.read_text(encoding="utf-8", errors="replace")[-size:]
                 for path in (self.node_folder(node) / "output.log", self.node_folder(node) / "server.log") if path.exists()]
        return "\n".join(texts)

    # ---- nodes that run

    def pid(self, node):
        """Of the process that was started last, by whichever command."""
        if self.record.exists():
            self.state = json.loads(self.record.read_text(encoding="utf-8"))
        return self.state["pids"].get(str(node))

    def alive(self, node):
        pid = self.pid(node)
        if node in self.processes and self.processes[node].pid == pid:
            return self.processes[node].poll() is None
        try:  # another command's process: when it is gone, its number may have been given away
            return pid is not None and b"kafka.Kafka" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    def signal(self, node, number):
        if not self.alive(node):
            raise BrokerError(f"node {node} does not run")
        os.kill(self.pid(node), number)

    def pause(self, node):
        self.signal(node, signal.SIGSTOP)

    def resume(self, node):
        self.signal(node, signal.SIGCONT)

    def _wait_until_gone(self, node, seconds):
        deadline = time.monotonic() + seconds
        while self.alive(node) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.alive(node)

    def kill9(self, node):
        self.signal(node, signal.SIGKILL)
        if not self._wait_until_gone(node, 10):
            raise BrokerError(f"node {node} outlived SIGKILL")

    def restart(self, node):
        """Starts a node that does not run, on the data that it left."""
        if self.alive(node):
            raise BrokerError(f"node {node} runs")
        self._launch(node)
        self._wait_until_serving(node)

    def stop(self):
        running = [node for node in self.ids() if self.alive(node)]
        for node in running:
            self.resume(node)
            self.signal(node, signal.SIGTERM)
        for node in running:
            if not self._wait_until_gone(node, 15):
                self.kill9(node)

    def wipe(self):
        """Ends every node without ceremony and deletes the folder."""
        for node in self.ids():
            if self.alive(node):
                self.kill9(node)
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- Kafka's own tools

    @staticmethod
    def _quiet():
        return (f"-Dlog4j2.configurationFile={HERE / 'tool_log4j2.properties'}", "-Xmx256m")

    def tool(self, name, *arguments):
        """Runs a tool and returns what it wrote; `name` is one of TOOLS."""
        bootstrap = () if name == "log" else ("--bootstrap-server", self.bootstrap)
        command = java(TOOLS[name], *bootstrap, *map(str, arguments), options=self._quiet())
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        if result.returncode != 0:
            raise BrokerError(f"{name} {' '.join(map(str, arguments))}: {result.stdout[-1000:]}{result.stderr[-2000:]}")
        return result.stdout


TOOLS = {
    "topics": "org.apache.kafka.tools.TopicCommand",
    "groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "transactions": "org.apache.kafka.tools.TransactionsCommand",
    "configs": "kafka.admin.ConfigCommand",
    "delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "log": "org.apache.kafka.tools.DumpLogSegments",
}


def run_with_cluster(nodes, command):
    with tempfile.TemporaryDirectory(prefix="segue-kafka-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(folder, nodes)
        try:
            cluster.start()
            known = {"SEGUE_TEST_BROKERS": cluster.bootstrap, "SEGUE_TEST_BROKER_DIR": folder}
            return subprocess.run(command, env=os.environ | known, check=False).returncode
        finally:
            cluster.wipe()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=pathlib.Path, default=PROJECT / "build/kafka/cluster")
    parser.add_argument("command", choices=["resolve", "start", "stop", "wipe", "kill9", "restart", "pause", "resume", "run", *TOOLS])
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    rest = arguments.rest
    command = arguments.command
    if command == "resolve":
        print(resolve_jars())
        return
    if command == "run":
        sys.exit(run_with_cluster(int(rest[0]), rest[1:]))
    nodes = int(rest[0]) if command == "start" and rest else 1
    cluster = Cluster(arguments.dir, nodes, bound_to_parent=False)
    if command == "start":
        cluster.start()
        print(f"bootstrap {cluster.bootstrap}")
        print(f"through a proxy {cluster.front_bootstrap}, which has to connect to " + ",".join(str(cluster.proxied_port(n)) for n in cluster.ids()))
    elif command in TOOLS:
        print(cluster.tool(command, *rest), end="")
    elif command in ("stop", "wipe"):
        getattr(cluster, command)()
    else:
        getattr(cluster, command)(int(rest[0]))


if __name__ == "__main__":
    try:
        main()
    except BrokerError as error:
        sys.exit(f"broker: {error}")
