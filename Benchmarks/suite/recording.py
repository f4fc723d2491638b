"""Bodies out of what `plimsoll record` wrote."""

import json
import os


def pieces(path):
    """Each line of a recording, and the bytes that follow it."""
    with open(path, "rb") as file:
        while line := file.readline():
            piece = json.loads(line)
            body = file.read(piece["body"]) if "body" in piece else b""
            if "body" in piece and (len(body) < piece["body"] or file.read(1) != b"\n"):
                return
            yield piece, body


def is_recording(path):
    with open(path, "rb") as file:
        return b'"plimsollRecording":' in file.readline(4096)


def largest_body(path, folder):
    """The largest body of a good answer, as a file: in most cases the list and what came after it."""
    best, format, body, kind = b"", "json", bytearray(), None
    for piece, some in pieces(path):
        if "open" in piece:
            body, kind = bytearray(), None
        elif "head" in piece and piece["head"]["status"] == 200:
            kind = "pb" if "protobuf" in piece["head"]["contentType"] else "json"
        elif kind:
            body += some
            if len(body) > len(best):
                best, format = body, kind
    name = os.path.splitext(os.path.basename(path))[0]
    target = os.path.join(folder, f"{name}.{format}")
    with open(target, "wb") as file:
        file.write(best)
    return target
