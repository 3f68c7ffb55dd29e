#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy between a Kafka client and one node that knows requests apart, and does to them what networks do at the worst moment.

    proxy.py LISTEN UPSTREAM CONTROL     ports on loopback; CONTROL takes one command a line: "hold EndTxn skip=3 seconds=2 cut=1"

As a library: Proxy(listen, upstream).start() runs it on a thread; rules are added with .rule(...). A rule acts on the requests of one kind that pass
after it was added, leaves the first `skip` of them alone, acts on the next `count`, and is spent then.

    action  what happens to the request                                                         seconds
    hold    it reaches the broker `seconds` later, on the upstream connection that it came on; what follows on that connection waits behind it (TCP).
            cut=True: the client's connection is cut at once, as by a router, and the upstream one stays open until the request is
            delivered; whatever the client sends on its next connection overtakes it
    repeat  it passes, and its bytes are sent again `seconds` later on a new upstream connection; that answer goes nowhere. cut=True: the client's
            connection is cut when it has passed, so that the client does not know whether it arrived
    drop    it passes; the answer is withheld and the client's connection is cut when it comes
    cut     it does not pass; the client's connection is cut
    pretend it does not pass; the client is told that all is well. AddPartitionsToTxn alone: what is written then hangs, as its
            coordinator knows nothing
    delay   as hold with cut=False, for every request until .clear(): count is without limit where it is not given

Not bound to a request: cut_all() ends every connection; black_hole(seconds) lets connections stand, and accepts new ones, but passes nothing in
either direction meanwhile; what came in goes on afterwards. close(): refuses connections until open().

