#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that have nothing to do with gamepads do the same with the preload library as without it."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from pads import PRELOAD, STANDARD, Gamepads

# Opens, creates, asks about and lists files in every way that the library has a hand in, and prints what came of it.
PYTHON = r'''
import fcntl, glob, hashlib, os, socket, stat, struct, tempfile, termios, threading
os.umask(0o022)
folder = tempfile.mkdtemp()
def show(*values): print(*values)
fd = os.open(folder + '/a', os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o640)
show(oct(os.fstat(fd).st_mode), os.write(fd, b'abc'), os.pread(fd, 9, 0), os.read(fd, 5), os.lseek(fd, 0, 0), os.read(fd, 5), os.read(fd, 5))
try:
    hidden = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o604)
    show(oct(os.fstat(hidden).st_mode))
except OSError as error:
    show(error.strerror)
os.symlink('a', folder + '/b')
show(stat.S_ISLNK(os.lstat(folder + '/b').st_mode), os.stat(folder + '/b').st_size, os.path.realpath(folder + '/b') == folder + '/a')
show(sorted(os.listdir(folder)), sorted(os.path.basename(p) for p in glob.glob(folder + '/*')), sorted(e.name for e in os.scandir(folder)))
at = os.open(folder, os.O_RDONLY)
show(os.stat('a', dir_fd=at).st_size, os.access('a', os.R_OK, dir_fd=at), os.read(os.open('a', os.O_RDONLY, dir_fd=at), 9))
for path in '/nowhere', folder + '/a/b', '', '/dev/inputs', '/dev/inpu', '/dev':
    try:
        show(stat.S_IFMT(os.stat(path).st_mode))
    except OSError as error:
        show(error.strerror)
one, other = socket.socketpair()
show(stat.S_ISSOCK(os.fstat(one.fileno()).st_mode), struct.unpack('i', fcntl.ioctl(one.fileno(), termios.FIONREAD, struct.pack('i', 7))))
other.close()
show(os.read(one.fileno(), 1))
server = socket.socket(socket.AF_UNIX)
server.bind(folder + '/event0')
server.listen()
client = socket.socket(socket.AF_UNIX)
client.connect(folder + '/event0')
for request in 0x80044501, 0x80084502, 0x80016a11, 0x5401:
    try:
        show(fcntl.ioctl(client.fileno(), request, b'12345678'))
    except OSError as error:
        show(error.strerror)
show(open('/dev/null').read(), len(open('/dev/zero', 'rb').read(7)), len(open('/proc/self/cmdline').read()) > 0)
def work(n):
    for i in range(200):
        with open(f'{folder}/t{n}', 'w') as file:
            file.write(str(i))
        assert open(f'{folder}/t{n}').read() == str(i)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
digest = hashlib.sha256()
for root, folders, files in sorted(os.walk('/etc')):
    for name in sorted(files):
        s = os.lstat(os.path.join(root, name))
        digest.update(f'{root}/{name} {s.st_mode} {s.st_size} {s.st_ino}'.encode())
show(digest.hexdigest())
pid = os.fork()
if pid == 0:
    os._exit(len(os.listdir('/etc')) == 0)
show(os.waitpid(pid, 0)[1])
import shutil; shutil.rmtree(folder)
'''
GTK = '''
import gi
gi.require_version('Gtk', '3.0')
from gi.repository import GLib, Gtk
window = Gtk.Window(title='harmless')
window.add(Gtk.FileChooserWidget())
window.show_all()
GLib.timeout_add(500, Gtk.main_quit)
Gtk.main()
print('shown', window.get_title())
'''


