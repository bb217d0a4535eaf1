# SPDX-License-Identifier: LGPL-2.1-or-later
"""`vitrine probe` and --profile=auto, on whatever machine this is."""
import json
import os
import re
import resource
import shutil
import stat
import tempfile
import time
import unittest

from command import SOURCE, Test, run

PROFILES = os.path.join(SOURCE, "launcher/profiles")


class Probe(Test):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="probe-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.profiles = os.path.join(self.folder, "profiles")
        os.mkdir(self.profiles)
        self.cache = os.path.join(self.folder, "cache")

    def add(self, name, text):
        with open(os.path.join(self.profiles, name + ".profile"), "w") as file:
            file.write(text)

    def ship(self, *names):
        for name in names:
            shutil.copy(os.path.join(PROFILES, name + ".profile"), self.profiles)

    def vitrine(self, *arguments, **changes):
        return run(*arguments, XDG_CACHE_HOME=self.cache, XDG_CONFIG_HOME=self.folder, VITRINE_PROFILE_DIR=self.profiles, **changes)

    def probe(self, status=(0,), **changes):
        result = self.vitrine("probe", "--json", "--size=320x240", **changes)
        self.assertIn(result.returncode, status, result.stderr)
        return json.loads(result.stdout)

    def test_the_fastest_in_software_wins_and_auto_takes_it(self):
        self.ship("software-h264", "software-vp8")
        report = self.probe()
        passed = [r for r in report["results"] if r["passed"]]
        self.assertTrue(passed)
        for result in passed:
            self.assertEqual(result["frames"], 30, result)
            self.assertEqual(result["held"], 0, result)
            self.assertTrue(result["keyframe-first"] and result["keyframe-on-request"], result)
            self.assertGreater(result["ms-per-frame"], 0)
        # The usual ones have nothing that hinders.
        for encoder in ("x264enc", "vp8enc"):
            for result in report["results"]:
                self.assertTrue(result["encoder"] != encoder or result["missing"] or result["passed"], result)
        winner = report["results"][report["winner"]]
        steady = [r for r in passed if r["bitrate-without-keyframe"]]
        self.assertEqual(winner["ms-per-frame"], min(r["ms-per-frame"] for r in steady))
        # Of pictures as small as these an encoder that changes the bitrate by keyframes may be faster; then the report says why it lost.
        fastest = winner["ms-per-frame"] == min(r["ms-per-frame"] for r in passed)
        self.assertEqual(report["why"], "the fastest of the encoders in software" + ("" if fastest else " that need no keyframe to change the bitrate"))
        self.assertTrue(all(r["ms-noise"] >= 0 for r in passed))
        line = self.vitrine("pipeline").stdout
        self.assertIn(" " + winner["encoder"] + " name=encoder ", line)

    def test_the_report_is_private_and_forgotten_when_a_profile_changes(self):
        self.ship("software-h264", "software-vp8")
        report = self.probe()
        path = os.path.join(self.cache, "vitrine/probe.json")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
        # As if VP8 had won, which auto would not take by itself.
        report["winner"] = next(i for i, r in enumerate(report["results"]) if r["encoder"] == "vp8enc")
        with open(path, "w") as file:
            json.dump(report, file)
        self.assertIn(" vp8enc name=encoder ", self.vitrine("pipeline").stdout)
        with open(os.path.join(self.profiles, "software-vp8.profile"), "a") as file:
            file.write("# changed\n")
        self.assertNotIn(" vp8enc name=encoder ", self.vitrine("pipeline").stdout)

    def test_a_damaged_report_or_one_that_others_may_write_is_none(self):
        self.ship("software-h264", "software-vp8")
        report = self.probe()
        report["winner"] = next(i for i, r in enumerate(report["results"]) if r["encoder"] == "vp8enc")
        path = os.path.join(self.cache, "vitrine/probe.json")
        for text, mode in (("{", 0o600), ("[]", 0o600), ('{"version":1,"key":7,"results":[1],"winner":0}', 0o600), (json.dumps(report), 0o666)):
            with self.subTest(text=text[:40], mode=mode):
                with open(path, "w") as file:
                    file.write(text)
                os.chmod(path, mode)
                result = self.vitrine("pipeline")
                self.assertEqual(result.returncode, 0, result.stderr)
                self.assertNotIn(" vp8enc ", result.stdout)

    def test_what_cannot_be_used_says_why(self):
        self.ship("software-h264")
        head = "[profile]\nformat=1\ninherits=software-h264\ntitle=x\nencoder=bad\n"
        self.add("holds", head + "codec=H264\n[encoder bad]\n@element=x264enc\nrc-lookahead=20\nsync-lookahead=10\n@bitrate=bitrate*1\n")
        self.add("missing", head + "codec=VP8\n[encoder bad]\n@element=nosuchenc\n")
        for _ in range(4):
            results = {r["profile"]: r for r in self.probe()["results"] if r["encoder"] == "bad"}
            # On a machine as busy as that the time for all is over before.
            if not re.search("ended after|no time", results["holds"]["problem"]):
                break
        self.assertIn("holds pictures back: ", results["holds"]["problem"])
        self.assertFalse(results["holds"]["passed"])
        self.assertEqual(results["missing"]["problem"], "no element nosuchenc")
        self.assertTrue(results["missing"]["missing"])

    def with_failing_encoder(self, order):
        """A profile whose encoder does this with its first picture, and what the probe says of it and of the rest."""
        orders = os.path.join(self.folder, "orders")
        with open(orders, "w") as file:
            file.write(order + "\n")
        self.add("failing", "[profile]\nformat=1\ntitle=x\ncodec=H264\ncapture=ximagesrc\nencoder=failing\n[capture ximagesrc]\n"
                            f"[encoder failing]\n@element=testfailingenc-a\norders={orders}\n@bitrate=bitrate*1\n")
        started = time.monotonic()
        # Where it takes all the time there is, none of the others may be left to win.
        report = self.probe(status=(0, 5), GST_PLUGIN_PATH=os.environ["GST_PLUGIN_PATH"] + ":" + os.environ["TEST_PLUGINS"], GST_REGISTRY=os.path.join(self.folder, "registry"))
        seconds = time.monotonic() - started
        self.assertFalse(os.path.exists(orders), "it was not tried")
        failing = next(r for r in report["results"] if r["profile"] == "failing")
        return failing, report, seconds

    def test_an_encoder_that_fails_hangs_or_crashes_hinders_no_other(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        self.ship("software-h264", "software-vp8")
        for order, said in (("error", "This test encoder was told to fail"), ("hang", "nothing comes out|hangs: ended after"),
                            ("wedge", "hangs: ended after"), ("crash", "crashes: signal 11")):
            with self.subTest(order):
                failing, report, seconds = self.with_failing_encoder(order)
                self.assertFalse(failing["passed"])
                self.assertRegex(failing["problem"], said)
                if order in ("error", "crash"):
                    self.assertGreaterEqual(report["winner"], 0, report)
                # Whatever it does, who waits for the report has it in that time.
                self.assertLess(seconds, 10)

    def test_when_nothing_passes_the_status_says_so(self):
        self.add("missing", "[profile]\nformat=1\ntitle=x\ncodec=VP8\ncapture=ximagesrc\nencoder=nosuchenc\n[capture ximagesrc]\n[encoder nosuchenc]\n")
        report = self.probe(status=(5,))
        self.assertEqual(report["winner"], -1)
        self.assertEqual(report["why"], "no encoder passed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
