# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command without a display: texts, profiles with mistakes, and the launch lines it prints."""
import glob
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from command import HERE, SOURCE, Test, free_port, run, until

PROFILES = sorted(os.path.basename(p)[:-len(".profile")] for p in glob.glob(os.path.join(SOURCE, "launcher/profiles/*.profile")))
# Those for GPUs have their golden lines in profiles.cpp, with fakes for the elements that register only where the hardware is.
SOFTWARE = [name for name in PROFILES if name.startswith("software-")]
# The server does not send this codec yet: it is for the encoders' sake alone.
NOT_SENT = ("software-h265",)
# Its encoders are of GStreamer 1.24 and later.
NEEDS_NEWER = ("software-av1",)


class Texts(Test):
    def test_version_is_on_stdout(self):
        result = run("--version")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"^vitrine \d+\.\d+\.\d+ \(GStreamer ")

    def test_help_is_on_stdout(self):
        result = run("--help")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn("--virtual[=WIDTHxHEIGHT]  (VITRINE_VIRTUAL)", result.stdout)

    def test_the_table_of_settings_is_up_to_date(self):
        with open(os.path.join(SOURCE, "docs/environment.md")) as file:
            self.assertEqual(run("environment-document").stdout, file.read(),
                             "write it anew: vitrine environment-document > docs/environment.md")

    def test_wrong_usage_is_one_line_and_status_2(self):
        for arguments, changes, expected in (
                (["--prot=1"], {}, "unknown option --prot"),
                (["xterm"], {}, "unknown command 'xterm'; a program to run comes after '--'"),
                (["check"], {}, "unknown command 'check'"),
                (["--port=0"], {}, "--port: '0' is not a number from 1 to 65535"),
                ([], {"VITRINE_PORT": "http"}, "VITRINE_PORT: 'http' is not a number from 1 to 65535"),
                (["--password=sesame"], {}, "--password: command lines can be read by others"),
                (["--display=:0", "--profile=nope"], {}, "there is no profile 'nope' in "),
                (["--display=:0", "--profile=/nonexistent/p"], {}, "/nonexistent/p: cannot be read: No such file"),
                (["--display=:0", "--password-file=/nonexistent/p"], {}, "--password-file: /nonexistent/p: cannot be read"),
                (["setting", "nope"], {}, "unknown option --nope"),
                (["setting", "help"], {}, "unknown option --help"),
                (["setting", "password"], {"VITRINE_PASSWORD": "sesame"}, "password: is a secret, and is not printed"),
                (["setting", "turn-rest-uri"], {"VITRINE_TURN_REST_URI": "https://x/?key=sesame"}, "turn-rest-uri: is a secret, "),
                (["--display=:0", "--password-file=/dev/null"], {}, "--password-file: /dev/null: cannot be read, or its first line"),
        ):
            with self.subTest(arguments=arguments, changes=changes):
                result = run(*arguments, **changes)
                self.assertEqual(result.returncode, 2)
                self.assertEqual(result.stdout, "")
                self.assertTrue(result.stderr.startswith("vitrine: " + expected), result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertNotIn("sesame", result.stderr)


class OneSetting(Test):
    def test_it_is_what_counts_here_wherever_it_came_from(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "vitrine"))
            with open(os.path.join(folder, "vitrine/vitrine.conf"), "w") as file:
                file.write("[settings]\nport=81\ntitle=A b\n")
            for arguments, changes, expected in (
                    (["port"], {}, "81"), (["title"], {}, "A b"), (["port"], {"NGINX_PORT": "82"}, "82"), (["tls-cert"], {}, ""),
                    (["port", "--port=84"], {"NGINX_PORT": "82"}, "84"), (["base-path"], {"SUBFOLDER": "/desk/"}, "/desk/"),
                    (["tls-cert"], {"SELKIES_ENABLE_HTTPS": "true", "SELKIES_HTTPS_CERT": "/c"}, "/c")):
                with self.subTest(arguments=arguments, changes=changes):
                    result = run("setting", *arguments, XDG_CONFIG_HOME=folder, **changes)
                    self.assertEqual((result.returncode, result.stdout, result.stderr), (0, expected + "\n", ""))