class Harmless(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gamepads = Gamepads()
        cls.addClassCleanup(cls.gamepads.end)
        cls.gamepads.pad(0, STANDARD)

    def both(self, command, needs=None, env=None):
        """Runs it without the library, with it, and with it where there are no gamepads; the same must come of it."""
        if not shutil.which(needs or command[0]):
            self.skipTest(f'{needs or command[0]} is not installed')
        plain = {name: value for name, value in {**os.environ, **(env or {})}.items() if name not in ('LD_PRELOAD', 'VITRINE_GAMEPAD_FOLDER')}
        results = []
        for added in {}, {'LD_PRELOAD': PRELOAD, 'VITRINE_GAMEPAD_FOLDER': self.gamepads.folder}, {'LD_PRELOAD': PRELOAD}, \
                {'LD_PRELOAD': PRELOAD, 'VITRINE_GAMEPAD_FOLDER': '/nowhere'}:
            done = subprocess.run(command, env={**plain, **added}, capture_output=True, text=True, timeout=120)
            results.append((done.returncode, done.stdout, done.stderr))
        self.assertEqual(results[0][0], 0, results[0])
        for result in results[1:]:
            self.assertEqual(result, results[0])
        return results[0][1]

    def test_python(self):
        self.both(['/usr/bin/python3', '-c', PYTHON])

    def test_shell_and_tools(self):
        self.both(['bash', '-c', 'set -e; ls -laR /usr/share/doc | sha256sum; find /usr/lib -type f | sort | head -2000 | xargs -d "\\n" stat -c "%n %s %a" | '
                   'sha256sum; tar cf - /usr/share/common-licenses 2>/dev/null | sha256sum; t=$(mktemp); echo x >"$t"; cat <"$t" >>"$t.2"; '
                   'cat "$t.2"; rm "$t" "$t.2"; echo | cat; exec 3<>/dev/null; echo y >&3; [ -c /dev/null ] && [ -d /dev ] && echo z'])

    def test_compiler(self):
        folder = tempfile.mkdtemp(prefix='vitrine-pads-')
        self.addCleanup(shutil.rmtree, folder)
        with open(folder + '/a.c', 'w') as file:
            file.write('#include <stdio.h>\nint main(void) { puts("built"); return 0; }\n')
        self.both(['sh', '-c', f'cc -o {folder}/a {folder}/a.c && {folder}/a'], 'cc')

    def test_x_programs(self):
        for program in 'Xvfb', 'xterm':
            if not shutil.which(program):
                self.skipTest(f'{program} is not installed')
        server = subprocess.Popen(['Xvfb', '-displayfd', '1', '-screen', '0', '800x600x24', '-nolisten', 'tcp'], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        try:
            env = {'DISPLAY': ':' + server.stdout.readline().decode().strip(), 'NO_AT_BRIDGE': '1', 'GTK_USE_PORTAL': '0'}
            with self.subTest('xterm'):
                folder = tempfile.mkdtemp(prefix='vitrine-pads-')
                self.addCleanup(shutil.rmtree, folder)
                self.both(['xterm', '-e', 'sh', '-c', f'tty >{folder}/tty; stty size >{folder}/size; true'], env=env)
                with open(folder + '/size', encoding='ascii') as file:
                    self.assertEqual(file.read(), '24 80\n')
            with self.subTest('GTK'):
                if subprocess.run(['/usr/bin/python3', '-c', GTK], env={**os.environ, **env}, capture_output=True).returncode != 0:
                    self.skipTest('no GTK for Python')
                self.assertEqual(self.run_quietly(env), 'shown harmless\n')
        finally:
            server.terminate()
            server.wait()
            server.stdout.close()

    def run_quietly(self, env):
        """GTK's warnings name process ids: only what the program prints is looked at."""
        return self.gamepads.run(['/usr/bin/python3', '-c', GTK], **env).stdout

    def test_it_needs_nothing_but_the_c_library(self):
        if not shutil.which('readelf'):
            self.skipTest('readelf is not installed')
        done = subprocess.run(['readelf', '-d', PRELOAD], capture_output=True, text=True, check=True)
        self.assertEqual([line.split('[')[1] for line in done.stdout.splitlines() if '(NEEDED)' in line], ['libc.so.6]'])


if __name__ == '__main__':
    sys.exit(unittest.main(verbosity=2))
