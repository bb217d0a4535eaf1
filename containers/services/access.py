# SPDX-License-Identifier: LGPL-2.1-or-later
"""Who may use the services: who may control the session. Vitrine itself is asked, so its accounts, hashes and throttling hold here too."""
import hashlib
import http.client
import json
import ssl
import subprocess
import threading
import time

from websockify.auth_plugins import AuthenticationError, BasicHTTPAuth



def setting(name):
    """As the session has it, from whatever variable or file it came."""
    return subprocess.run(["vitrine", "setting", name], text=True, capture_output=True, check=True).stdout.rstrip("\n")


PORT = int(setting("port"))
# What is for all addresses is for this one.
ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(setting("listen"), setting("listen"))
CERTIFICATE = setting("tls-cert")
BASE_PATH = setting("base-path").rstrip("/")
REMEMBER_S = 60
MOST = 64

_lock = threading.Lock()
_known = {}


def ask(authorization):
    """Vitrine's status and the role of who has these credentials."""
    if CERTIFICATE:
        # To ourselves: there is nobody in between, and the certificate has another name.
        connection = http.client.HTTPSConnection(ADDRESS, PORT, timeout=5, context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection(ADDRESS, PORT, timeout=5)
    try:
        connection.request("GET", BASE_PATH + "/account", headers={"Authorization": authorization} if authorization else {})
        answer = connection.getresponse()
        body = answer.read(10000)
        return answer.status, json.loads(body).get("role") if answer.status == 200 else None
    except (OSError, ValueError):
        return 503, None
    finally:
        connection.close()


def status_for(authorization):
    """200 for who may control the session; else 401, 403 for who may only look, or what Vitrine says."""
    key = hashlib.sha256((authorization or "").encode()).digest()
    with _lock:
        if _known.get(key, 0) > time.monotonic():
            return 200
    status, role = ask(authorization)
    if status == 200 and role != "control":
        return 403
    if status == 200:
        with _lock:
            if len(_known) >= MOST:
                _known.clear()
            _known[key] = time.monotonic() + REMEMBER_S
    return status


def same_origin(headers):
    """Browsers send Origin with every WebSocket and every form; another site's pages are nobody's business here."""
    origin = headers.get("Origin")
    return origin is None or origin in (f"http://{headers.get('Host')}", f"https://{headers.get('Host')}")


class Control(BasicHTTPAuth):
    """For websockify."""

    def __init__(self, src=None):
        self.src = src

    def authenticate(self, headers, target_host, target_port):
        if not same_origin(headers):
            raise AuthenticationError(response_code=403)
        status = status_for(headers.get("Authorization"))
        if status == 401:
            raise AuthenticationError(response_code=401, response_headers={"WWW-Authenticate": 'Basic realm="Vitrine"'})
        if status != 200:
            raise AuthenticationError(response_code=status)
