# SPDX-License-Identifier: LGPL-2.1-or-later
"""When a session goes on although something of it has died, and when it ends. With pictures and a viewer it is tests/e2e/keeper.test.mjs."""
import os
import signal
import time
import unittest

from command import Test, children_of, get, need, until

need("Xvfb", "pgrep")
SMALL = "--virtual=320x240"


class Program(Test):
    def test_a_crash_starts_it_again(self):
        session = self.start(SMALL, "--", "sleep", "611")
        session.wait_ready()
        first = until("the program", lambda: children_of(session.process.pid, "sleep"))
        os.kill(first[0], signal.SIGSEGV)
        second = until("another one", lambda: [pid for pid in children_of(session.process.pid, "sleep") if pid != first[0]], 5)
        self.assertEqual(get(session.port, "/health"), 200)
        os.kill(second[0], signal.SIGTERM)
        self.assertEqual(session.process.wait(timeout=30), 143, "who asks it to end means the session")
        self.assertEqual(session.left_behind(), [])

    def test_a_crash_again_and_again_is_the_end_with_its_status(self):
        session = self.start(SMALL, "--", "sh", "-c", "echo began; kill -SEGV $$")
        self.assertEqual(session.process.wait(timeout=60), 139)
        self.assertEqual(session.complaints(), ["vitrine: sh: ended with status 139, again and again"])
        self.assertEqual(session.text(session.out).count("began"), 6)
        self.assertEqual(session.left_behind(), [])

    def test_always_starts_it_again_after_a_good_end_too(self):
        session = self.start(SMALL, "--restart=always", "--", "sh", "-c", "echo began; sleep 0.2")
        until("three starts", lambda: session.text(session.out).count("began") >= 3)
        self.assertEqual(session.end(), 0)
        self.assertEqual(session.left_behind(), [])

    def test_an_unknown_policy_is_status_2(self):
        session = self.start(SMALL, "--restart=sometimes")
        self.assertEqual(session.process.wait(timeout=30), 2)
        self.assertEqual(session.complaints(), ["vitrine: --restart: 'sometimes' is none of never|on-crash|always; see vitrine --help"])


class Display(Test):
    def test_the_private_one_comes_back_with_its_number_and_cookie(self):
        session = self.start(SMALL, "--", "sleep", "612")
        session.wait_ready()
        first = children_of(session.process.pid, "Xvfb")[0]
        os.kill(first, signal.SIGKILL)
        second = until("another X server", lambda: [pid for pid in children_of(session.process.pid, "Xvfb") if pid != first], 5)[0]

        def option(pid, name):
            with open(f"/proc/{pid}/cmdline") as file:
                words = file.read().split("\0")
            return words[words.index(name) + 1]
        self.assertTrue(option(second, "-auth"))
        self.assertTrue(os.path.exists(option(second, "-auth")))
        time.sleep(1)
        self.assertEqual(get(session.port, "/health"), 200)
        self.assertEqual(len(children_of(session.process.pid, "sleep")), 1, "a program that outlives its display is left alone")
        self.assertEqual(session.complaints(), [])
        self.assertEqual(session.end(), 0)
        self.assertEqual(session.left_behind(), [])

    def test_somebody_elses_is_waited_for(self):
        other = self.start("--virtual=400x300", "--restart=never", "--", "sh", "-c", "echo $DISPLAY $XAUTHORITY; exec sleep 613")
        other.wait_ready()
        display, authority = until("the display", lambda: next(
            (line.split() for line in other.text(other.out).splitlines() if line.startswith(":") and len(line.split()) == 2), None))
        session = self.start(f"--display={display}", XAUTHORITY=authority)
        session.wait_ready()
        self.assertEqual(other.end(), 0)
        time.sleep(1)
        self.assertEqual(get(session.port, "/health"), 200, "it waits")
        self.assertEqual(session.complaints(), [])
        self.assertEqual(session.end(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
