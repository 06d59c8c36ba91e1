#!/usr/bin/env python3
"""git_server.py FOLDER [PORT]: serves a bare repository over plain HTTP to whoever knows alice's password (s3cret).

The repository must have been prepared by `git update-server-info`. Prints `READY PORT`; lives as long as its standard
input is open. Asks by HTTP Basic, so that git asks its askpass program for user name and password."""
import base64
import functools
import http.server
import os
import sys
import threading

WANTED = "Basic " + base64.b64encode(b"alice:s3cret").decode()


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") == WANTED:
            return super().do_GET()
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="vault"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=sys.argv[1]))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("READY", server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)
