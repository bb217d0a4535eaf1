# SPDX-License-Identifier: LGPL-2.1-or-later
"""vitrine signalling and vitrine turn-rest as services: readiness, signs of life, and what they read again."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import signal
import unittest
import urllib.request

from command import get, until
from managed import Managed

SERVERS = "turn-servers=turn:turn.example\n"


class SmallService(Managed):
    def begin(self, command, settings, **changes):
        self.write(settings)
        service = self.start(command, f"--config={self.config}", NOTIFY_SOCKET=self.manager.path, **changes)
        self.assertEqual(self.manager.next(), "READY=1", service.complaints())
        return service

    def statuses(self, service, path, *who):
        return [get(service.port, path, *names) for names in who]

    def check_life(self, command, settings):
        service = self.begin(command, settings, WATCHDOG_USEC="200000")
        self.assertEqual(get(service.port, "/health"), 200, "ready means that it answers")
        for _ in range(3):
            self.assertEqual(self.manager.socket.recv(4096), b"WATCHDOG=1")
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual(get(service.port, "/health"), 200)
        until("signs of life", lambda: self.manager.socket.recv(4096) == b"WATCHDOG=1")
        self.assertEqual(service.end(), 0)
        self.assertEqual(self.manager.next(), "STOPPING=1")

    def check_silence(self, command, settings):
        """Nobody who wants signs of life gets none; SIGINT ends it as well."""
        service = self.begin(command, settings)
        self.manager.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            self.manager.socket.recv(4096)
        self.assertEqual(service.end(signal.SIGINT), 0)
        self.manager.socket.settimeout(20)
        self.assertEqual(self.manager.next(), "STOPPING=1")

    def check_accounts(self, command, more, path, inside):
        """`inside` is the status of `path` for who is let in."""
        password = self.place("password", "first\n")
        service = self.begin(command, f"{more}password-file={password}\n")
        user = [("user", word) for word in ("first", "second", "third")]
        self.assertEqual(self.statuses(service, path, *user), [inside, 401, 401])
        self.place("password", "second\n")
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual(self.statuses(service, path, *user), [401, inside, 401])
        accounts = self.place("accounts", "ann:sesame:view\n")
        self.write(f"{more}password-file={password}\naccounts-file={accounts}\n")
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual(self.statuses(service, path, ("ann", "sesame"), user[1]), [inside, inside])
        # One that is broken changes nothing, not even what is right beside it; the service goes on.
        self.place("accounts", "bob:open\n")
        self.place("password", "third\n")
        self.assertEqual(self.reload(service), [f"vitrine: {accounts}:1: expected name:password:role{self.STAY}"])
        self.assertEqual(self.statuses(service, path, ("ann", "sesame"), user[1], user[2]), [inside, inside, 401])
        os.unlink(password)
        self.assertEqual(self.reload(service), [f"vitrine: {self.config}:{2 + more.count(chr(10))}: {password}: cannot be read, or its first line is empty{self.STAY}"])
        self.write(more)
        said = self.reload(service)
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], f"^vitrine: password: is needed, .*{self.STAY}$")
        self.assertEqual(self.statuses(service, path, ("ann", "sesame")), [inside])
        self.assertEqual(service.end(), 0)

    def check_certificate(self, command, settings):
        self.certificate("first")
        tls = f"tls-cert={self.folder}/cert.pem\ntls-key={self.folder}/key.pem\n"
        service = self.begin(command, settings + tls)
        self.assertEqual(self.shown_name(service.port), "subject=CN=first")
        self.certificate("second")
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual(self.shown_name(service.port), "subject=CN=second")
        self.place("cert.pem", "no certificate")
        said = self.reload(service)
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], f"^vitrine: tls-certificate '{self.folder}/cert.pem': .*{self.STAY}$")
        # As if it was read between the two.
        self.certificate("other")
        with open(os.path.join(self.folder, "cert.pem")) as file:
            other = file.read()
        self.certificate("third")
        self.place("cert.pem", other)
        self.assertIn(f"tls-key '{self.folder}/key.pem': it is not the key of", self.reload(service)[0])
        self.assertEqual(self.shown_name(service.port), "subject=CN=second")
        # Whether there is TLS at all is another matter, and told once.
        self.write(settings)
        self.assertEqual(sorted(self.reload(service)), sorted(
            [f"vitrine: default: {name}: has changed; it counts from the next start on" for name in ("tls-cert", "tls-key")] + [self.AGAIN]))
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual(self.shown_name(service.port), "subject=CN=second")
        self.assertEqual(service.end(), 0)


class Signalling(SmallService):
    OPEN = "no-auth=true\n"

    def test_it_lives_as_a_service(self):
        self.check_life("signalling", self.OPEN)
        self.check_silence("signalling", self.OPEN)

    def test_accounts_change_while_it_runs(self):
        self.check_accounts("signalling", "", "/nothing-is-here", 404)

    def test_the_certificate_is_renewed_while_it_runs(self):
        self.check_certificate("signalling", self.OPEN)

    def shake(self, service, origin):
        """The status of a WebSocket's handshake from a page of this origin."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", service.port, timeout=5)) as connection:
            connection.request("GET", "/", headers={
                "Origin": origin, "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(), "Authorization": "Basic " + base64.b64encode(b"user:sesame").decode()})
            return connection.getresponse().status

    def test_origins_change_while_it_runs(self):
        first, second = "https://one.example", "https://two.example"
        service = self.begin("signalling", f"password=sesame\nallowed-origins={first}\n")
        self.assertEqual([self.shake(service, each) for each in (first, second)], [101, 403])
        self.write(f"password=sesame\nallowed-origins={second}\n")
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual([self.shake(service, each) for each in (first, second)], [403, 101])
        self.write("password=another\nallowed-origins=nonsense\n")
        said = self.reload(service)
        self.assertRegex(said[0], f"^vitrine: allowed-origins: .*{self.STAY}$")
        self.assertEqual([self.shake(service, each) for each in (first, second)], [403, 101])

    def test_what_cannot_change_is_said(self):
        service = self.begin("signalling", self.OPEN + "log-level=error\n")
        self.write(self.OPEN + "listen=127.0.0.1\nlog-level=info\n")
        self.assertEqual(self.reload(service), [f"vitrine: {self.config}:3: listen: has changed; it counts from the next start on", self.AGAIN])
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.write(self.OPEN)
        self.assertEqual(self.reload(service), [self.AGAIN], "it was taken back")


class TurnRest(SmallService):
    STATIC = SERVERS + "turn-user=joe\nturn-password=sesame\n"

    def test_it_lives_as_a_service(self):
        self.check_life("turn-rest", self.STATIC + "no-auth=true\n")
        self.check_silence("turn-rest", self.STATIC + "no-auth=true\n")

    def test_accounts_change_while_it_runs(self):
        self.check_accounts("turn-rest", self.STATIC, "/", 200)

    def test_the_certificate_is_renewed_while_it_runs(self):
        self.check_certificate("turn-rest", self.STATIC + "no-auth=true\n")

    def credential(self, service):
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/?username=ann") as answer:
            server = json.load(answer)["iceServers"][0]
        return server["urls"][0], server["credential"]

    def test_the_secret_and_the_servers_change_while_it_runs(self):
        secret = self.place("secret", "shared\n")
        of_file = f"no-auth=true\nturn-shared-secret-file={secret}\nturn-lifetime=600000\n"
        service = self.begin("turn-rest", of_file + SERVERS)
        url = "turn:turn.example:3478?transport=udp"
        first = self.credential(service)
        self.assertEqual(first[0], url)
        self.place("secret", "another\n")
        self.assertEqual(self.reload(service), [self.AGAIN])
        # The expiry is part of it and may have moved on, so that a difference alone would say little.
        self.assertIn(self.credential(service)[1], self.made_with("another", service))
        self.write(of_file + "turn-servers=turns:other.example\n")
        self.assertEqual(self.reload(service), [self.AGAIN])
        self.assertEqual(self.credential(service)[0], "turns:other.example:5349?transport=tcp")
        # A mistake leaves the secret as it was too.
        self.place("secret", "third\n")
        self.write(of_file + "turn-servers=turn:joe:hidden@turn.example\n")
        said = self.reload(service)
        self.assertEqual(said, [f"vitrine: turn-servers: URL 1 cannot be used: its port is not a number from 1 to 65535{self.STAY}"])
        self.assertEqual(self.credential(service)[0], "turns:other.example:5349?transport=tcp")
        self.assertIn(self.credential(service)[1], self.made_with("another", service))
        self.assertEqual(service.end(), 0)

    def made_with(self, secret, service):
        """Its credentials with this secret, of now and of the seconds around."""
        with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/?username=ann") as answer:
            expiry = int(json.load(answer)["iceServers"][0]["username"].split(":")[0])
        return [base64.b64encode(hmac.new(secret.encode(), f"{expiry + late}:ann".encode(), hashlib.sha1).digest()).decode() for late in range(-3, 4)]


if __name__ == "__main__":
    unittest.main(verbosity=2)
