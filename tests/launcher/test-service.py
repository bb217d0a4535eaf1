# SPDX-License-Identifier: LGPL-2.1-or-later
"""A session as a service: readiness, reloads, logs; reports and documents from the table of options."""
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from command import SOURCE, VITRINE, Test, children_of, environment, get, need, run, until
from managed import Managed

need("Xvfb", "xdpyinfo")
SECRET = "sesame-street"


class Service(Managed):
    def test_it_tells_that_it_is_ready_reloads_and_ends(self):
        self.write("bitrate=3000\ntitle=one\n")
        shown = os.path.join(self.folder, "environment")
        session = self.start("--virtual=320x240", f"--config={self.config}", "--", "sh", "-c", f"env > {shown}; exec sleep 600",
                             NOTIFY_SOCKET=self.manager.path, WATCHDOG_USEC="200000", VITRINE_PASSWORD=SECRET)
        self.assertEqual(self.manager.next(), "READY=1")
        session.wait_ready()
        until("signs of life", lambda: self.manager.socket.recv(4096) == b"WATCHDOG=1")
        until("the program", lambda: os.path.exists(shown) and os.path.getsize(shown))
        with open(shown) as file:
            inside = file.read()
        for word in ("NOTIFY_SOCKET", "WATCHDOG_USEC", SECRET):
            self.assertNotIn(word, inside)
        with open(f"/proc/{session.process.pid}/environ") as file:
            self.assertNotIn(SECRET, file.read())

        self.write("bitrate=4000\ntitle=one\nsize=640x480\n")
        session.process.send_signal(signal.SIGHUP)
        self.assertTrue(self.manager.next().startswith("RELOADING=1\nMONOTONIC_USEC="))
        self.assertEqual(self.manager.next(), "READY=1")
        self.assertEqual(session.complaints(), [f"vitrine: {self.config}:4: size: has changed; it counts from the next start on",
                                                "vitrine: the settings were read again"])
        self.write("bitrate=fast\n")
        session.process.send_signal(signal.SIGHUP)
        self.assertTrue(self.manager.next().startswith("RELOADING=1"))
        self.assertEqual(self.manager.next(), "READY=1")
        self.assertEqual(session.complaints()[2], f"vitrine: {self.config}:2: [settings] bitrate: 'fast' is not a number from 100 to 1000000; "
                                                  "the settings stay as they were")
        self.assertEqual(session.end(), 0)
        self.assertEqual(self.manager.next(), "STOPPING=1")

    def start_with(self, settings):
        self.write(settings)
        session = self.start("--virtual=320x240", f"--config={self.config}", "--", "sleep", "600", NOTIFY_SOCKET=self.manager.path)
        self.assertEqual(self.manager.next(), "READY=1")
        session.wait_ready()
        return session

    def test_accounts_change_while_it_runs(self):
        password = self.place("password", "first\n")
        session = self.start_with(f"password-file={password}\n")
        self.assertEqual(get(session.port, "/account", "user", "first"), 200)
        # The file alone changes.
        self.place("password", "second\n")
        self.assertEqual(self.reload(session), [self.AGAIN])
        self.assertEqual([get(session.port, "/account", "user", word) for word in ("first", "second")], [401, 200])
        accounts = self.place("accounts", "ann:sesame:view\n")
        self.write(f"password-file={password}\naccounts-file={accounts}\nmax-viewers=3\n")
        self.assertEqual(self.reload(session), [self.AGAIN])
        self.assertEqual(get(session.port, "/account", "ann", "sesame"), 200)
        # Broken files change nothing, not even what is right beside them.
        self.place("accounts", "ann:open:view\nbob:sesame\n")
        self.place("password", "third\n")
        self.assertEqual(self.reload(session), [f"vitrine: The accounts cannot be read: {accounts}:2: expected name:password:role; the settings stay as they were"])
        self.assertEqual([get(session.port, "/account", *who) for who in (("user", "second"), ("user", "third"), ("ann", "sesame"))], [200, 401, 200])
        self.place("password", "\n")
        self.assertEqual(self.reload(session), [f"vitrine: {self.config}:2: {password}: cannot be read, or its first line is empty; the settings stay as they were"])
        # And when they are good again.
        self.place("password", "third\n")
        self.place("accounts", "bob:sesame:view\n")
        self.assertEqual(self.reload(session), [self.AGAIN])
        self.assertEqual([get(session.port, "/account", *who) for who in (("user", "third"), ("ann", "sesame"), ("bob", "sesame"))], [200, 401, 200])

    def test_without_any_password_left_it_makes_one_and_says_so(self):
        password = self.place("password", "first\n")
        session = self.start_with(f"password-file={password}\n")
        self.write("")
        self.assertEqual(self.reload(session), [self.AGAIN])
        made = re.search(r"Password +(\S+)", session.text(session.out)).group(1)
        self.assertEqual([get(session.port, "/account", "user", word) for word in ("first", made)], [401, 200])

    def test_the_certificate_is_renewed_while_it_runs(self):
        self.certificate("first")
        tls = f"tls-cert={self.folder}/cert.pem\ntls-key={self.folder}/key.pem\n"
        session = self.start_with(tls)
        self.assertEqual(self.shown_name(session.port), "subject=CN=first")
        healthy = run("health", f"--config={self.config}", f"--port={session.port}")
        self.assertEqual((healthy.returncode, healthy.stderr), (0, ""))
        self.certificate("second")
        self.assertEqual(self.reload(session), [self.AGAIN])
        self.assertEqual(self.shown_name(session.port), "subject=CN=second")
        self.place("cert.pem", "no certificate")
        said = self.reload(session)
        self.assertEqual(len(said), 1)
        self.assertIn(f"tls-certificate '{self.folder}/cert.pem'", said[0])
        self.assertIn("; the settings stay as they were", said[0])
        self.assertEqual(self.shown_name(session.port), "subject=CN=second")
        # As if it was read between the two.
        self.certificate("other")
        with open(os.path.join(self.folder, "cert.pem")) as file:
            other = file.read()
        self.certificate("second")
        self.place("cert.pem", other)
        self.assertIn(f"tls-key '{self.folder}/key.pem': it is not the key of tls-certificate '{self.folder}/cert.pem'", self.reload(session)[0])
        self.assertEqual(self.shown_name(session.port), "subject=CN=second")
        # Whether there is TLS at all is another matter.
        self.write("")
        self.certificate("third")
        self.assertEqual(sorted(self.reload(session)), sorted(
            [f"vitrine: default: {name}: has changed; it counts from the next start on" for name in ("tls-cert", "tls-key")] + [self.AGAIN]))
        self.assertIn("subject=CN=", self.shown_name(session.port))

    def test_turn_servers_change_while_it_runs(self):
        def servers():
            request = urllib.request.Request(f"http://127.0.0.1:{session.port}/turn")
            request.add_header("Authorization", "Basic " + base64.b64encode(b"user:sesame").decode())
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)["iceServers"]
        password = "password=sesame\n"
        session = self.start_with(password)
        self.assertEqual(servers(), [])
        secret = self.place("secret", "shared\n")
        self.write(f"{password}turn-servers=turn:turn.example\nturn-shared-secret-file={secret}\n")
        self.assertEqual(self.reload(session), [self.AGAIN])
        first = servers()[0]
        self.assertEqual(first["urls"], ["turn:turn.example:3478?transport=udp"])
        self.place("secret", "another\n")
        self.assertEqual(self.reload(session), [self.AGAIN])
        self.assertNotEqual(servers()[0]["credential"], first["credential"])
        rtc = self.place("rtc.json", '{"iceServers":[{"urls":["stun:one.example"]}]}')
        self.write(f"{password}rtc-config-file={rtc}\n")
        self.assertEqual(self.reload(session), [self.AGAIN])
        self.assertEqual([server["urls"] for server in servers()], [["stun:one.example:3478"]])
        broken = self.place("broken.json", "{")
        self.write(f"{password}rtc-config-file={broken}\n")
        said = self.reload(session)
        self.assertIn(f"rtc-config-file: '{broken}': ", said[0])
        self.assertEqual([server["urls"] for server in servers()], [["stun:one.example:3478"]])

    def test_lines_are_as_many_as_are_asked_for(self):
        session = self.start_with("log-level=error\n")
        self.assertEqual(get(session.port, "/account", "user", "wrong"), 401)
        self.assertEqual(session.text(session.err), "")
        self.write("log-level=debug\n")
        self.assertIn(self.AGAIN, self.reload(session))
        self.assertEqual(get(session.port, "/account", "user", "wrong"), 401)
        until("elements to say more", lambda: "wrong user" in session.text(session.err))
        self.write("log-level=warning\n")
        self.assertEqual([line for line in self.reload(session) if line.startswith("vitrine: ")], [])

    def test_it_writes_a_line_when_it_is_ready_and_keeps_the_descriptor_to_itself(self):
        end, other_end = os.pipe()
        self.addCleanup(os.close, end)
        shown = os.path.join(self.folder, "descriptors")
        session = self.start("--virtual=320x240", "--", "sh", "-c", f"ls -l /proc/self/fd > {shown}; env >> {shown}; exec sleep 600",
                             pass_fds=(other_end,), VITRINE_READY_FD=str(other_end))
        os.close(other_end)
        self.assertEqual(os.read(end, 100), b"\n")
        self.assertEqual(get(session.port, "/health"), 200)
        self.assertEqual(os.read(end, 100), b"", "it is closed, and nobody else has it")
        with open(shown) as file:
            self.assertNotIn("VITRINE_READY_FD", file.read())

    def test_orphans_of_the_program_are_buried(self):
        done = os.path.join(self.folder, "done")
        session = self.start("--virtual=320x240", "--", "sh", "-c", f"for i in 1 2 3; do (sh -c 'touch {done}-$0' $i &); done; exec sleep 600")
        session.wait_ready()
        until("them to end", lambda: all(os.path.exists(f"{done}-{i}") for i in (1, 2, 3)))
        until("nothing to be left of them", lambda: not children_of(session.process.pid, "sh"), 30)

    def test_a_log_as_json_is_json_line_by_line(self):
        session = self.start("--virtual=320x240", "--log-format=json", "--", "sleep", "600", DISPLAY_CDEPTH="30", GST_DEBUG="vitrine:5,ximage*:4")
        session.wait_ready()
        self.assertEqual(session.end(), 0)
        lines = [json.loads(line) for line in session.text(session.err).splitlines()]
        self.assertIn("DISPLAY_CDEPTH: does nothing here: colours have 24 bits", [line["message"] for line in lines])
        self.assertTrue(all({"time", "level", "message"} <= line.keys() for line in lines))
        told = json.loads(session.text(session.out))
        self.assertEqual((told["url"], told["user"], len(told["one_time_password"])), (f"http://localhost:{session.port}/", "user", 19))


