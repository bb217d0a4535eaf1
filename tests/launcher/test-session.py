# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command with a private display: how it starts, how it ends, and that nothing stays."""
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
import unittest

from command import (HERE, Test, children_of, environment, free_port, get, need, processes_with, run, until)

need("Xvfb", "xdpyinfo", "pgrep", "gst-launch-1.0")
SMALL = "--virtual=320x240"


class Start(Test):
    def test_a_one_time_password_is_printed_once_and_is_the_only_one(self):
        session = self.start(SMALL)
        session.wait_ready()
        out = session.text(session.out)
        password = re.search(r"^Password\s+(\S+)", out, re.M).group(1)
        self.assertRegex(password, r"^[a-z2-9]{4}(-[a-z2-9]{4}){3}$")
        self.assertEqual((out + session.text(session.err)).count(password), 1)
        self.assertEqual(get(session.port), 401)
        self.assertEqual(get(session.port, "/metrics", "user", "guess"), 401)
        self.assertEqual(get(session.port, "/metrics", "user", password), 200)
        with open(f"/proc/{session.process.pid}/cmdline") as file:
            self.assertNotIn(password, file.read())

    def test_a_given_password_is_not_printed_and_user_and_file_count(self):
        secret = os.path.join(HERE, "golden/password-file")
        with open(secret) as file:
            password = file.readline().strip()
        session = self.start(SMALL, f"--password-file={secret}", "--user=ada")
        session.wait_ready()
        self.assertEqual(get(session.port, "/metrics", "ada", password), 200)
        self.assertEqual(get(session.port, "/metrics", "user", password), 401)
        self.assertNotIn(password, session.text(session.out) + session.text(session.err))

    def test_the_environments_password_reaches_neither_programs_nor_proc(self):
        session = self.start(SMALL, "--", "sh", "-c", 'env; exec sleep 600', VITRINE_PASSWORD="sesame-word")
        session.wait_ready()
        self.assertEqual(get(session.port, "/metrics", "user", "sesame-word"), 200)
        until("the program's environment", lambda: "DISPLAY=:" in session.text(session.out))
        self.assertNotIn("sesame-word", session.text(session.out))
        for pid in processes_with(session.mark):
            with open(f"/proc/{pid}/environ") as file:
                self.assertNotIn("sesame-word", file.read())

    def test_without_authentication_it_says_what_that_means(self):
        session = self.start(SMALL, "--no-auth", "--listen=127.0.0.1")
        session.wait_ready()
        self.assertEqual(get(session.port, "/metrics"), 200)
        self.assertIn("Everybody who reaches this port may see and control", session.text(session.out))
        self.assertNotIn("Password", session.text(session.out))

    def test_the_private_display_has_its_size_and_asks_for_its_cookie(self):
        session = self.start("--virtual=400x300", "--", "sh", "-c", 'xdpyinfo | grep dimensions; env; exec sleep 600')
        session.wait_ready()
        out = until("the program", lambda: "XAUTHORITY=" in session.text(session.out) and session.text(session.out))
        self.assertIn("400x300 pixels", out)
        display, authority = (re.search(rf"^{name}=(.*)$", out, re.M).group(1) for name in ("DISPLAY", "XAUTHORITY"))
        self.assertEqual(os.stat(authority).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(os.path.dirname(authority)).st_mode & 0o777, 0o700)
        stranger = subprocess.run(["xdpyinfo", "-display", display], env=environment(XAUTHORITY="/dev/null"), capture_output=True)
        self.assertNotEqual(stranger.returncode, 0)
        server = children_of(session.process.pid, "Xvfb")[0]
        listening = subprocess.run(["ss", "-Htlnp"], text=True, capture_output=True).stdout
        self.assertNotIn(f"pid={server},", listening)

    def test_it_starts_a_display_by_itself_only_when_there_is_none(self):
        own = self.start()
        own.wait_ready()
        server = children_of(own.process.pid, "Xvfb")
        self.assertEqual(len(server), 1)
        # As large as it may ever become: it cannot grow beyond what it starts with.
        with open(f"/proc/{server[0]}/cmdline") as file:
            self.assertIn("3840x2400x24", file.read())

    def test_the_display_it_starts_by_itself_has_the_default_size(self):
        session = self.start("--", "sh", "-c", "xdpyinfo | grep dimensions; exec sleep 600")
        session.wait_ready()
        until("the program", lambda: "1920x1080 pixels" in session.text(session.out))


