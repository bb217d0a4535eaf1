# SPDX-License-Identifier: LGPL-2.1-or-later
"""A running virtualgamepads element that is fed records, and programs that see its gamepads through the preload library."""
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time

PRELOAD = os.environ['VITRINE_GAMEPAD_PRELOAD']
STANDARD, RAW, GONE = 1, 2, 0
PATIENCE = 30


def until(what, check, patience=PATIENCE):
    deadline = time.monotonic() + patience
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f'waited {patience} s for: {what}')
        time.sleep(0.02)


class Program:
    """A process whose output is read as it comes."""

    def __init__(self, command, env=None, **options):
        self.lines = []
        self.process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.decode(errors='replace').rstrip('\n'))

    def say(self, line):
        self.process.stdin.write(line.encode() + b'\n')
        self.process.stdin.flush()

    def wait_line(self, line):
        """The place behind the first such line."""
        until(f'{line!r} in {self.lines[-20:]}', lambda: line in self.lines)
        return self.lines.index(line) + 1

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reader.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()


class Gamepads:
    """The element in a pipeline of its own. What it says to viewers is in `messages`."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix='vitrine-pads-')
        self.folder = self.base + '/g'
        self.sequence = 0
        self.process = subprocess.Popen(
            ['gst-launch-1.0', '-q', 'fdsrc', 'blocksize=4096', '!', 'application/x-vitrine-control,version=1', '!', 'virtualgamepads',
             'backend=preload', 'folder=' + self.folder, 'release-timeout=0', '!', 'fdsink', 'sync=false'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.messages = ''
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        until('the element to run', lambda: 'desktop/gamepads' in self.messages)
        self.message('{"type":"desktop/session","holder":"p1","viewers":["p1"]}')

    def _read(self):
        while True:
            got = os.read(self.process.stdout.fileno(), 4096)
            if not got:
                return
            self.messages += got.decode()

    def _write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def message(self, text):
        """A message has a buffer to itself: nothing follows before it was read."""
        before = self.messages.count('desktop/gamepads')
        self._write(text.encode())
        until('the element to take a message', lambda: self.messages.count('desktop/gamepads') > before)

    def _record(self, number, body):
        self.sequence += 1
        self._write(struct.pack('>BBHIII', 1, number, len(body), self.sequence, self.sequence - 1, 0) + body)

    def pad(self, pad, kind, buttons=17, axes=4):
        """Waits until programs can see it, or cannot any more."""
        self._record(8, struct.pack('>BBBB', pad, kind, buttons, axes))
        path = f'{self.folder}/input/event{pad}'
        until(path, lambda: os.path.exists(path) == (kind != GONE))

    def state(self, pad, buttons=(), axes=()):
        bits = sum(1 << button for button in buttons)
        self._record(10, struct.pack('>BBHI8h', pad, 0, 0, bits, *axes, *[0] * (8 - len(axes))))

    def environment(self, **more):
        return {**os.environ, 'LD_PRELOAD': PRELOAD, 'VITRINE_GAMEPAD_FOLDER': self.folder, 'SDL_JOYSTICK_DISABLE_UDEV': '1', **more}

    def run(self, command, **more):
        return subprocess.run(command, env=self.environment(**more), capture_output=True, text=True, timeout=60)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stdin.close()
        self.process.stdout.close()
        left = os.path.exists(self.folder)
        shutil.rmtree(self.base)
        assert not left, 'the element left its folder behind'