class Size(Test):
    def shown(self, *arguments, **changes):
        """What programs are told of the display."""
        session = self.start("--no-audio", *arguments, "--", "sh", "-c", "xdpyinfo | grep -A1 dimensions:; exec sleep 600", **changes)
        session.wait_ready()
        return until("the program", lambda: "resolution:" in session.text(session.out) and session.text(session.out))

    def test_the_private_server_has_the_size_of_old_variables(self):
        self.assertIn(" 800x600 pixels", self.shown(DISPLAY_SIZEW="800", DISPLAY_SIZEH="600"))

    def test_the_private_server_has_the_resolution_of_old_variables(self):
        shown = self.shown(DISPLAY_SIZEW="800", DISPLAY_SIZEH="600", DISPLAY_DPI="144")
        self.assertIn(" 800x600 pixels", shown)
        self.assertIn(" 144x144 dots per inch", shown)


class Waiting(Test):
    def test_it_starts_when_the_file_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ready")
            session = self.start("--virtual=320x240", "--", "sleep", "600", APP_AUTO_INIT="false", APP_READY_FILE=path)
            until("it to wait", lambda: f"vitrine: waiting for {path}" in session.complaints())
            open(path, "w").close()
            session.wait_ready()


class Reports(Test):
    def test_print_config_says_where_each_value_came_from(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "password"), "w") as file:
                file.write(SECRET + "\n")
            result = run("--print-config", "--framerate=30", "--display=:9", CREDENTIALS_DIRECTORY=folder, SELKIES_PORT="81")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"(?m)^framerate +30 +--framerate$")
        self.assertRegex(result.stdout, r"(?m)^port +81 +SELKIES_PORT$")
        self.assertRegex(result.stdout, r"(?m)^password +\*\*\* +credential password$")
        self.assertRegex(result.stdout, r"(?m)^user +user +default$")
        self.assertNotIn(SECRET, result.stdout)

    def test_version_lists_the_plugins(self):
        lines = run("--version").stdout.splitlines()
        self.assertRegex(lines[0], r"^vitrine \d+\.\d+\.\d+ \(GStreamer ")
        for plugin in ("webrtcsignaller", "x11remote", "ximageshm"):
            self.assertTrue(any(line.startswith(f"  {plugin} ") for line in lines), lines)