class Health(Test):
    def answer_with(self, status, address="127.0.0.1", family=socket.AF_INET):
        server = socket.socket(family)
        self.addCleanup(server.close)
        server.bind((address, 0))
        server.listen()

        def serve():
            connection, _ = server.accept()
            with connection:
                self.asked = connection.recv(1000)
                connection.sendall(f"HTTP/1.0 {status}\r\n\r\nbody\n".encode())
        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        return server.getsockname()[1]

    def test_it_is_asked_where_the_settings_say(self):
        for name in ("VITRINE_PORT", "NGINX_PORT", "CUSTOM_PORT", "SELKIES_PORT", "LISTEN_PORT"):
            with self.subTest(name):
                result = run("health", **{name: str(self.answer_with("200 OK"))})
                self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""))
                self.assertTrue(self.asked.startswith(b"GET /health HTTP/1.0\r\n"), self.asked)
        port = self.answer_with("200 OK", "127.0.0.3")
        self.assertEqual(run("health", f"--port={port}", "--listen=127.0.0.3").returncode, 0)

    def test_what_answers_otherwise_or_not_at_all_is_not_well(self):
        port = self.answer_with("503 Busy")
        result = run("health", f"--port={port}")
        self.assertEqual(result.returncode, 1)
        self.assertIn(f"the session does not answer (127.0.0.1, port {port}): HTTP/1.0 503 Busy", result.stderr)
        result = run("health", f"--port={free_port()}")
        self.assertEqual((result.returncode, result.stderr.count("\n")), (1, 1))
        self.assertIn("Connection refused", result.stderr)


class WaitForFile(Test):
    def test_a_signal_ends_it_with_status_0(self):
        # The first process of a container would not even hear it without a handler, so it must have one.
        for number in (signal.SIGTERM, signal.SIGINT):
            waiting = self.start("--wait-for-file=/nonexistent/file")
            until("it to wait", lambda: "waiting for /nonexistent/file" in waiting.text(waiting.err))
            self.assertEqual(waiting.end(number), 0)


class ShippedProfiles(Test):
    def test_there_are_some(self):
        self.assertIn("software-h264", PROFILES)

    def test_none_has_a_mistake(self):
        for name in PROFILES:
            with self.subTest(profile=name):
                result = run("check", os.path.join(SOURCE, "launcher/profiles", name + ".profile"))
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                self.assertIn("no error found", result.stdout)

    def test_all_are_listed(self):
        result = run("profiles", XDG_CONFIG_HOME="/nonexistent")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual([line.split()[0] for line in result.stdout.splitlines()], PROFILES)

    def golden(self, profile, result, suffix=""):
        if profile in NOT_SENT:
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("the server sends none of its codecs, ", result.stderr)
            return
        if profile in NEEDS_NEWER:
            self.assertIn(result.returncode, (0, 5))
            self.assertIn("av1enc", result.stdout + result.stderr)
            return
        with open(os.path.join(HERE, "golden", profile + suffix + ".txt")) as file:
            self.assertEqual(result.stdout, file.read())

    def test_the_launch_line_is_as_agreed(self):
        for name in SOFTWARE:
            with self.subTest(profile=name):
                self.golden(name, run("pipeline", "--profile=" + name, "--display=:9"))

    def test_the_launch_line_with_stock_elements_is_as_agreed(self):
        plugins = os.environ["GST_PLUGIN_PATH"].split(":")
        stock = ":".join(p for p in plugins if not p.endswith("/capture"))
        with tempfile.TemporaryDirectory() as folder:
            for name in SOFTWARE:
                with self.subTest(profile=name):
                    result = run("pipeline", "--profile=" + name, "--display=:9", GST_PLUGIN_PATH=stock,
                                 GST_REGISTRY=os.path.join(folder, "registry"))
                    self.golden(name, result, "-stock")

    def test_the_launch_line_never_holds_the_password(self):
        result = run("pipeline", VITRINE_PASSWORD="sesame")
        self.assertEqual(result.returncode, 0)
        self.assertNotIn("sesame", result.stdout + result.stderr)
        self.assertIn(" accounts-file=accounts.txt ", result.stdout)
        self.assertIn("user:PASSWORD:control", result.stderr)


