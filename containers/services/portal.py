# SPDX-License-Identifier: LGPL-2.1-or-later
"""The services of this container: where they are, how they are, what they print, and a button that starts them again."""
import hmac
import html
import os
import re
import secrets
import ssl
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from access import CERTIFICATE, PORT as SESSION_PORT, setting, status_for

SERVICES = os.environ["VITRINE_SERVICES"]
PORT = int(os.environ.get("SERVICEPORTAL_PORT_HOST") or 1111)
SCHEME = "https" if CERTIFICATE else "http"
WHAT = {
    "session": ("The session", SESSION_PORT), "novnc": ("The session by VNC", 6080), "portal": ("This page", PORT), "display": ("The display", None),
    "vnc": ("VNC server", None), "sshd": ("ssh", None), "cloudflared": ("Tunnel", None), "provision": ("Provisioning", None), "storage": ("Storage links", None),
}
TOKEN = secrets.token_urlsafe(24)
STYLE = """body{font:16px/1.5 sans-serif;margin:2em auto;max-width:60em;padding:0 1em;color:#222;background:#fafafa}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4em .8em;border-bottom:1px solid #ddd}pre{background:#fff;border:1px solid #ddd;
padding:1em;overflow:auto;white-space:pre-wrap}form{display:inline}@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1b}pre{background:#222}
a{color:#8cf}}"""
LOG_BYTES = 64 * 1024


def names():
    return sorted(name for name in os.listdir(SERVICES) if re.fullmatch(r"[a-z]+", name) and os.path.isdir(os.path.join(SERVICES, name)))


def state_of(name):
    """up, ready, down and since when, as s6 says it."""
    result = subprocess.run(["s6-svstat", os.path.join(SERVICES, name)], text=True, capture_output=True)
    return result.stdout.strip() or "unknown"


def log_of(name):
    try:
        with open(os.path.join(SERVICES, ".logs", name, "current"), "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return None


class Portal(BaseHTTPRequestHandler):
    server_version = "Vitrine"
    sys_version = ""
    timeout = 20

    def log_message(self, *_):
        pass

    def answer(self, status, body="", headers=()):
        data = body.encode()
        self.send_response(status)
        for name, value in (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(data))), ("Cache-Control", "no-store"),
                            ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
                            ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"), *headers):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def page(self, title, body):
        self.answer(200, f"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>{title}</title>"
                         f"<style>{STYLE}</style><h1>{title}</h1>{body}</html>")

    def admitted(self):
        status = status_for(self.headers.get("Authorization"))
        if status == 200:
            return True
        self.answer(status, headers=[("WWW-Authenticate", 'Basic realm="Vitrine", charset="UTF-8"')] if status == 401 else [])
        return False

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, "ok\n")
        if not self.admitted():
            return None
        if self.path == "/":
            return self.page("Services", self.table())
        found = re.fullmatch(r"/log/([a-z]+)", self.path)
        text = log_of(found[1]) if found and found[1] in names() else None
        if text is None:
            return self.answer(404, "not found\n")
        return self.page(f"Log of {found[1]}", f"<p><a href=/>Services</a></p><pre>{html.escape(text)}</pre>")

    do_HEAD = do_GET

    def do_POST(self):
        if not self.admitted():
            return None
        length = int(self.headers.get("Content-Length") or 0)
        form = parse_qs(self.rfile.read(length).decode(errors="replace")) if 0 < length < 1000 else {}
        name = form.get("restart", [""])[0]
        if not hmac.compare_digest(form.get("token", [""])[0].encode(), TOKEN.encode()):
            return self.answer(403, "the form is not of this page\n")
        if name not in names() or name == "session":
            return self.answer(404, "not found\n")
        subprocess.run(["s6-svc", "-r" if name != "provision" else "-o", os.path.join(SERVICES, name)], check=False)
        return self.answer(303, headers=[("Location", "/")])

    def table(self):
        host = re.sub(r":\d+$", "", self.headers.get("Host") or "localhost")
        if not re.fullmatch(r"[\w.\-]+|\[[0-9a-fA-F:.]+\]", host):
            host = "localhost"
        host = os.environ.get("DIRECT_ADDRESS") or host
        rows = ""
        for name in names():
            what, port = WHAT.get(name, (name, None))
            label = f"<a href='{SCHEME}://{html.escape(host, quote=True)}:{port}/'>{what}</a>" if port else what
            log = f"<a href=/log/{name}>log</a>" if log_of(name) is not None else ""
            again = (f"<form method=post><input type=hidden name=token value={TOKEN}><button name=restart value={name}>start again</button></form>"
                     if name != "session" else "")
            rows += f"<tr><td>{label}<td>{html.escape(state_of(name))}<td>{log}<td>{again}"
        return f"<table><tr><th>Service<th>State<th><th>{rows}</table>"


def main():
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Portal)
    server.daemon_threads = True
    if CERTIFICATE:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, setting("tls-key"))
        # Hands are shaken in the connection's own thread and time.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    os.write(3, b"\n")
    os.close(3)
    server.serve_forever()


if __name__ == "__main__":
    main()