class End(Test):
    def test_signals_end_everything_with_status_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                # A child, a child of a child that left the group, and one that is not waited for by its parent.
                session = self.start(SMALL, "--", "sh", "-c", "sleep 601 & setsid sh -c 'sleep 602 & sleep 603' & exec sleep 604")
                session.wait_ready()
                until("all programs", lambda: len(processes_with(session.mark)) >= 7)
                began = time.monotonic()
                self.assertEqual(session.end(number), 0)
                self.assertLess(time.monotonic() - began, 2.9, "nobody had to be killed")
                self.assertEqual(session.left_behind(), [])
                self.assertEqual(session.complaints(), [])

    def test_who_ignores_the_signal_is_killed(self):
        session = self.start(SMALL, "--", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
        session.wait_ready()
        began = time.monotonic()
        self.assertEqual(session.end(), 0)
        self.assertGreater(time.monotonic() - began, 2.5, "it was given time")
        self.assertEqual(session.left_behind(), [])

    def test_the_programs_end_is_the_sessions_end_with_its_status(self):
        for command, status in ((["true"], 0), (["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143),
                                (["sh", "-c", "kill -9 $$"], 137)):
            with self.subTest(command=command):
                session = self.start(SMALL, "--restart=never", "--", *command)
                self.assertEqual(session.process.wait(timeout=30), status)
                self.assertEqual(session.left_behind(), [])
                self.assertEqual(session.complaints(), [] if status == 0 else [f"vitrine: {command[0]}: ended with status {status}"])

    def test_what_a_program_leaves_behind_is_ended_too(self):
        session = self.start(SMALL, "--", "sh", "-c", "setsid sleep 605 & sleep 606 &")
        self.assertEqual(session.process.wait(timeout=30), 0)
        self.assertEqual(session.left_behind(), [])

    def test_a_program_that_cannot_be_run_is_127_or_126(self):
        for name, status in (("/nonexistent/program", 127), ("/etc/passwd", 126)):
            session = self.start(SMALL, "--", name)
            self.assertEqual(session.process.wait(timeout=30), status)
            self.assertEqual(len(session.complaints()), 1)
            self.assertIn(f"{name}: cannot be run: ", session.complaints()[0])
            self.assertEqual(session.left_behind(), [])

    def test_a_lost_display_is_status_3_where_it_is_not_to_come_back(self):
        # Upstream's capture leaves a lost display to Xlib, which ends the process: there is nothing to keep.
        for profile, restart in (("software-h264", "never"), (os.path.join(HERE, "stock-capture.profile"), "on-crash")):
            with self.subTest(profile=profile):
                session = self.start(SMALL, "--restart=" + restart, "--profile=" + profile, "--", "sleep", "600")
                session.wait_ready()
                os.kill(children_of(session.process.pid, "Xvfb")[0], signal.SIGKILL)
                self.assertEqual(session.process.wait(timeout=30), 3)
                self.assertEqual(len(session.complaints()), 1, session.text(session.err))
                self.assertRegex(session.complaints()[0], "X server has ended|X display is lost")
                self.assertEqual(session.left_behind(), [])

    def test_a_signal_while_the_display_starts_is_a_clean_end(self):
        session = self.start(SMALL)
        until("its X server", lambda: children_of(session.process.pid, "Xvfb"))
        self.assertEqual(session.end(), 0)
        self.assertEqual(session.left_behind(), [])

    def test_when_it_is_killed_its_programs_end_and_the_next_one_cleans_up(self):
        session = self.start(SMALL, "--", "sleep", "607")
        session.wait_ready()
        session.end(signal.SIGKILL)
        until("its children to end", lambda: not processes_with(session.mark), 5)
        self.assertEqual(len(session.left_behind()), 3 if shutil.which("pulseaudio") else 2, "the private folders of X server, gamepads and sound server")
        following = self.start(SMALL, "--", "true", XDG_RUNTIME_DIR=session.folder)
        self.assertEqual(following.process.wait(timeout=30), 0)
        self.assertEqual(session.left_behind(), [], "the next one has removed it")


class Refusals(Test):
    def test_no_such_display_is_status_3(self):
        for arguments, changes in ((["--display=:4711"], {}), ([], {"DISPLAY": ":4711"})):
            session = self.start(*arguments, **changes)
            self.assertEqual(session.process.wait(timeout=30), 3)
            self.assertEqual(len(session.complaints()), 1)
            self.assertRegex(session.complaints()[0], r":4711.*; name another with --display, or start one with --virtual$")

    def test_no_x_server_to_start_is_status_3_and_says_what_to_install(self):
        result = run(SMALL, PATH="/nonexistent")
        self.assertEqual(result.returncode, 3)
        self.assertEqual(result.stderr, "vitrine: Xvfb: No such file or directory; on Debian: apt install xvfb\n")

    def test_a_port_in_use_is_status_4_and_does_not_touch_who_has_it(self):
        first = self.start(SMALL)
        first.wait_ready()
        second = self.start(SMALL, port=first.port)
        self.assertEqual(second.process.wait(timeout=30), 4)
        self.assertEqual(second.complaints(), [f"vitrine: Port {first.port} is in use; choose another with --port"])
        self.assertEqual(second.left_behind(), [])
        self.assertEqual(get(first.port, "/health"), 200)

    def test_bad_certificates_and_accounts_are_status_2(self):
        for arguments in (["--tls-cert=/dev/null", "--tls-key=/dev/null"], ["--accounts-file=/nonexistent/accounts"]):
            session = self.start(SMALL, *arguments)
            self.assertEqual(session.process.wait(timeout=30), 2, session.text(session.err))
            self.assertEqual(len(session.complaints()), 1)
            self.assertEqual(session.left_behind(), [])


class LaunchLine(Test):
    def test_what_is_printed_runs(self):
        display = self.start("--virtual=320x240", "--", "sh", "-c", "env; exec sleep 600")
        display.wait_ready()
        out = until("the display", lambda: "XAUTHORITY=" in display.text(display.out) and display.text(display.out))
        where = dict(re.findall(r"^(DISPLAY|XAUTHORITY)=(.*)$", out, re.M))
        for profile in ("software-h264", "software-vp8", os.path.join(HERE, "stock-capture.profile")):
            with self.subTest(profile=profile):
                port = free_port()
                printed = run("pipeline", f"--port={port}", "--no-auth", "--title=Bob's desk; $HOME", "--profile=" + profile)
                self.assertEqual(printed.returncode, 0, printed.stderr)
                self.assertEqual(shlex.split(printed.stdout)[0], "gst-launch-1.0")
                # Shells have what they start behind "&" ignore SIGINT, and gst-launch-1.0 takes it over only once it plays.
                line = subprocess.Popen(["sh", "-c", "exec " + printed.stdout], env=environment(**where), text=True,
                                        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                try:
                    until("the page", lambda: get(port, "/health") == 200 or line.poll() is not None)
                    self.assertIsNone(line.poll(), "it ended")
                    self.assertEqual(get(port, "/metrics"), 200)
                finally:
                    line.send_signal(signal.SIGINT)
                    text = line.communicate(timeout=20)[0]
                self.assertNotIn("ERROR", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
