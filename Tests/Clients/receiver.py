"""A receiver of alerts that checks the published formats strictly. One line of JSON for each request goes
to standard output: path, what is wrong with it ("" when nothing is), and what came.

usage: receiver.py SEED PERCENT_OF_FAILURES [WEBHOOK_SECRET…]

The first line is the port on 127.0.0.1. Failures are answered 500, 503 or 429, or not at all.
"""

import http.server
import json
import random
import re
import sys
import threading

import jsonschema
import standardwebhooks

TEXT = {"type": "string", "minLength": 1}


def closed(properties, required=None):
    return {
        "type": "object", "properties": properties, "additionalProperties": False,
        "required": list(properties) if required is None else required,
    }


def section(limit):
    return closed({"type": {"const": "mrkdwn"}, "text": {**TEXT, "maxLength": limit}})


SLACK = closed({
    "text": TEXT,
    "blocks": {"type": "array", "maxItems": 50, "items": {"oneOf": [
        closed({"type": {"const": "section"}, "text": section(3000)}),
        closed({"type": {"const": "context"}, "elements": {
            "type": "array", "minItems": 1, "maxItems": 10, "items": section(3000)}}),
    ]}},
})

CARD = closed({
    "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
    "type": {"const": "AdaptiveCard"}, "version": {"enum": ["1.0", "1.1", "1.2"]},
    "body": {"type": "array", "items": {"oneOf": [
        closed({
            "type": {"const": "TextBlock"}, "text": TEXT, "wrap": {"type": "boolean"},
            "weight": {"enum": ["default", "lighter", "bolder"]},
            "size": {"enum": ["small", "default", "medium", "large", "extraLarge"]},
            "color": {"enum": ["default", "dark", "light", "accent", "good", "warning",
                               "attention"]},
        }, ["type", "text"]),
        closed({"type": {"const": "FactSet"}, "facts": {
            "type": "array", "items": closed({"title": TEXT, "value": TEXT})}}),
    ]}},
})
TEAMS = closed({
    "type": {"const": "message"},
    "attachments": {"type": "array", "minItems": 1, "maxItems": 1, "items": closed({
        "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
        "contentUrl": {"type": "null"}, "content": CARD,
    })},
})

MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
PAGER = closed({
    "routing_key": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
    "dedup_key": {**TEXT, "maxLength": 255}, "client": TEXT,
    "links": {"type": "array", "items": closed({"href": TEXT, "text": TEXT})},
    "payload": closed({
        "summary": {**TEXT, "maxLength": 1024}, "source": TEXT, "timestamp": MOMENT,
        "severity": {"enum": ["critical", "error", "warning", "info"]}, "component": TEXT,
        "group": TEXT, "class": TEXT, "custom_details": {"type": "object"},
    }, ["summary", "source", "severity"]),
}, ["routing_key", "event_action", "payload"])
PAGER_CHANGE = closed({
    "routing_key": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "payload": closed({
        "summary": {**TEXT, "maxLength": 1024}, "source": TEXT, "timestamp": MOMENT,
        "custom_details": {"type": "object"},
    }, ["summary"]),
})

ALERT = {"type": "object", "required": [
    "id", "fingerprint", "rule", "status", "severity", "summary", "cluster", "node", "previous",
    "current", "added", "removed", "resourceVersion", "observedAt"]}
NOTIFICATION = closed({
    "schemaVersion": {"const": 1}, "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "rule": TEXT, "status": {"enum": ["firing", "resolved"]},
    "severity": {"enum": ["info", "warning", "critical"]}, "cluster": closed({"name": TEXT}),
    "summary": TEXT, "alertCount": {"type": "integer", "minimum": 1},
    "nodeCount": {"type": "integer", "minimum": 0},
    "alerts": {"type": "array", "minItems": 1, "maxItems": 50, "items": ALERT},
})
CLOUD_EVENT = closed({
    "specversion": {"const": "1.0"}, "id": TEXT, "source": {"type": "string", "pattern": "^/"},
    "type": {"type": "string", "pattern": r"^[a-z]+(\.[a-z0-9]+)+$"}, "subject": TEXT,
    "time": MOMENT, "datacontenttype": {"const": "application/json"}, "data": NOTIFICATION,
}, ["specversion", "id", "source", "type"])

FORMS = {
    "/slack": (SLACK, "application/json", 1 << 20),
    "/teams": (TEAMS, "application/json", 28 * 1024),
    "/pager/v2/enqueue": (PAGER, "application/json", 512_000),
    "/pager/v2/change/enqueue": (PAGER_CHANGE, "application/json", 512_000),
    "/webhook": (NOTIFICATION, "application/json", 1 << 20),
    "/signed": (NOTIFICATION, "application/json", 1 << 20),
    "/cloudevents": (CLOUD_EVENT, "application/cloudevents+json; charset=UTF-8", 1 << 20),
}

chance = random.Random(int(sys.argv[1]))
failures = int(sys.argv[2])
secrets = sys.argv[3:]
printing = threading.Lock()


def problem(path, headers, body):
    if path not in FORMS:
        return f"no such path: {path}"
    schema, content_type, limit = FORMS[path]
    if headers.get("Content-Type") != content_type:
        return f"content type {headers.get('Content-Type')}"
    if len(body) > limit:
        return f"{len(body)} bytes"
    if not re.match(r"^plimsoll/\d", headers.get("User-Agent", "")):
        return f"user agent {headers.get('User-Agent')}"
    if path == "/signed":
        for secret in secrets:
            # Whoever knows one of the secrets can tell.
            standardwebhooks.Webhook(secret).verify(body, dict(headers))
        if json.loads(body)["id"] != headers["webhook-id"]:
            return "webhook-id is not the notification's"
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(json.loads(body)))
    return "; ".join(f"{error.json_path}: {error.message[:200]}" for error in errors)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if chance.randrange(100) < failures:
            kind = chance.randrange(4)
            if kind == 3:
                self.close_connection = True
                return
            status = [500, 503, 429][kind]
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            wrong = problem(self.path, self.headers, body)
        except Exception as error:  # What a checker throws is what is wrong.
            wrong = repr(error)
        line = json.dumps({"path": self.path, "wrong": wrong, "body": json.loads(body)})
        with printing:
            print(line, flush=True)
        answer = wrong.encode()
        self.send_response(400 if wrong else 202)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
