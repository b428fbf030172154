"""Asks a server of the Open Inference Protocol v2 over gRPC with grpcio's channels and messages that are put together by hand, from the
protocol's field numbers. Reads a task as JSON on stdin, prints what it was answered as JSON."""
import json
import struct
import sys

import grpc

task = json.load(sys.stdin)
if "ca" in task:
    with open(task["ca"], "rb") as file:
        channel = grpc.secure_channel(task["address"], grpc.ssl_channel_credentials(file.read()))
else:
    channel = grpc.insecure_channel(task["address"])
metadata = [("x-api-key", task["key"])] if "key" in task else []


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, content):
    """A field that has a length: text, bytes, a message."""
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(content)) + content


def fields(message):
    """Number and content of each field."""
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    found = []
    while at < len(message):
        tag = read()
        value = read()
        if tag & 7 == 2:
            at += value
            found.append((tag >> 3, message[at - value : at]))
        else:
            found.append((tag >> 3, value))
    return found


def call(method, message, **options):
    return channel.unary_unary("/" + method)(message, timeout=20, metadata=metadata, **options)


def refused(method, message):
    try:
        call(method, message)
    except grpc.RpcError as error:
        return [error.code().name, dict(error.trailing_metadata()).get("bitpath-code")]
    return None


SERVICE = "inference.GRPCInferenceService/"
shape = b"".join(map(varint, task["shape"]))
tensor = field(1, "input") + field(2, "FP32") + field(3, shape)
raw = struct.pack(f"<{len(task['values'])}f", *task["values"])


def infer(model, content, **options):
    request = field(1, model) + field(3, "c3") + field(5, tensor) + field(6, field(1, "logits")) + field(7, content)
    answer = dict(fields(call(SERVICE + "ModelInfer", request, **options)))
    return answer[3].decode(), list(struct.unpack(f"<{len(answer[6]) // 4}f", answer[6]))


identity, logits = infer(task["model"], raw)
print(
    json.dumps(
        {
            "live": fields(call(SERVICE + "ServerLive", b"")),
            "ready": fields(call(SERVICE + "ModelReady", field(1, task["model"]))),
            "health": fields(call("grpc.health.v1.Health/Check", b"")),
            "id": identity,
            "logits": logits,
            "compressed": infer(task["model"], raw, compression=grpc.Compression.Gzip)[1],
            "none": refused(SERVICE + "ModelMetadata", field(1, "none")),
            "short": refused(SERVICE + "ModelInfer", field(1, task["model"]) + field(5, tensor) + field(7, raw[:-1])),
        }
    )
)
