# SPDX-License-Identifier: LGPL-2.1-or-later
"""`vitrine probe` on an NVIDIA GPU, which fakes of its driver's libraries play (tests/fakes/cuda)."""
import json
import os
import shutil
import unittest

from command import Test, run


@unittest.skipUnless(shutil.which("Xvfb"), "no Xvfb")
class ProbeNvidia(Test):
    def ask(self, faults="", driver=True):
        result = run("probe-nvidia", "0", FAKE_NVENC=faults, LD_LIBRARY_PATH=os.environ["FAKE_DRIVER"] if driver else None)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def test_it_tells_what_the_gpu_can_do_and_captures(self):
        answer = self.ask("sessions=5")
        nvenc = answer["nvenc"]
        self.assertEqual((nvenc["gpu"], nvenc["driver-api"], nvenc["sessions"]), ("Fake GPU", "12.2", 5))
        self.assertEqual(sorted(nvenc["codecs"]), ["av1", "h264", "h265"])
        for codec in nvenc["codecs"].values():
            self.assertGreaterEqual(codec["width-max"], 4096)
            self.assertEqual(codec["engines"], 1)
            for ability in ("444", "10-bit", "lossless", "intra-refresh", "reference-invalidation"):
                self.assertIn(codec[ability], (True, False))
        self.assertEqual(answer["capture"], {"mode": "fb"})

    def test_a_gpu_without_an_encoder_says_so_and_captures_still(self):
        answer = self.ask("no-encoder")
        self.assertIn("no video encoder (NV_ENC_ERR_UNSUPPORTED_DEVICE)", answer["nvenc"]["error"])
        self.assertEqual(answer["nvenc"]["codecs"], {})
        self.assertEqual(answer["capture"], {"mode": "fb"})

    def test_without_a_driver_there_is_neither(self):
        answer = self.ask(driver=False)
        self.assertIn("no NVIDIA driver", answer["nvenc"]["error"])
        self.assertIn("no NVIDIA driver", answer["capture"]["error"])


if __name__ == "__main__":
    unittest.main()
