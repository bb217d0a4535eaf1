#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that know nothing of us read four gamepads through the preload library: SDL2, jstest, python-evdev."""
import os
import re
import shutil
import stat
import sys
import unittest

import pads
from pads import GONE, RAW, STANDARD, Gamepads, Program, until

READER = os.environ.get('PAD_READER', '')
# The browser's number of a button, and what SDL counts it as.
SDL_BUTTONS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 8: 6, 9: 7, 16: 8, 10: 9, 11: 10}
SDL_HATS = {12: 1, 13: 4, 14: 8, 15: 2}


class Programs(unittest.TestCase):
    def setUp(self):
        self.gamepads = Gamepads()
        self.addCleanup(self.gamepads.end)

    def program(self, command, **more):
        program = Program(command, self.gamepads.environment(**more))
        self.addCleanup(program.end)
        return program

    def sdl(self):
        if not READER:
            self.skipTest('built without SDL2')
        reader = self.program([READER])
        reader.wait_line('ready')
        return reader

    def test_sdl_reads_every_button_axis_and_hat_of_four(self):
        for pad in range(4):
            self.gamepads.pad(pad, STANDARD)
        reader = self.sdl()
        for pad in range(4):
            reader.wait_line(f'+ {pad} Xbox 360 Controller buttons=11 axes=6 hats=1 mapped=1 rumble=1')
        for pad in range(4):
            for button, number in SDL_BUTTONS.items():
                self.gamepads.state(pad, [button])
                reader.wait_line(f'b {pad} {number} 1')
                self.gamepads.state(pad)
                reader.wait_line(f'b {pad} {number} 0')
            for button, value in SDL_HATS.items():
                self.gamepads.state(pad, [button])
                reader.wait_line(f'h {pad} 0 {value}')
                self.gamepads.state(pad)
            self.gamepads.state(pad, axes=[32767, -32768, 12345, -12345, 32767, 24000])
            for axis, value in enumerate([32767, -32768, 32767, 12345, -12345, 15034]):
                reader.wait_line(f'a {pad} {axis} {value}')
        # And nothing of one came from another.
        mixed = [line for line in reader.lines if re.match('[bah] ', line) and not re.match('[bah] [0-3] ', line)]
        self.assertEqual(mixed, [])

    def test_sdl_sees_gamepads_come_and_go(self):
        reader = self.sdl()
        self.gamepads.pad(1, STANDARD)
        reader.wait_line('+ 0 Xbox 360 Controller buttons=11 axes=6 hats=1 mapped=1 rumble=1')
        self.gamepads.pad(0, RAW, 20, 3)
        reader.wait_line('+ 1 Vitrine gamepad buttons=20 axes=3 hats=0 mapped=0 rumble=1')
        self.gamepads.state(0, [19], [0, 0, -32768])
        reader.wait_line('b 1 19 1')
        reader.wait_line('a 1 2 -32768')
        self.gamepads.pad(1, GONE)
        reader.wait_line('- 0')
        self.gamepads.state(0)
        reader.wait_line('b 1 19 0')
        self.gamepads.pad(1, STANDARD)
        reader.wait_line('+ 2 Xbox 360 Controller buttons=11 axes=6 hats=1 mapped=1 rumble=1')

    def test_rumble_reaches_the_viewer_and_ends(self):
        self.gamepads.pad(0, STANDARD)
        self.gamepads.pad(1, STANDARD)
        reader = self.sdl()
        reader.wait_line('+ 1 Xbox 360 Controller buttons=11 axes=6 hats=1 mapped=1 rumble=1')
        reader.say('rumble 1 65535 32768 700')
        order = '"to":"p1","pad":1,"strong":1.000,"weak":0.500,"duration":1000'
        until('the order to rumble, and its repetition', lambda: self.gamepads.messages.count(order) >= 2)
        until('its end', lambda: '"pad":1,"strong":0.000,"weak":0.000,"duration":0' in self.gamepads.messages)
        self.assertNotIn('"pad":0', self.gamepads.messages)
        # A program that goes while its gamepad rumbles stops it.
        reader.say('rumble 0 65535 0 30000')
        until('the order', lambda: '"pad":0,"strong":1.000' in self.gamepads.messages)
        reader.process.kill()
        until('its end', lambda: '"pad":0,"strong":0.000' in self.gamepads.messages)

    def test_jstest_reads_the_joystick_interface(self):
        if not shutil.which('jstest'):
            self.skipTest('jstest is not installed')
        for pad in range(4):
            self.gamepads.pad(pad, STANDARD)
        readers = [self.program(['stdbuf', '-oL', 'jstest', '--event', f'/dev/input/js{pad}']) for pad in range(4)]
        for pad, reader in enumerate(readers):
            reader.wait_line('Joystick (Microsoft X-Box 360 pad) has 8 axes (X, Y, Z, Rx, Ry, Rz, Hat0X, Hat0Y)')
            reader.wait_line('and 11 buttons (BtnA, BtnB, BtnX, BtnY, BtnTL, BtnTR, BtnSelect, BtnStart, BtnMode, BtnThumbL, BtnThumbR).')
            start = until('the first state', lambda r=reader: [i for i, line in enumerate(r.lines) if 'type 130' in line and 'number 7' in line])[0]
            self.gamepads.state(pad, [16, 14], [-32768, 0, 0, 32767, 32767])
            until('its events', lambda r=reader: len(r.lines) >= start + 6)
            seen = sorted(re.sub('time [0-9]+, ', '', line) for line in reader.lines[start + 1:start + 6])
            self.assertEqual(seen, sorted([
                'Event: type 1, number 8, value 1', 'Event: type 2, number 6, value -32767', 'Event: type 2, number 0, value -32767',
                'Event: type 2, number 4, value 32767', 'Event: type 2, number 2, value 32767']))
        self.gamepads.pad(2, GONE)
        until('jstest to end', lambda: readers[2].process.poll() is not None)
        self.assertIn('No such device', ' '.join(readers[2].lines))
        self.assertIsNone(readers[1].process.poll())

    def test_evdev_finds_and_reads_them(self):
        probe = '''
import evdev, sys
devices = [evdev.InputDevice(path) for path in sorted(evdev.list_devices())]
print([(d.path, d.info.vendor, len(d.capabilities()[1])) for d in devices])
d = devices[-1]

with d.grab_context():
    effect = evdev.ff.Effect(evdev.ecodes.FF_RUMBLE, -1, 0, evdev.ff.Trigger(0, 0), evdev.ff.Replay(400, 0),
                             evdev.ff.EffectType(ff_rumble_effect=evdev.ff.Rumble(strong_magnitude=0xffff, weak_magnitude=0)))
    ids = [d.upload_effect(effect) for _ in range(16)]
    print(ids)
    try:
        d.upload_effect(effect)
    except OSError as error:
        print(error.strerror)
    for number in ids[1:]:
        d.erase_effect(number)
    d.write(evdev.ecodes.EV_FF, ids[0], 1)
print('go', flush=True)
for event in d.read_loop():
    if event.type == evdev.ecodes.EV_KEY:
        print(event.code, event.value, d.active_keys(), flush=True)
'''
        if self.gamepads.run(['/usr/bin/python3', '-c', 'import evdev']).returncode != 0:
            self.skipTest('python3-evdev is not installed')
        self.gamepads.pad(0, STANDARD)
        self.gamepads.pad(3, RAW, 32, 8)
        program = self.program(['/usr/bin/python3', '-c', probe])
        program.wait_line('go')
        self.assertEqual(program.lines[0], "[('/dev/input/event0', 1118, 11), ('/dev/input/event3', 0, 32)]")
        self.assertEqual(program.lines[1], str(list(range(16))))
        self.assertEqual(program.lines[2], 'No space left on device')
        until('the motors', lambda: '"pad":3,"strong":1.000,"weak":0.000' in self.gamepads.messages)
        self.gamepads.state(3, [31])
        program.wait_line('723 1 [723]')

    def test_files_look_like_devices(self):
        self.gamepads.pad(0, STANDARD)
        script = '''
import glob, os, stat
print(sorted(os.listdir('/dev/input')), glob.glob('/dev/input/ev*'))
for path in '/dev/input/event0', '/dev/input/js0':
    s = os.stat(path)
    print(stat.S_ISCHR(s.st_mode), os.major(s.st_rdev), os.minor(s.st_rdev), os.access(path, os.R_OK | os.W_OK))
fd = os.open('/dev/input/event0', os.O_RDWR | os.O_NONBLOCK)
print(stat.S_ISCHR(os.fstat(fd).st_mode), os.get_blocking(fd), os.get_inheritable(fd), os.path.realpath('/dev/input/js0'))
folder = os.open('/dev/input', os.O_RDONLY | os.O_DIRECTORY)
inside = os.open('js0', os.O_RDONLY, dir_fd=folder)
print(stat.S_ISCHR(os.fstat(inside).st_mode), len(os.read(inside, 8)))
for path in '/dev/input/event1', '/dev/input/mouse0', '/dev/input/../null':
    try:
        os.close(os.open(path, os.O_RDONLY))
        print('opened')
    except OSError as error:
        print(error.strerror)
'''
        done = self.gamepads.run(['/usr/bin/python3', '-c', script])
        real = 'opened' if os.path.isdir('/dev/input') else 'No such file or directory'
        self.assertEqual(done.stdout.splitlines(), [
            "['event0', 'js0'] ['/dev/input/event0']", 'True 13 64 True', 'True 13 0 True', 'True False False /dev/input/js0', 'True 8',
            'No such file or directory', 'No such file or directory', real], done.stderr)

    def test_a_gamepad_that_is_unplugged_says_so(self):
        self.gamepads.pad(0, STANDARD)
        program = self.program(['/usr/bin/python3', '-uc', '''
import os, fcntl
fd = os.open('/dev/input/event0', os.O_RDONLY)
print('open')
for attempt in 1, 2:
    try:
        print(os.read(fd, 24))
    except OSError as error:
        print(error.strerror)
try:
    fcntl.ioctl(fd, 0x80084502, b'12345678')
except OSError as error:
    print(error.strerror)
'''])
        program.wait_line('open')
        self.gamepads.pad(0, GONE)
        until('the program to end', lambda: program.process.poll() is not None)
        program.end()
        self.assertEqual(program.lines, ['open'] + ['No such device'] * 3)


if __name__ == '__main__':
    sys.exit(unittest.main(verbosity=2))