class Documents(Test):
    def test_the_manual_page_has_no_mistake(self):
        page = run("man-page").stdout
        self.assertTrue(page.startswith('.\\" '))
        if shutil.which("groff"):
            result = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z"], input=page, text=True, capture_output=True)
            self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_bash_completes_options_choices_and_commands(self):
        script = run("completion", "bash").stdout
        for words, expected in ((["--log-f"], "--log-format="), (["--log-format", "=", "j"], "json"), (["doc"], "doctor"),
                                (["completion", "z"], "zsh"), (["--", "ca"], "cat")):
            line = " ".join(f"'{word}'" for word in ["vitrine", *words])
            result = subprocess.run(["bash", "-c", f"compopt() {{ :; }}\n{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words)}; _vitrine; "
                                                   "printf '%s\\n' \"${COMPREPLY[@]}\""], text=True, capture_output=True)
            self.assertIn(expected, result.stdout.split("\n"), (words, result.stderr))

    def test_zsh_reads_its_script(self):
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        result = subprocess.run(["zsh", "-n", "/dev/stdin"], input=run("completion", "zsh").stdout, text=True, capture_output=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))

    def test_units_are_right(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        with tempfile.TemporaryDirectory() as folder:
            for name, options in (("vitrine", []), ("vitrine-user", ["--user"])):
                with open(os.path.join(SOURCE, f"launcher/systemd/{name}.service.in")) as file:
                    text = file.read().replace("@bindir@/vitrine", VITRINE)
                path = os.path.join(folder, name + ".service")
                with open(path, "w") as file:
                    file.write(text)
                result = subprocess.run(["systemd-analyze", "verify", "--man=no", *options, path], text=True, capture_output=True,
                                        env=environment(XDG_RUNTIME_DIR=folder))
                self.assertEqual((result.returncode, result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(verbosity=2)
