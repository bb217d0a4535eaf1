# SPDX-License-Identifier: LGPL-2.1-or-later
"""Running the images' scripts outside of an image: on a PATH whose first folder has stand-ins for the programs that they call."""
import os
import shutil
import subprocess
import tempfile

ROOT = os.environ.get("VITRINE_SOURCE_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Stage:
    def __init__(self, test):
        self.folder = tempfile.mkdtemp(prefix="script-test-")
        test.addCleanup(shutil.rmtree, self.folder)
        self.test = test
        for name in ("bin", "home", "runtime"):
            os.mkdir(self.path(name))

    def path(self, name):
        return os.path.join(self.folder, name)

    def program(self, name, body):
        """A stand-in: a script for bash."""
        self.write("bin/" + name, "#!/usr/bin/env bash\n" + body + "\n")

    def script(self, path, replacements=None):
        """One of ours, with other paths in it."""
        with open(os.path.join(ROOT, path)) as file:
            text = file.read()
        for old, new in (replacements or {}).items():
            self.test.assertIn(old, text)
            text = text.replace(old, new)
        self.write("bin/" + os.path.basename(path), text)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        os.chmod(self.path(name), 0o755)

    def environment(self, variables):
        return {"PATH": self.path("bin") + ":/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.path("home"), "XDG_RUNTIME_DIR": self.path("runtime"),
                "LC_ALL": "C.UTF-8", **variables}

    def start(self, name, *arguments, **variables):
        process = subprocess.Popen([self.path("bin/" + name), *arguments], env=self.environment(variables), cwd=self.folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.test.addCleanup(process.stdout.close)
        self.test.addCleanup(process.stderr.close)
        self.test.addCleanup(process.kill)
        return process

    def run(self, name, *arguments, **variables):
        return subprocess.run([self.path("bin/" + name), *arguments], env=self.environment(variables), cwd=self.folder, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
