# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the services' layer makes of variables, with stand-ins for s6 and the services' programs."""
import os
import unittest

from scripts import ROOT, Stage


class Services(unittest.TestCase):
    def setUp(self):
        self.stage = Stage(self)
        self.stage.program("s6-svscan", "env -0 >environment")
        for name in ("cloudflared", "id"):
            self.stage.program(name, "echo 99999")
        self.stage.script("containers/services/vitrine-services", {"/usr/share/vitrine/services": os.path.join(ROOT, "containers/services/services")})

    def run_it(self, *arguments, **variables):
        return self.stage.run("vitrine-services", *arguments, **variables)

    def read(self, name):
        with open(self.stage.path(name)) as file:
            return file.read()

    def services(self):
        return {name for name in os.listdir(self.stage.path("runtime/services")) if not name.startswith(".")}

    def test_secrets_go_to_the_session_alone(self):
        secrets = {name: "word-" + name for name in (
            "VITRINE_PASSWORD", "PASSWD", "SELKIES_TURN_REST_URI", "VITRINE_TURN_REST_URI", "COTURN_WEB_URI", "SELKIES_TURN_REST_API_KEY", "TURN_API_KEY",
            "RCLONE_CONFIG_x_PASS", "BROKER_COOKIE", "HTPASSWD_DATA64", "SELKIES_CLOUDFLARE_TURN_TOKEN_ID")}
        result = self.run_it("prog", "a b", TITLE="seen", **secrets)
        self.assertEqual(result.returncode, 0, result.stderr)
        environment = self.read("environment")
        self.assertIn("TITLE=seen", environment)
        self.assertNotIn("word-", environment)
        kept = self.read("runtime/services/session/secrets")
        for name, word in secrets.items():
            self.assertIn(f"{name}={word}\0", kept)
        self.assertEqual(self.read("runtime/services/session/arguments"), "prog\0a b\0")

    def test_secrets_of_services_that_are_not_started_are_nobodys(self):
        os.remove(self.stage.path("bin/cloudflared"))
        result = self.run_it("prog", CF_TUNNEL_TOKEN="word-1", VNC_PASSWORD="word-2")
        self.assertIn("no tunnel", result.stderr)
        self.assertNotIn("word-", self.read("environment"))
        self.assertFalse(os.path.exists(self.stage.path("runtime/services/session/secrets")))

    def test_any_of_the_names_switches_vnc_on(self):
        for variables, expected in (
                ({}, False), ({"NOVNC_ENABLE": "true"}, True), ({"KASMVNC_ENABLE": "false", "NOVNC_ENABLE": "true"}, True),
                ({"KASMVNC_ENABLE": "true", "NOVNC_ENABLE": "false"}, True), ({"VNC_ENABLE": "false", "NOVNC_ENABLE": "true"}, False)):
            with self.subTest(variables):
                self.assertEqual(self.run_it("prog", **variables).returncode, 0)
                self.assertEqual("novnc" in self.services(), expected)

    def test_a_password_file_that_cannot_be_read_is_one_line(self):
        result = self.run_it("prog", VNC_ENABLE="true", VNC_PASSWORD_FILE="/nonexistent/file")
        self.assertEqual((result.returncode, result.stderr), (2, "vitrine-services: VNC_PASSWORD_FILE: '/nonexistent/file' cannot be read\n"))

    def test_a_runtime_folder_that_lasts_is_no_hindrance(self):
        self.assertEqual(self.run_it("prog", VNC_ENABLE="true").returncode, 0)
        self.assertEqual(self.run_it().returncode, 0)
        self.assertNotIn("vnc", self.services())
        self.assertEqual(self.read("runtime/services/session/arguments"), "")

    def test_a_service_waits_until_the_other_is_supervised(self):
        for name in ("vnc", "display"):
            os.makedirs(self.stage.path("services/" + name))
        self.stage.write("services/vnc/dependencies", "display\nnone\n")
        self.stage.write("services/vnc/start", "#!/bin/sh\necho started\n")
        self.stage.program("s6-svok", f"[ -e {self.stage.path('asked')} ] || {{ touch {self.stage.path('asked')}; exit 1; }}")
        self.stage.program("s6-svwait", f"[ -e {self.stage.path('asked')} ] && echo \"waited $*\"")
        self.stage.script("containers/services/vitrine-service")
        self.stage.program("run", f"cd {self.stage.path('services/vnc')} && exec vitrine-service")
        self.assertEqual(self.stage.run("run").stdout, "waited -U ../display\nstarted\n")

    def test_the_session_is_found_where_its_settings_say(self):
        self.stage.program("vitrine", '[ "$1" = setting ] && case $2 in port) echo 8123 ;; listen) echo 127.0.0.5 ;; tls-cert) echo /cert ;; *) echo /desk/ ;; esac')
        os.mkdir(self.stage.path("websockify"))
        self.stage.write("websockify/__init__.py", "")
        self.stage.write("websockify/auth_plugins.py", "AuthenticationError = BasicHTTPAuth = object\n")
        self.stage.program("ask", f"PYTHONPATH={self.stage.folder}:{ROOT}/containers/services exec /usr/bin/python3 -B -c "
                                  "'import access; print(access.PORT, access.ADDRESS, access.CERTIFICATE, access.BASE_PATH)'")
        result = self.stage.run("ask", VITRINE_PORT="1")
        self.assertEqual(result.stdout, "8123 127.0.0.5 /cert /desk\n", result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
