"""A validating webhook that refuses every ConfigMap in one namespace: proof that the API server reached it."""

import base64
import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.kubernetes.pki import Authority


class Webhook:
    """An HTTPS server on 127.0.0.1 with a certificate for the Service `name` in `namespace`."""

    def __init__(self, directory: Path, name: str, namespace: str, answer: str) -> None:
        self._name, self._namespace = name, namespace
        authority = Authority(directory / "webhook-pki")
        self._ca = authority.files.certificate.read_bytes()
        files = authority.issue("webhook", "webhook", hosts=[f"{name}.{namespace}.svc"])
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(files.certificate, files.key)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def objects(self, port: int) -> list[dict[str, object]]:
        """Return the Service and the ValidatingWebhookConfiguration that make the API server call it."""
        reference = {"name": self._name, "namespace": self._namespace, "port": port}
        webhook = {
            "name": "refuse.example.com",
            "clientConfig": {"service": reference, "caBundle": base64.b64encode(self._ca).decode()},
            "rules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": self._namespace}},
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "timeoutSeconds": 5,
        }
        return [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": self._name, "namespace": self._namespace},
                "spec": {"ports": [{"port": port}]},
            },
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": self._namespace},
                "webhooks": [webhook],
            },
        ]


def _handler(answer: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            refusal = {"uid": review["request"]["uid"], "allowed": False, "status": {"message": answer}}
            body = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": refusal})
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's name)
            """Say nothing."""

    return Handler
