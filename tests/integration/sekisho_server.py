# SPDX-License-Identifier: GPL-2.0-or-later
"""An HTTPS server on the loopback interface, with an authority of its own."""

import hashlib
import http.server
import os
import ssl
import subprocess
import threading


def make_authority(directory):
    """A certificate for localhost, which is its own authority. The files of the certificate and the key."""
    certificate, key = os.path.join(directory, "server.pem"), os.path.join(directory, "server.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                    certificate], check=True, stderr=subprocess.DEVNULL)
    os.chmod(certificate, 0o600)  # who fetches is nobody, and need not be able to read it
    return certificate, key


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.asked.append(dict(self.headers))
        if self.path in server.moved:
            self.send_response(302)
            self.send_header("Location", server.moved[self.path])
            self.end_headers()
            return
        content = server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        tag = '"' + hashlib.sha256(content).hexdigest()[:16] + '"'
        self.send_response(304 if self.headers["If-None-Match"] == tag else 200)
        self.send_header("ETag", tag)
        self.end_headers()
        if self.headers["If-None-Match"] != tag:
            try:
                self.wfile.write(content)
            except OSError:
                pass  # it had enough

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    """Paths to contents in FILES, paths to other addresses in MOVED; ASKED has the headers of every request."""

    def __init__(self, directory, tls=True):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.moved, self.asked = {}, {}, []
        self.scheme = "https" if tls else "http"
        if tls:
            self.authority, key = make_authority(directory)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.authority, key)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def handle_error(self, *_):
        pass  # whoever does not trust it hangs up

    def url(self, path, host="localhost"):
        return f"{self.scheme}://{host}:{self.server_address[1]}{path}"

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()
