# SPDX-License-Identifier: LGPL-2.1-or-later
"""The private sound server: when there is one, that programs find it, that it is kept alive, and that nothing stays of it. Who hears it is
in tests/e2e/sound.test.mjs."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from command import Test, VITRINE, children_of, environment, free_port, get, need, until

need("Xvfb", "pgrep", "pulseaudio", "pactl")
SMALL = "--virtual=320x240"
TELL = ("--", "sh", "-c", 'echo "sound at ${PULSE_SERVER:-nowhere}."; exec sleep 620')


def pactl(address, *words):
    return subprocess.run(["pactl", *words], env=environment(PULSE_SERVER=address, HOME="/dev/null"), capture_output=True, text=True).stdout


def told(session):
    return until("the program", lambda: re.search(r"sound at (\S+)\.$", session.text(session.out), re.M)).group(1)


def processor_ms(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return 10 * (int(fields[11]) + int(fields[12]))


class Sound(Test):
    def test_a_private_display_has_a_private_sound_server_when_none_answers(self):
        session = self.start(SMALL, *TELL)
        session.wait_ready()
        address = told(session)
        self.assertTrue(address.startswith("unix:" + session.folder), address)
        folder = os.path.dirname(address.removeprefix("unix:"))
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        about = pactl(address, "info")
        self.assertIn("Default Sink: vitrine\n", about)
        self.assertIn("Default Source: vitrine_microphone\n", about)
        self.assertEqual(len(children_of(session.process.pid, "pulseaudio")), 1)
        self.assertEqual(session.end(), 0)
        self.assertEqual(session.left_behind(), [])
        self.assertEqual(session.complaints(), [])

    def test_idle_it_sleeps(self):
        session = self.start(SMALL, *TELL)
        session.wait_ready()
        address = told(session)
        server = children_of(session.process.pid, "pulseaudio")[0]
        until("its sinks to be suspended", lambda: pactl(address, "list", "short", "sinks").count("SUSPENDED") == 2)
        before = processor_ms(server)
        time.sleep(3)
        self.assertLessEqual(processor_ms(server) - before, 10)

    def test_killed_it_comes_back_at_the_same_address_and_the_program_goes_on(self):
        session = self.start(SMALL, *TELL)
        session.wait_ready()
        address = told(session)
        server = children_of(session.process.pid, "pulseaudio")[0]
        program = children_of(session.process.pid, "sleep")
        os.kill(server, signal.SIGKILL)
        until("another one", lambda: [pid for pid in children_of(session.process.pid, "pulseaudio") if pid != server])
        until("it to answer", lambda: "Default Sink: vitrine\n" in pactl(address, "info"))
        self.assertEqual(children_of(session.process.pid, "sleep"), program)
        self.assertEqual(session.end(), 0)
        self.assertEqual(session.left_behind(), [])

    def test_one_that_dies_again_and_again_is_given_up_and_the_session_goes_on_in_silence(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "pulseaudio"), "w") as file:
                file.write("#!/bin/sh\nexit 1\n")
            os.chmod(file.name, 0o755)
            session = self.start(SMALL, *TELL, PATH=f"{folder}:{os.environ['PATH']}")
            session.wait_ready()
            until("the end of it", lambda: "vitrine: the private sound server ends again and again" in session.complaints(), 60)
            self.assertEqual(get(session.port, "/health"), 200)
            self.assertEqual(session.end(), 0)
            self.assertEqual(session.left_behind(), [])

    def test_where_there_is_no_pulseaudio_a_session_is_silent_unless_it_was_asked_for(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("Xvfb", "xkbcomp", "sh", "sleep"):
                os.symlink(subprocess.check_output(["which", name], text=True).strip(), os.path.join(folder, name))
            session = self.start(SMALL, *TELL, PATH=folder)
            session.wait_ready()
            self.assertEqual(told(session), "nowhere")
            self.assertEqual(session.complaints(), [])
            asked = self.start(SMALL, "--sound-server=private", *TELL, PATH=folder)
            self.assertEqual(asked.process.wait(timeout=30), 5)
            self.assertEqual(len(asked.complaints()), 1)
            self.assertIn("pulseaudio: No such file or directory", asked.complaints()[0])

    def test_one_that_answers_is_shared_and_settings_decide(self):
        with tempfile.TemporaryDirectory() as folder:
            shared = f"unix:{folder}/native"
            other = subprocess.Popen(["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "-L",
                                      f"module-native-protocol-unix socket={folder}/native auth-anonymous=1", "-L", "module-null-sink"],
                                     env=environment(HOME=folder, PULSE_RUNTIME_PATH=folder), stderr=subprocess.DEVNULL)
            self.addCleanup(other.wait)
            self.addCleanup(other.kill)
            until("a sound server", lambda: "Server Name" in pactl(shared, "info"))
            session = self.start(SMALL, *TELL, PULSE_SERVER=shared)
            session.wait_ready()
            self.assertEqual(told(session), shared)
            own = self.start(SMALL, "--sound-server=private", *TELL, PULSE_SERVER=shared)
            own.wait_ready()
            self.assertNotEqual(told(own), shared)
            own.end()
        for option in ("--sound-server=shared", "--no-audio"):
            none = self.start(SMALL, option, *TELL)
            none.wait_ready()
            self.assertEqual(told(none), "nowhere")
            self.assertEqual(children_of(none.process.pid, "pulseaudio"), [])

    @unittest.skipUnless(os.getuid() == 0, "only root can be somebody else")
    def test_any_user_will_do_without_any_capability_or_name(self):
        folder = tempfile.mkdtemp(prefix="launcher-test-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.addCleanup(shutil.rmtree, folder)
        os.chown(folder, 4711, 0)
        out = tempfile.NamedTemporaryFile("w+")
        port = free_port()
        process = subprocess.Popen(["setpriv", "--reuid=4711", "--regid=0", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
                                    VITRINE, f"--port={port}", SMALL, "--no-auth", "--", "sh", "-c", "pactl info; exec sleep 620"],
                                   env=environment(XDG_RUNTIME_DIR=folder, TMPDIR=folder, HOME=folder), stdout=out, stderr=subprocess.STDOUT)
        self.addCleanup(process.kill)

        def answer():
            with open(out.name) as file:
                text = file.read()
            if process.poll() is not None:
                raise AssertionError(f"ended with {process.returncode}: {text}")
            return "Default Sink: vitrine\n" in text
        until("the program to reach the sound server", answer)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=30), 0)
        self.assertEqual([name for name in os.listdir(folder) if name.startswith("vitrine-")], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