.counts says what was done: requests by kind under "passed", else by action.
"""
import asyncio
import collections
import dataclasses
import struct
import sys
import threading

KINDS = {"Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8, "OffsetFetch": 9, "FindCoordinator": 10, "JoinGroup": 11,
         "Heartbeat": 12, "LeaveGroup": 13, "SyncGroup": 14, "ApiVersions": 18, "InitProducerId": 22, "AddPartitionsToTxn": 24, "AddOffsetsToTxn": 25,
         "EndTxn": 26, "TxnOffsetCommit": 28}
NAMES = {number: name for name, number in KINDS.items()}
ACTIONS = ("hold", "repeat", "drop", "cut", "delay", "pretend")
LARGEST_REQUEST = 100 << 20
UNLIMITED = 1 << 60


def partitions_added(frame):
    """The answer of a coordinator that has added the partitions of an AddPartitionsToTxn request, versions 0 to 2."""
    place = 12

    def take(layout):
        nonlocal place
        values = struct.unpack_from(">" + layout, frame, place)
        place += struct.calcsize(">" + layout)
        return values[0]

    def take_text():
        nonlocal place
        size = max(0, take("h"))
        place += size
        return frame[place - size:place]

    take_text(), take_text(), take("q"), take("h")  # client id, transactional id, producer id, epoch
    answer = b""
    topics = take("i")
    for _ in range(topics):
        name = take_text()
        partitions = [take("i") for _ in range(take("i"))]
        answer += struct.pack(">h", len(name)) + name + struct.pack(">i", len(partitions))
        answer += b"".join(struct.pack(">ih", partition, 0) for partition in partitions)
    answer = frame[8:12] + struct.pack(">ii", 0, topics) + answer
    return struct.pack(">i", len(answer)) + answer


@dataclasses.dataclass
class Rule:
    action: str
    kind: str = "any"
    skip: int = 0
    count: int = 1
    seconds: float = 0.0
    cut: bool = False
    done: int = 0  # on how many requests it has acted
    seen: threading.Event = dataclasses.field(default_factory=threading.Event)  # set once it has acted
    finished: threading.Event = dataclasses.field(default_factory=threading.Event)  # set once a held or repeated request was delivered

    def takes(self, kind):
        if self.kind not in ("any", kind) or self.count <= 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.count -= 1
        self.done += 1
        return True


class Connection:
    """One client's connection and the upstream one that belongs to it."""

    def __init__(self, proxy, reader, writer):
        self.proxy, self.reader, self.writer = proxy, reader, writer
        self.upstream_reader = self.upstream_writer = None
        self.drops = {}  # correlation id -> rule: answers to withhold
        self.lingering = 0  # held requests that still have to be delivered: the upstream connection stays open for them
        self.client_gone = False

    async def run(self):
        try:
            self.upstream_reader, self.upstream_writer = await asyncio.open_connection("127.0.0.1", self.proxy.upstream)
        except OSError:
            self.cut_client()
            return
        answers = asyncio.ensure_future(self.pass_answers())
        try:
            await self.pass_requests()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.cut_client()
            if self.lingering == 0:
                self.upstream_writer.close()
            await asyncio.gather(answers, return_exceptions=True)
            self.upstream_writer.close()

    def cut_client(self):
        self.client_gone = True
        self.writer.transport.abort()

    async def pass_requests(self):
        while True:
            head = await self.reader.readexactly(4)
            size = struct.unpack(">i", head)[0]
            if not 8 <= size <= LARGEST_REQUEST:
                self.proxy.counts["not a request"] += 1
                return
            frame = head + await self.reader.readexactly(size)
            await self.proxy.gate.wait()
            key, _, correlation = struct.unpack(">hhi", frame[4:12])
            if not await self.pass_one(NAMES.get(key, str(key)), correlation, frame):
                return

    async def pass_one(self, kind, correlation, frame):
        """False: the connection is at its end."""
        rule = self.proxy.rule_for(kind)
        if rule is None:
            self.proxy.counts[f"passed {kind}"] += 1
            await self.deliver(frame)
            return True
        self.proxy.count_action(rule, kind)
        if rule.action == "cut":
            rule.finished.set()
            return False
        if rule.action == "pretend":
            self.writer.write(partitions_added(frame))
            await self.writer.drain()
            return True
        if rule.action == "repeat":
            self.proxy.spawn(self.proxy.repeat(rule, frame))
        if rule.action in ("hold", "repeat") and rule.cut:
            self.lingering += 1
            self.proxy.spawn(self.deliver_alone(rule, frame))
            return False
        if rule.action in ("hold", "delay"):
            await asyncio.sleep(rule.seconds)
            await self.deliver(frame)
            rule.finished.set()
            return True
        if rule.action == "drop":
            self.drops[correlation] = rule
        await self.deliver(frame)
        return True

    async def deliver(self, frame):
        self.upstream_writer.write(frame)
        await self.upstream_writer.drain()

    async def deliver_alone(self, rule, frame):
        """To the broker, when the client is gone already."""
        try:
            if rule.action == "hold":
                await asyncio.sleep(rule.seconds)
            await self.deliver(frame)
            # Read by pass_answers, which drops it; a broker answers within this time, and may drop requests of a connection that is closed sooner.
            await asyncio.sleep(0.5)
        except OSError:
            self.proxy.counts["held request lost: the broker had closed"] += 1
        finally:
            self.upstream_writer.close()
            if rule.action == "hold":
                rule.finished.set()

    async def pass_answers(self):
        try:
            while True:
                head = await self.upstream_reader.readexactly(4)
                frame = head + await self.upstream_reader.readexactly(struct.unpack(">i", head)[0])
                await self.proxy.gate.wait()
                rule = self.drops.pop(struct.unpack(">i", frame[4:8])[0], None)
                if rule:
                    self.cut_client()
                    rule.finished.set()
                if not self.client_gone:
                    self.writer.write(frame)
                    await self.writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        if not self.lingering:
            self.cut_client()


