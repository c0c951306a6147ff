"""Requests by botocore's own serializer, sent over plain HTTP; answers as bytes and frames."""

from __future__ import annotations

import json
import os
import socket
import struct
import urllib.parse
import zlib
from dataclasses import dataclass, field
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.loaders
import botocore.model
import botocore.serialize

ENDPOINT = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"])
_SECRET = os.environ["AWS_SECRET_ACCESS_KEY"]


def service(name: str) -> botocore.model.ServiceModel:
    """The service model in the installed botocore."""
    loaded = botocore.loaders.Loader().load_service_model(name, "service-2")
    return botocore.model.ServiceModel(loaded, service_name=name)


@dataclass
class Answer:
    """An HTTP answer. Header names are in lower case in `headers`, as sent in `head`."""

    status: int
    head: bytes
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.body)


def call(operation: botocore.model.OperationModel, params: dict[str, Any], **headers: str) -> Answer:
    """Makes a request of the operation as botocore would, with more headers."""
    serializer = botocore.serialize.create_serializer("rest-json")
    request = serializer.serialize_to_request(params, operation)
    query = urllib.parse.urlencode(request["query_string"])
    path = request["url_path"] + (f"?{query}" if query else "")
    asked = {name.replace("_", "-"): value for name, value in headers.items()}
    return send(request["method"], path, request["body"], {**request["headers"], **asked})


def send(
    method: str,
    path: str,
    body: bytes | str | dict[str, Any],
    headers: dict[str, str] | None = None,
    *,
    signed: bool = True,
    secret: str = _SECRET,
) -> Answer:
    """Sends a request of these very bytes on a connection of its own, and reads to its end."""
    if isinstance(body, dict):
        body = json.dumps(body) if body else b""
    if isinstance(body, str):
        body = body.encode()
    sent = dict(headers or {})
    if signed:
        sent |= signature(method, path, body, sent, secret)
    sent |= {"Host": ENDPOINT.netloc, "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    with socket.create_connection((ENDPOINT.hostname, ENDPOINT.port), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    found = dict(one.split(": ", 1) for one in fields)
    answer = Answer(int(status.split()[1]), head, rest)
    answer.headers = {name.lower(): value for name, value in found.items()}
    if answer.headers.get("transfer-encoding") == "chunked":
        answer.body = unchunked(rest)
    return answer


def signature(
    method: str, path: str, body: bytes, headers: dict[str, str], secret: str
) -> dict[str, str]:
    """The headers that SigV4 adds."""
    request = botocore.awsrequest.AWSRequest(
        method=method, url=f"{ENDPOINT.scheme}://{ENDPOINT.netloc}{path}", data=body, headers=headers
    )
    credentials = botocore.credentials.Credentials(os.environ["AWS_ACCESS_KEY_ID"], secret)
    signer = botocore.auth.SigV4Auth(credentials, "bedrock", os.environ["AWS_REGION"])
    signer.add_auth(request)
    return {name: value for name, value in request.headers.items() if name not in headers}


def unchunked(rest: bytes) -> bytes:
    """The body of chunks; a body that breaks off gives what there is."""
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size or b"0", 16)
        if length == 0:
            break
        body += rest[:length]
        rest = rest[length + 2 :]
    return body


@dataclass
class Frame:
    """One frame of an event stream. Headers are in their order on the wire."""

    headers: list[tuple[str, str]]
    payload: bytes
    bytes: bytes

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)

    def json(self) -> Any:
        return json.loads(self.payload)


def frames(body: bytes) -> list[Frame]:
    """The frames of a whole stream, each with both of its checksums right."""
    found = []
    while body:
        total, header_length, prelude_crc = struct.unpack_from(">III", body)
        if zlib.crc32(body[:8]) != prelude_crc:
            raise ValueError(f"frame {len(found)}: the checksum of its prelude is wrong")
        if total > len(body):
            raise ValueError(f"frame {len(found)} breaks off")
        (crc,) = struct.unpack_from(">I", body, total - 4)
        if zlib.crc32(body[: total - 4]) != crc:
            raise ValueError(f"frame {len(found)}: its checksum is wrong")
        headers = string_headers(body[12 : 12 + header_length])
        found.append(Frame(headers, body[12 + header_length : total - 4], body[:total]))
        body = body[total:]
    return found


def string_headers(block: bytes) -> list[tuple[str, str]]:
    headers = []
    while block:
        length = block[0]
        name, kind = block[1 : 1 + length], block[1 + length]
        if kind != 7:
            raise ValueError(f"the header {name!r} is of type {kind}, not a string")
        (size,) = struct.unpack_from(">H", block, 2 + length)
        start = 4 + length
        headers.append((name.decode(), block[start : start + size].decode()))
        block = block[start + size :]
    return headers
