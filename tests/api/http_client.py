# SPDX-License-Identifier: Apache-2.0
"""Requests to a running API, with what a test wants to know of the answers."""
import http.client
import json
import urllib.parse


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Api:
    def __init__(self, host, port, token=None):
        self.host, self.port, self.token = host, port, token
        self.connection = None

    def request(self, method, path, body=None, headers=None, raw=None):
        headers = dict(headers or {})
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            raw = json.dumps(body, ensure_ascii=False).encode()
        if raw is not None:
            headers.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
                self.connection.request(method, path, raw, headers)
                response = self.connection.getresponse()
                return Answer(response.status, dict(response.getheaders()), response.read())
            except (ConnectionError, http.client.HTTPException):
                # An idle connection that the server closed.
                self.connection = None
                if attempt == 2:
                    raise

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body, **options)


def quoted(text):
    return urllib.parse.quote(text, safe="")


class Events:
    """Server-Sent Events of one connection: (id, name, data) one after the other."""

    def __init__(self, api, path, last_id=None, timeout=20):
        self.connection = http.client.HTTPConnection(api.host, api.port, timeout=timeout)
        headers = {"Last-Event-ID": last_id} if last_id else {}
        if api.token:
            headers["Authorization"] = f"Bearer {api.token}"
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self.last_id = last_id

    def __iter__(self):
        event, data = None, []
        while True:
            line = self.response.readline()
            if not line:
                return
            line = line.decode().rstrip("\r\n")
            if not line:
                if data:
                    yield self.last_id, event, "\n".join(data)
                else:
                    yield self.last_id, None, None
                event, data = None, []
            name, _, value = line.partition(": ")
            if name == "id":
                self.last_id = value
            elif name == "event":
                event = value
            elif name == "data":
                data.append(value)

    def take(self, count):
        """The next `count` events with data."""
        events = []
        for one in self:
            if one[1] is not None:
                events.append(one)
                if len(events) == count:
                    break
        return events

    def close(self):
        self.connection.close()