class Proxy:
    def __init__(self, listen, upstream, control=None):
        self.listen, self.upstream, self.control = listen, upstream, control
        self.counts = collections.Counter()
        self.rules = []
        self.lock = threading.Lock()  # of rules
        self.connections = set()
        self.tasks = set()
        self.gate = self.loop = self.server = None
        self._ready = threading.Event()
        self._failed = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy", daemon=True)

    # ---- on the proxy's own thread

    async def _serve(self):
        self.loop = asyncio.get_running_loop()
        self.gate = asyncio.Event()
        self.gate.set()
        self.ended = asyncio.Event()
        try:
            await self._open()
            if self.control:
                await asyncio.start_server(self._take_commands, "127.0.0.1", self.control)
        except OSError as error:
            self._failed = error
            return
        finally:
            self._ready.set()
        await self.ended.wait()
        self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _open(self):
        self.server = await asyncio.start_server(self._take_client, "127.0.0.1", self.listen)

    async def _take_client(self, reader, writer):
        self.counts["connections"] += 1
        connection = Connection(self, reader, writer)
        self.connections.add(connection)
        task = asyncio.current_task()
        self.tasks.add(task)
        try:
            await connection.run()
        except asyncio.CancelledError:
            connection.cut_client()
        finally:
            self.connections.discard(connection)
            self.tasks.discard(task)

    def spawn(self, coroutine):
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def rule_for(self, kind):
        with self.lock:
            return next((rule for rule in self.rules if rule.takes(kind)), None)

    def count_action(self, rule, kind):
        self.counts[f"{rule.action} {kind}"] += 1
        rule.seen.set()

    async def repeat(self, rule, frame):
        await asyncio.sleep(rule.seconds)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
            writer.write(frame)
            await writer.drain()
            await asyncio.wait_for(reader.read(1), 5)
            writer.close()
        except (OSError, asyncio.TimeoutError):
            self.counts["repeated request without an answer"] += 1
        rule.finished.set()

    async def _black_hole(self, seconds):
        self.counts["black holes"] += 1
        self.gate.clear()
        await asyncio.sleep(seconds)
        self.gate.set()

    async def _cut_all(self):
        self.counts["cut connections"] += len(self.connections)
        for connection in list(self.connections):
            connection.cut_client()

    async def _close(self):
        self.server.close()
        await self._cut_all()

    async def _end(self):
        self.ended.set()

    # ---- from any thread

    def start(self):
        self._thread.start()
        self._ready.wait()
        if self._failed:
            raise self._failed
        return self

    def stop(self):
        if self._thread.is_alive():
            self._do(self._end())
            self._thread.join(10)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def _do(self, coroutine):
        asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(10)

    def rule(self, action, kind="any", **options):
        """Adds a rule and returns it; its .seen and .finished can be waited for."""
        if action not in ACTIONS or (kind != "any" and kind not in KINDS) or (action == "pretend" and kind != "AddPartitionsToTxn"):
            raise ValueError(f"no such rule: {action} {kind}")
        if action == "delay":
            options.setdefault("count", UNLIMITED)
        rule = Rule(action, kind, **options)
        with self.lock:
            self.rules.append(rule)
        return rule

    def clear(self):
        with self.lock:
            self.rules.clear()

    def cut_all(self):
        self._do(self._cut_all())

    def black_hole(self, seconds):
        asyncio.run_coroutine_threadsafe(self._black_hole(seconds), self.loop)

    def close(self):
        self._do(self._close())

    def open(self):
        self._do(self._open())

    def passed(self, kind):
        return self.counts[f"passed {kind}"]

    # ---- the line protocol

    async def _take_commands(self, reader, writer):
        while line := (await reader.readline()).decode().split():
            try:
                writer.write(f"{await self._command(*line)}\n".encode())
            except (ValueError, TypeError) as error:
                writer.write(f"error: {error}\n".encode())
            await writer.drain()
        writer.close()

    async def _command(self, name, *arguments):
        if name == "counts":
            return " ".join(f"{key.replace(' ', '_')}={value}" for key, value in sorted(self.counts.items()))
        if name == "clear":
            self.clear()
        elif name == "cut_all":
            await self._cut_all()
        elif name == "black_hole":
            self.spawn(self._black_hole(float(arguments[0])))
        elif name == "close":
            await self._close()
        elif name == "open":
            await self._open()
        else:
            types = {"skip": int, "count": int, "seconds": float, "cut": lambda text: text == "1"}
            options = {}
            for one in arguments[1:]:
                key, value = one.split("=", 1)
                options[key] = types[key](value) if key in types else value
            self.rule(name, arguments[0] if arguments else "any", **options)
        return "ok"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    proxy = Proxy(*map(int, sys.argv[1:])).start()
    print(f"proxy: {sys.argv[1]} to {sys.argv[2]}, commands on {sys.argv[3]}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        proxy.stop()
        print(dict(proxy.counts))


if __name__ == "__main__":
    main()
