#!/usr/bin/env python3
"""server.py STATE: DNS, HTTP and HTTPS on 127.0.0.1 inside the namespace (`vendor up` starts it).

Every name has the address 127.0.0.1, and gets a certificate when it is first asked for. What is answered stands in
answers.py. In STATE it reads ca.crt, ca.key, leaf.key, openssl.cnf and mode, and writes leaf-HOST.pem, http.log and,
once it serves, server.pid."""
import http.server
import json
import os
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
import traceback
import urllib.parse

import answers

STATE = sys.argv[1]


def path(name):
    return os.path.join(STATE, name)


log = open(path("http.log"), "a", buffering=1)


def dns(udp):
    """A 127.0.0.1 for every name; no answer for other record types."""
    while True:
        data, peer = udp.recvfrom(4096)
        end = 12
        while end < len(data) and data[end]:
            end += data[end] + 1
        if len(data) < end + 5:
            continue
        kind = struct.unpack(">H", data[end + 1:end + 3])[0]
        question, found = data[12:end + 5], kind == 1
        head = data[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, found, 0, 0) + question
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 5, 4) + bytes([127, 0, 0, 1])
        udp.sendto(head + (record if found else b""), peer)


contexts, lock = {}, threading.Lock()


def context(host):
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,200}", host):
        host = "localhost"
    with lock:
        if host not in contexts:
            kind = "IP" if re.fullmatch(r"[0-9.]+", host) else "DNS"
            certificate = subprocess.run(
                ["openssl", "req", "-x509", "-new", "-key", path("leaf.key"), "-CA", path("ca.crt"), "-CAkey", path("ca.key"),
                 "-days", "2", "-subj", "/CN=" + host[:60], "-config", path("openssl.cnf"), "-extensions", "leaf",
                 "-addext", f"subjectAltName={kind}:{host}"], check=True, capture_output=True).stdout
            with open(path(f"leaf-{host}.pem"), "wb") as file, open(path("ca.crt"), "rb") as ca:
                file.write(certificate + ca.read())
            contexts[host] = made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made.load_cert_chain(file.name, path("leaf.key"))
            made.set_alpn_protocols(["http/1.1"])
        return contexts[host]


def by_name(sock, name, _):
    sock.context = context((name or "127.0.0.1").lower())


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def asked(self, text):
        url = urllib.parse.urlsplit(self.path)
        form = dict(urllib.parse.parse_qsl(text, True))
        if text[:1] in ("{", "["):
            form = json.loads(text)
        with open(path("mode")) as file:
            mode = file.read().strip()
        host = (self.headers.get("Host") or "?").lower().split(":")[0]
        query = dict(urllib.parse.parse_qsl(url.query, True))
        return answers.Request(self.command, host, url.path, query, form if isinstance(form, dict) else {}, self.headers, mode)

    def serve(self):
        try:
            text = self.body().decode("utf-8", "replace")
            request = self.asked(text)
            status, answer, headers = answers.handle(request)
            log.write(f"{self.command} {request.host}{self.path[:500]} -> {status} {text[:500]!r}\n")
            kind = "application/json"
            if isinstance(answer, str):
                kind = "text/html; charset=utf-8" if answer[:1] == "<" else "text/plain"
            out = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(out)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(out)
        except OSError:
            self.close_connection = True
        except Exception:
            log.write("error " + traceback.format_exc().replace("\n", " | ") + "\n")
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = allow_reuse_address = True
    request_queue_size = 64
    tls = None

    def server_bind(self):
        # HTTPServer's own looks the address's name up, which nobody can answer yet.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "vendor", self.server_address[1]

    def handle_error(self, *_):
        pass

    def finish_request(self, sock, peer):
        if self.tls:
            sock.settimeout(120)
            try:
                sock = self.tls.wrap_socket(sock, server_side=True)
            except OSError as error:
                log.write(f"error TLS: {error}\n")
                return
        self.RequestHandlerClass(sock, peer, self)
        sock.close()


def main():
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 53))
    plain, secure = Server(("127.0.0.1", 80), Handler), Server(("127.0.0.1", 443), Handler)
    secure.tls = context("localhost")
    secure.tls.sni_callback = by_name
    threading.Thread(target=dns, args=(udp,), daemon=True).start()
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    with open("/proc/self/stat") as file:
        start = file.read().rpartition(")")[2].split()[19]
    with open(path("server.pid.new"), "w") as file:
        file.write(f"{os.getpid()} {start}\n")
    os.rename(path("server.pid.new"), path("server.pid"))
    secure.serve_forever()


if __name__ == "__main__":
    main()
