"""Asks a server of the Open Inference Protocol v2 with nothing but Python's standard library, written from the protocol's text and
Triton's extension "binary tensor data". Reads a task as JSON on stdin, prints what it was answered as JSON."""
import gzip
import http.client
import json
import struct
import sys
from urllib.parse import urlsplit

task = json.load(sys.stdin)
url = urlsplit(task["url"])
connection = http.client.HTTPConnection(url.hostname, url.port, timeout=30)  # one, kept alive


def ask(method, path, body=None, headers=None):
    connection.request(method, path, body=body, headers=headers or {})
    response = connection.getresponse()
    content = response.read()
    if response.getheader("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    return response.status, response.headers, content


def read(headers, content):
    """The outputs by name, each as a list, wherever they came."""
    length = headers.get("Inference-Header-Content-Length")
    head = content if length is None else content[: int(length)]
    at = len(head)
    document = json.loads(head)
    outputs = {}
    for output in document["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            outputs[output["name"]] = output["data"]
            continue
        piece = content[at : at + size]
        at += size
        if output["datatype"] == "FP32":
            outputs[output["name"]] = list(struct.unpack(f"<{size // 4}f", piece))
        else:
            assert output["datatype"] == "BYTES", output
            elements = []
            while piece:
                (count,) = struct.unpack_from("<I", piece)
                elements.append(piece[4 : 4 + count].decode())
                piece = piece[4 + count :]
            outputs[output["name"]] = elements
    assert at == len(content), "bytes are left over"
    return document, outputs


def infer(document, binary=b"", headers=None, compress=False, chunked=False):
    head = json.dumps(document).encode()
    body = head + binary
    headers = dict(headers or {})
    if binary:
        headers["Inference-Header-Content-Length"] = str(len(head))
    if compress:
        body = gzip.compress(body)
        headers["Content-Encoding"] = "gzip"
    content = (body[i : i + 100] for i in range(0, len(body), 100)) if chunked else body
    status, received, answer = ask("POST", f"/v2/models/{task['model']}/infer", content, headers)
    assert status == 200, answer
    return read(received, answer)


values = task["values"]
shape = task["shape"]
picture = bytes.fromhex(task["picture"])
raw = struct.pack(f"<{len(values)}f", *values)
logits = [{"name": "logits"}]
said = {}

status, _, content = ask("GET", "/v2/health/ready")
said["ready"] = status
said["server"] = json.loads(ask("GET", "/v2")[2])
said["metadata"] = json.loads(ask("GET", f"/v2/models/{task['model']}")[2])

tensor = {"name": "input", "datatype": "FP32", "shape": shape}
binary = dict(tensor, parameters={"binary_data_size": len(raw)})
document, outputs = infer({"id": "a1", "inputs": [dict(tensor, data=values)], "outputs": logits})
said["id"], said["shape"] = document["id"], document["outputs"][0]["shape"]
said["json"] = outputs["logits"]
everything = {"inputs": [binary], "parameters": {"binary_data_output": True}}
document, outputs = infer(everything, raw)
said["names"] = [output["name"] for output in document["outputs"]]
said["binary"], said["probabilities"] = outputs["logits"], outputs["probabilities"]
mixed = [{"name": "logits", "parameters": {"binary_data": True}}, {"name": "probabilities"}]
said["mixed"] = infer({"inputs": [binary], "outputs": mixed}, raw)[1]["logits"]
said["gzip"] = infer(everything, raw, {"Accept-Encoding": "gzip"}, compress=True)[1]["logits"]
said["chunked"] = infer(everything, raw, chunked=True)[1]["logits"]

file = struct.pack("<I", len(picture)) + picture
pictures = {"name": "input", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": 2 * len(file)}}
classes = [{"name": "logits", "parameters": {"classification": 2, "binary_data": True}}]
said["classes"] = infer({"inputs": [pictures], "outputs": classes}, file + file)[1]["logits"]
status, headers, content = ask(
    "POST",
    f"/v2/models/{task['model']}/infer",
    picture,
    {"Inference-Header-Content-Length": "0", "Content-Type": "image/png"},
)
assert status == 200, content
said["raw"] = read(headers, content)[1]["logits"]

wrong = json.dumps({"inputs": [dict(tensor, shape=[1], data=[0])]}).encode()
status, _, content = ask("POST", f"/v2/models/{task['model']}/infer", wrong)
said["wrong"] = [status, sorted(json.loads(content))]
status, _, content = ask("POST", "/v2/models/none/infer", wrong)
said["none"] = [status, sorted(json.loads(content))]
json.dump(said, sys.stdout)
