# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the launcher's tests share: running the command in a clean environment, and looking at what it leaves."""
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

VITRINE = os.environ["VITRINE"]
SOURCE = os.environ["VITRINE_SOURCE_ROOT"]
HERE = os.path.dirname(os.path.abspath(__file__))


def skip(reason):
    """Ends the file as skipped, which Meson prints."""
    print(f"SKIP: {reason}")
    sys.exit(77)


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            skip(f"{program} is not installed")


def environment(**changes):
    """Ours without a display and without settings; a change to None takes a variable away."""
    kept = ("VITRINE_PROFILE_DIR", "VITRINE_WEB_ROOT", "VITRINE_GAMEPAD_PRELOAD")
    result = {k: v for k, v in os.environ.items() if k in kept or not k.startswith("VITRINE_")}
    for name in ("DISPLAY", "XAUTHORITY", "LANGUAGE", "PULSE_SERVER", "PULSE_RUNTIME_PATH"):
        result.pop(name, None)
    result["LC_ALL"] = "C.UTF-8"
    # What a probe of this machine found shall not decide.
    result["XDG_CACHE_HOME"] = "/nonexistent"
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


def one_core():
    """Thread counts in pipelines then do not depend on the machine."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def run(*arguments, **changes):
    return subprocess.run([VITRINE, *arguments], env=environment(**changes), cwd=HERE, preexec_fn=one_core, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path="/", user=None, password=None):
    """The HTTP status, or None while nobody answers."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    try:
        return urllib.request.urlopen(request, timeout=5).status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def until(what, check, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = check()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for: {what}")


def processes_with(variable):
    """Running processes whose environment holds `variable`: who it was given to, and all whom they started."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if variable.encode() in file.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            pass
    return found


def children_of(pid, name):
    result = subprocess.run(["pgrep", "-P", str(pid), "-x", name], text=True, capture_output=True)
    return [int(word) for word in result.stdout.split()]


class Running:
    """A `vitrine` in the background, with a mark by which all its processes are found."""

    def __init__(self, *arguments, port=None, pass_fds=(), **changes):
        self.port = port or free_port()
        # In memory, as /run/user is: then its private folder lies here.
        self.folder = tempfile.mkdtemp(prefix="launcher-test-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.mark = f"VITRINE_TEST_MARK={os.path.basename(self.folder)}"
        name, value = self.mark.split("=")
        self.out, self.err = (open(os.path.join(self.folder, n), "w+") for n in ("out", "err"))
        self.process = subprocess.Popen([VITRINE, f"--port={self.port}", *arguments], stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, pass_fds=pass_fds, env=environment(**{name: value, "XDG_RUNTIME_DIR": self.folder, "TMPDIR": self.folder,
                                                                "VITRINE_PROBE": "off", **changes}))

    def text(self, stream):
        with open(stream.name) as file:
            return file.read()

    def complaints(self):
        return [line for line in self.text(self.err).splitlines() if line.startswith("vitrine: ")]

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.text(self.err)}")
            return get(self.port, "/health") == 200
        until("the server to answer", ready)
        # It prints where it is once the command runs, which is after the port is open.
        until("where to look", lambda: self.text(self.out).count("://") or self.process.poll() is not None)

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=30)

    def left_behind(self):
        """Processes and files that outlived it."""
        files = [name for name in os.listdir(self.folder) if name not in ("out", "err")]
        return processes_with(self.mark) + files

    def close(self):
        self.end()
        for pid in processes_with(self.mark):
            os.kill(pid, signal.SIGKILL)
        self.out.close()
        self.err.close()
        shutil.rmtree(self.folder)


class Test(unittest.TestCase):
    def start(self, *arguments, **changes):
        running = Running(*arguments, **changes)
        self.addCleanup(running.close)
        return running
