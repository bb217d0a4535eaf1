# SPDX-License-Identifier: LGPL-2.1-or-later
"""vitrine doctor: what it reports, of a desktop and of TURN servers, and what it keeps to itself."""
import contextlib
import http.server
import os
import re
import shutil
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
import unittest

from command import Test, free_port, need, run, until

need("Xvfb")
SECRET = "sesame-street"
FAILED_RELAYS = "A session would start, but nobody would reach it through the TURN servers that failed."


@contextlib.contextmanager
def greeter(text):
    """Says this to whoever comes; its port."""
    class Greet(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.sendall(text)
            self.request.recv(4096)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Greet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@contextlib.contextmanager
def http_server(status, body):
    """Answers everything so; its port."""
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Reports(unittest.TestCase):
    def test_it_reports_without_secrets(self):
        result = run("doctor", "--virtual=320x240", "--sound-server=shared", "--port=8459", "--profile=software-vp8",
                     VITRINE_PASSWORD=SECRET, PASSWD=SECRET, PULSE_SERVER="unix:/nonexistent")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertNotIn(SECRET, result.stdout + result.stderr)
        for expected in ("# vitrine doctor", "ok      a private X server starts", "ok      X display :", "vp8enc: the first picture after ",
                         "warning no sound server answers", "ok      none is configured, none is asked",
                         "A session would work; see the warnings."):
            self.assertIn(expected, result.stdout)

    def test_it_tells_what_fails(self):
        with socket.socket() as taken:
            taken.bind(("0.0.0.0", 0))
            taken.listen()
            port = taken.getsockname()[1]
            result = run("doctor", "--display=:9999", f"--port={port}", "--listen=0.0.0.0", "--no-audio", "--profile=software-vp8")
        self.assertEqual(result.returncode, 1)
        self.assertIn("FAILED  X display :9999 cannot be opened", result.stdout)
        self.assertIn(f"FAILED  TCP port {port}: Address already in use; choose another with --port", result.stdout)
        self.assertIn("A session would fail.", result.stdout)


class Relays(Test):
    """Against a real coturn on loopback."""

    def setUp(self):
        if not shutil.which("turnserver"):
            self.skipTest("turnserver is not installed")
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w") as file:
                file.write(text)
        return path

    def coturn(self, *lines, address="127.0.0.1"):
        """Its port for UDP and TCP."""
        port = free_port()
        config = self.path(f"turnserver-{port}.conf", "\n".join(
            [f"listening-ip={address}", f"listening-port={port}", "realm=test", "log-file=stdout", "no-cli", "no-dtls", "verbose", f"pidfile={self.folder}/pid",
             f"userdb={self.folder}/db-{port}", *lines]) + "\n")
        self.log = open(self.path(f"log-{port}"), "w+")
        self.addCleanup(self.log.close)
        server = subprocess.Popen(["turnserver", "-c", config], stdout=self.log, stderr=self.log)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)

        def listens():
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
                return probe.connect_ex((address, port)) == 0
        until("coturn to listen", listens)
        return port

    def certificate(self, name):
        """Files of a certificate that vouches for itself."""
        cert, key = self.path("cert.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test",
                        "-addext", f"subjectAltName={name}", "-keyout", key, "-out", cert], check=True, capture_output=True)
        return cert, key

    def doctor(self, *options, **changes):
        """Its lines on TURN servers, its last line, and its status."""
        start = time.monotonic()
        result = run("doctor", "--virtual=320x240", "--no-audio", f"--port={free_port()}", "--profile=software-vp8", *options, **changes)
        self.took = time.monotonic() - start
        self.assertNotIn(SECRET, result.stdout + result.stderr)
        lines = result.stdout.splitlines()
        return lines[lines.index("## TURN servers") + 1:-2], lines[-1], result.returncode

    def servers(self, *urls):
        return "--turn-servers=" + ",".join(urls)

    def test_a_server_gives_a_relay_and_gets_it_back(self):
        port = self.coturn("use-auth-secret", f"static-auth-secret={SECRET}")
        lines, last, status = self.doctor(self.servers(f"turn:127.0.0.1:{port}", f"turn:127.0.0.1:{port}?transport=tcp", f"turn:localhost:{port}"),
                                          VITRINE_TURN_SHARED_SECRET=SECRET)
        self.assertEqual(lines[:2], [f"ok      turn:127.0.0.1:{port}?transport=udp gives a relay, IPv4", f"ok      turn:127.0.0.1:{port}?transport=tcp gives a relay, IPv4"])
        self.assertIn(f"ok      turn:localhost:{port}?transport=udp at 127.0.0.1 gives a relay, IPv4", lines)
        self.assertEqual((last != FAILED_RELAYS, status), (True, 0))
        with open(self.log.name) as file:
            log = file.read()
        self.assertIn(":doctor>", log)
        self.assertEqual(len(re.findall(r"refreshed, .*lifetime=0", log)), 3, log)

    def test_of_a_static_user_too_and_of_ipv6(self):
        port = self.coturn("lt-cred-mech", f"user=joe:{SECRET}", "allocation-default-address-family=keep", address="::1")
        lines, _, status = self.doctor(self.servers(f"turn:[::1]:{port}"), "--turn-user=joe", VITRINE_TURN_PASSWORD=SECRET)
        self.assertEqual((lines, status), ([f"ok      turn:[::1]:{port}?transport=udp gives a relay, IPv6"], 0))

    def test_wrong_credentials_are_refused(self):
        port = self.coturn("use-auth-secret", "static-auth-secret=another")
        lines, last, status = self.doctor(self.servers(f"turn:127.0.0.1:{port}", f"turn:127.0.0.1:{port}?transport=tcp"), VITRINE_TURN_SHARED_SECRET=SECRET)
        self.assertEqual(lines, [f"FAILED  turn:127.0.0.1:{port}?transport={by} refuses the credentials (401): check turn-shared-secret, and the clocks of both machines"
                                 for by in ("udp", "tcp")])
        self.assertEqual((last, status), (FAILED_RELAYS, 1))
        lines, _, status = self.doctor(self.servers(f"turn:127.0.0.1:{port}"), "--turn-user=joe", VITRINE_TURN_PASSWORD=SECRET)
        self.assertEqual((lines, status), ([f"FAILED  turn:127.0.0.1:{port}?transport=udp refuses the credentials (401): check turn-user and turn-password"], 1))
        config = self.path("rtc.json", f'{{"iceServers":[{{"urls":"turn:127.0.0.1:{port}","username":"joe","credential":"{SECRET}"}}]}}')
        lines, _, status = self.doctor(f"--rtc-config-file={config}")
        self.assertEqual((lines, status), ([f"FAILED  turn:127.0.0.1:{port}?transport=udp refuses the credentials (401): check those in rtc-config-file"], 1))

    def test_nobody_listens_answers_or_has_that_name(self):
        """All together within the time for one: what is silent holds up nobody."""
        port = self.coturn("use-auth-secret", f"static-auth-secret={SECRET}")
        refused = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, socket.socket() as full:
            silent.bind(("127.0.0.1", 0))
            full.bind(("127.0.0.1", 0))
            full.listen(1)
            mute, deaf = silent.getsockname()[1], full.getsockname()[1]
            lines, last, status = self.doctor(
                self.servers(f"turn:127.0.0.1:{refused}", f"turn:127.0.0.1:{refused}?transport=tcp", f"turn:127.0.0.1:{mute}", f"turn:127.0.0.1:{deaf}?transport=tcp",
                             f"turns:127.0.0.1:{deaf}", "turn:no-such-host.invalid", f"turn:127.0.0.1:{port}"), VITRINE_TURN_SHARED_SECRET=SECRET)
        nobody, silence = "refuses the connection: nothing listens there", "does not answer within 5 s: it is down, or a firewall is between"
        self.assertEqual(lines[:5] + lines[6:], [
            f"FAILED  turn:127.0.0.1:{refused}?transport=udp {nobody}", f"FAILED  turn:127.0.0.1:{refused}?transport=tcp {nobody}",
            f"FAILED  turn:127.0.0.1:{mute}?transport=udp {silence}", f"FAILED  turn:127.0.0.1:{deaf}?transport=tcp {silence}",
            f"FAILED  turns:127.0.0.1:{deaf}?transport=tcp {silence}", f"ok      turn:127.0.0.1:{port}?transport=udp gives a relay, IPv4"])
        self.assertRegex(lines[5], r"^FAILED  turn:no-such-host\.invalid:3478\?transport=udp its name does not resolve: .")
        self.assertEqual((last, status), (FAILED_RELAYS, 1))
        self.assertLess(self.took, 20, "five seconds for the servers, the rest for a display and an encoder")

    def test_a_certificate_is_checked(self):
        cert, key = self.certificate("IP:127.0.0.1")
        tls = free_port()
        port = self.coturn("use-auth-secret", f"static-auth-secret={SECRET}", f"tls-listening-port={tls}", f"cert={cert}", f"pkey={key}")
        secret = {"VITRINE_TURN_SHARED_SECRET": SECRET}
        server = f"turns:127.0.0.1:{tls}?transport=tcp"
        lines, _, status = self.doctor(self.servers(server), f"--turn-ca-file={cert}", **secret)
        self.assertIn(f"ok      {server} gives a relay, IPv4", lines)
        self.assertEqual(status, 0)
        lines, last, status = self.doctor(self.servers(server), **secret)
        self.assertEqual(lines, [f"FAILED  {server} has a certificate that is not accepted: no authority that is known vouches for it"])
        self.assertEqual((last, status), (FAILED_RELAYS, 1))
        lines, _, status = self.doctor(self.servers(f"turns:localhost:{tls}"), f"--turn-ca-file={cert}", **secret)
        self.assertIn(f"FAILED  turns:localhost:{tls}?transport=tcp at 127.0.0.1 has a certificate that is not accepted: it is for another name", lines)
        self.assertEqual(status, 1)
        # coturn speaks TLS on its other port too, so this is of another kind.
        with greeter(b"HTTP/1.1 400 Bad Request\r\n\r\n") as plain:
            lines, _, status = self.doctor(self.servers(f"turns:127.0.0.1:{plain}", f"turn:127.0.0.1:{plain}?transport=tcp"), f"--turn-ca-file={cert}", **secret)
        self.assertRegex(lines[0], f"^FAILED  turns:127.0.0.1:{plain}.transport=tcp does not speak TLS as it should")
        self.assertRegex(lines[1], f"^FAILED  turn:127.0.0.1:{plain}.transport=tcp is no TURN server, by what it answers")

    def rest(self, status, body):
        """A service that answers so; its port."""
        return self.enterContext(http_server(status, body))

    def test_the_service_that_names_servers_is_asked_first(self):
        port = self.coturn("lt-cred-mech", f"user=joe:{SECRET}")

        def asked(rest_port):
            lines, _, status = self.doctor(VITRINE_TURN_REST_URI=f"http://joe:{SECRET}@127.0.0.1:{rest_port}/?key={SECRET}")
            return [re.sub(r"http\S+?(?=:? |$)", "SERVICE", line) for line in lines], status
        server = f"turn:127.0.0.1:{port}?transport=udp"
        self.assertEqual(asked(self.rest(200, f'{{"username":"joe","password":"{SECRET}","ttl":600,"uris":["{server}"]}}')),
                         (["ok      turn-rest-uri SERVICE answers", f"ok      {server} gives a relay, IPv4"], 0))
        self.assertEqual(asked(self.rest(200, f'{{"username":"ann","password":"{SECRET}","ttl":600,"uris":["{server}"]}}')),
                         (["ok      turn-rest-uri SERVICE answers", f"FAILED  {server} refuses the credentials (401): check those that turn-rest-uri gives"], 1))
        self.assertEqual(asked(self.rest(200, '{"iceServers":[]}')),
                         (["ok      turn-rest-uri SERVICE answers", "warning turn-rest-uri names no TURN server"], 0))
        self.assertEqual(asked(self.rest(500, SECRET)), (["FAILED  turn-rest-uri SERVICE: it answers with status 500"], 1))
        lines, status = asked(self.rest(200, f"<html>{SECRET}"))
        self.assertRegex(lines[0], "^FAILED  turn-rest-uri SERVICE: .")
        lines, status = asked(free_port())
        self.assertRegex(lines[0], "^FAILED  turn-rest-uri SERVICE: .*[Rr]efused")
        self.assertEqual((len(lines), status), (1, 1))

    def test_settings_that_a_session_refuses_fail_it(self):
        lines, last, status = self.doctor(VITRINE_TURN_SHARED_SECRET=SECRET)
        self.assertEqual((lines, last, status), (["FAILED  turn-shared-secret: needs turn-servers too"], "A session would fail.", 1))


if __name__ == "__main__":
    unittest.main()