class OwnProfiles(Test):
    def test_the_users_folder_comes_first_and_its_settings_count(self):
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "vitrine/profiles"))
            with open(os.path.join(SOURCE, "launcher/profiles/software-vp8.profile")) as file:
                text = file.read() + "\n[settings]\nframerate=24\nbitrate=2345\n"
            with open(os.path.join(folder, "vitrine/profiles/software-vp8.profile"), "w") as file:
                file.write(text)
            arguments = ("pipeline", "--profile=software-vp8")
            line = run(*arguments, XDG_CONFIG_HOME=folder).stdout
            self.assertRegex(line, r"framerate=24/1 .* target-bitrate=2345000 ")
            line = run(*arguments, "--framerate=30", XDG_CONFIG_HOME=folder, VITRINE_BITRATE="3456").stdout
            self.assertRegex(line, r"framerate=30/1 .* target-bitrate=3456000 ")

    def test_each_mistake_is_told_with_its_place_and_what_is_allowed(self):
        for path in sorted(glob.glob(os.path.join(HERE, "bad-profiles/*.profile"))):
            with self.subTest(path=path):
                result = run("check", os.path.relpath(path, HERE), XDG_CONFIG_HOME="/nonexistent", VITRINE_PROFILE_DIR="/shipped")
                with open(path[:-len(".profile")] + ".error") as file:
                    self.assertEqual(result.stderr, file.read())
                self.assertEqual(result.returncode, 2)

    def test_a_mistake_in_a_drop_in_is_told_with_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            drop_ins = os.path.join(folder, "vitrine/profiles/software-vp8.profile.d")
            os.makedirs(drop_ins)
            path = os.path.join(drop_ins, "quality.conf")
            for text, expected in (("[encoder vp8enc]\n@bitrat=x*1\n", ":2: [encoder vp8enc] @bitrat: unknown key; known are @element, "),
                                   ("[profile]\ncodec=;\n", ":2: [profile] codec: is empty\n"),
                                   ("[settings]\nframerate=1000\n", ":2: [settings] framerate: '1000' is not a number from 1 to 240\n")):
                with open(path, "w") as file:
                    file.write(text)
                result = run("check", os.path.join(SOURCE, "launcher/profiles/software-vp8.profile"), XDG_CONFIG_HOME=folder)
                self.assertEqual(result.returncode, 2)
                self.assertTrue(result.stderr.startswith("vitrine: " + path + expected), result.stderr)

    def test_a_missing_encoder_is_status_5_and_says_what_to_install(self):
        with tempfile.NamedTemporaryFile("w", suffix=".profile") as file:
            file.write("[profile]\nformat=1\ntitle=x\ncodec=H264\ncapture=ximagesrc\nencoder=nosuchenc\n"
                       "[capture ximagesrc]\n[encoder nosuchenc]\n")
            file.flush()
            for arguments in (["pipeline"], ["--display=:9"]):
                result = run(*arguments, "--profile=" + file.name)
                self.assertEqual(result.returncode, 5, result.stderr)
                self.assertIn("none of these elements is installed: nosuchenc; on Debian: apt install", result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1)
            checked = run("check", file.name)
            self.assertEqual(checked.returncode, 0)
            self.assertIn('not installed, so not checked: "nosuchenc"', checked.stdout)

    def test_missing_plugins_of_our_own_are_status_5(self):
        with tempfile.TemporaryDirectory() as folder:
            result = run("--display=:9", GST_PLUGIN_PATH=folder, GST_REGISTRY=os.path.join(folder, "registry"))
            self.assertEqual(result.returncode, 5, result.stderr)
            self.assertIn('no element "webrtcsignallerbin"; is Vitrine\'s plugin folder in GST_PLUGIN_PATH?', result.stderr)


class Scripts(Test):
    def test_shell_scripts_are_clean(self):
        if not shutil.which("shellcheck"):
            self.skipTest("shellcheck is not installed")
        scripts = []
        for path in [*sorted(glob.glob(os.path.join(SOURCE, "scripts/*"))), os.path.join(SOURCE, ".ci/run")]:
            with open(path) as file:
                if re.match(r"#!.*\b(ba)?sh$", file.readline().rstrip()):
                    scripts.append(path)
        self.assertGreater(len(scripts), 5)
        result = subprocess.run(["shellcheck", *scripts], text=True, capture_output=True)
        self.assertEqual(result.stdout, "")

    def test_every_file_with_texts_is_known_to_the_translators(self):
        with open(os.path.join(SOURCE, "po/POTFILES")) as file:
            known = {line.strip() for line in file if line.strip() and not line.startswith("#")}
        marked = set()
        for path in glob.glob(os.path.join(SOURCE, "launcher/*.cpp")):
            with open(path) as file:
                if re.search(r"\bN?_\(\s*\"", file.read()):
                    marked.add(os.path.relpath(path, SOURCE))
        self.assertLessEqual(marked, known)
        for name in known:
            self.assertTrue(os.path.exists(os.path.join(SOURCE, name)), name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
