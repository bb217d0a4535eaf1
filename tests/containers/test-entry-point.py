# SPDX-License-Identifier: LGPL-2.1-or-later
"""The images' entry point with stand-ins for the programs that it calls: what becomes of arguments and variables."""
import os
import signal
import socket
import time
import unittest

from scripts import ROOT, Stage


class EntryPoint(unittest.TestCase):
    PATIENCE = "2"

    def setUp(self):
        self.stage = Stage(self)
        self.stage.program("vitrine", 'printf "vitrine:"; printf " <%s>" "$@"; echo; printf "display: %s\\n" "${DISPLAY-none}"; umask')
        self.stage.program("id", 'echo "${TEST_UID:-1000}"')
        self.sockets = self.stage.path("sockets")
        self.stage.script("containers/base/vitrine-container", {
            "/tmp/.X11-unix": self.sockets, "/usr/bin/vitrine-services": self.stage.path("bin/vitrine-services"),
            "/usr/bin/vitrine-xorg": self.stage.path("bin/vitrine-xorg"), "-lt 60": "-lt " + self.PATIENCE})

    def listen(self, number):
        os.makedirs(self.sockets, exist_ok=True)
        server = socket.socket(socket.AF_UNIX)
        server.bind(os.path.join(self.sockets, f"X{number}"))
        self.addCleanup(server.close)

    def run_it(self, *arguments, **variables):
        return self.stage.run("vitrine-container", *arguments, **variables)

    def test_a_program_or_none(self):
        self.assertIn("vitrine: <--virtual> <--> <prog> <a b>\ndisplay: none\n", self.run_it("prog", "a b").stdout)
        self.assertIn("vitrine: <--virtual> <--> <xterm>\n", self.run_it().stdout)
        self.assertIn("vitrine: <--virtual> <--> <vitrine-window> <xterm>\n", self.run_it(ENABLE_WM="true").stdout)
        self.assertIn("vitrine: <doctor> <--port=9>\n", self.run_it("doctor", "--port=9").stdout)

    def test_a_display_without_a_socket_does_not_count(self):
        for display in (":22", "unix:22", ":22.0"):
            with self.subTest(display):
                result = self.run_it("prog", DISPLAY=display)
                self.assertIn("vitrine: <--virtual> <--> <prog>\ndisplay: none\n", result.stdout)
                self.assertIn(f"DISPLAY={display} does not count", result.stderr)

    def test_a_display_from_outside_gets_the_program_that_is_given(self):
        self.listen(22)
        self.assertIn("vitrine: <--display> <:22>\n", self.run_it(DISPLAY=":22").stdout)
        self.assertIn("vitrine: <--display> <:22> <--> <prog> <x>\ndisplay: :22\n", self.run_it("prog", "x", DISPLAY=":22").stdout)
        self.assertIn("vitrine: <--display> <:22> <--> <bash> <-c> <A=1 ./run>\n", self.run_it(DISPLAY=":22", EXEC_CMD="A=1 ./run").stdout)
        self.assertIn("vitrine: <--display> <desk:1>\n", self.run_it(DISPLAY="desk:1").stdout)

    def test_a_socket_that_is_late_is_waited_for(self):
        os.mkdir(self.sockets)
        self.stage.program("mountpoint", "exit 0")
        started = self.stage.start("vitrine-container", DISPLAY=":22")
        self.assertIn("waiting for", started.stderr.readline())
        self.listen(22)
        self.assertIn("vitrine: <--display> <:22>\n", started.communicate(timeout=20)[0])
        never = self.run_it(DISPLAY=":23")
        self.assertEqual(never.returncode, 3)
        self.assertIn("did not come", never.stderr)

    def test_a_signal_ends_the_wait(self):
        os.mkdir(self.sockets)
        self.stage.program("mountpoint", "exit 0")
        started = self.stage.start("vitrine-container", DISPLAY=":22")
        started.stderr.readline()
        # It has its trap before it looks again.
        time.sleep(0.3)
        started.send_signal(signal.SIGTERM)
        self.assertEqual(started.wait(timeout=1.5), 0)

    def test_exec_cmd_is_a_line_for_the_shell(self):
        for line in ("cd /opt && ./run", "A=1 ./run", "if true; then x; fi"):
            self.assertIn(f"vitrine: <--virtual> <--> <bash> <-c> <{line}>\n", self.run_it("prog", EXEC_CMD=line).stdout)
        for command in ("doctor", "probe", "health"):
            self.assertIn(f"vitrine: <{command}>\n", self.run_it(command, EXEC_CMD="prog").stdout)

    def test_umask(self):
        self.assertTrue(self.run_it("prog", UMASK="007").stdout.endswith("\n0007\n"))
        wrong = self.run_it("prog", UMASK="xyz")
        self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
        self.assertIn("UMASK must be octal, not 'xyz'", wrong.stderr)

    def test_username_is_the_weakest_name_of_the_account(self):
        self.stage.program("vitrine", 'echo "$CUSTOM_USER"')
        self.assertEqual(self.run_it("prog", USERNAME="ann").stdout, "ann\n")
        self.assertEqual(self.run_it("prog", USERNAME="ann", CUSTOM_USER="bob").stdout, "bob\n")

    def test_root_without_capabilities_is_one_line(self):
        self.stage.program("setpriv", "echo 'setpriv: setresuid failed' >&2; exit 1")
        result = self.run_it("prog", TEST_UID="0", PUID="1234")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"^vitrine-container: root lacks the capabilities SETUID and SETGID .* --user 1234:1234\n$")

    def test_a_home_that_cannot_be_given_is_one_line(self):
        self.stage.program("setpriv", 'while [ "${1#--}" != "$1" ]; do case $1 in --re*) shift ;; esac; shift; done; TEST_UID=1000 exec "$@"')
        self.stage.program("chown", "echo 'chown: Operation not permitted' >&2; exit 1")
        result = self.run_it("prog", TEST_UID="0", PUID="1234")
        self.assertIn("vitrine: <--virtual> <--> <prog>\n", result.stdout)
        lines = [line for line in result.stderr.splitlines() if "PUID=1234 has no effect" not in line]
        self.assertEqual(len(lines), 1, lines)
        self.assertRegex(lines[0], "cannot be given to user 1234")

    def test_without_tmp_it_says_what_to_do(self):
        self.stage.script("containers/base/vitrine-container", {"-w /tmp": "-w " + self.stage.path("none")})
        result = self.run_it("prog")
        self.assertEqual((result.returncode, result.stdout), (1, ""))
        self.assertRegex(result.stderr, r"^vitrine-container: /tmp cannot be written to.* --tmpfs /tmp\n$")


class Health(unittest.TestCase):
    def test_the_session_is_asked_with_its_own_options(self):
        stage = Stage(self)
        stage.program("vitrine", 'printf "vitrine:"; printf " <%s>" "$@"; echo')
        for number, words in {"9": ["vitrine", "probe-background", "--port=1"], "12": ["vitrine", "--port=8123", "--", "xterm", "--port=2"], "5": ["bash"]}.items():
            os.makedirs(stage.path("proc/" + number))
            stage.write(f"proc/{number}/comm", words[0] + "\n")
            stage.write(f"proc/{number}/cmdline", "\0".join(words) + "\0")
        stage.script("containers/base/vitrine-health", {"/proc/": stage.path("proc/")})
        self.assertEqual(stage.run("vitrine-health").stdout, "vitrine: <health> <--port=8123>\n")
        stage.write("proc/12/cmdline", "vitrine\0signalling\0--port=77\0")
        self.assertEqual(stage.run("vitrine-health").stdout, "vitrine: <health> <--port=77>\n")
        stage.write("proc/12/comm", "xterm\n")
        self.assertEqual(stage.run("vitrine-health").stdout, "vitrine: <health>\n")


class Window(unittest.TestCase):
    def test_arguments_of_another_window_manager_leave_one_all_the_same(self):
        stage = Stage(self)
        stage.program("openbox", f'echo "$@" >>{stage.path("started")}; case $1 in --compositor*) exit 1 ;; esac')
        stage.script("containers/base/vitrine-window")
        ours = "--sm-disable --config-file /etc/vitrine/openbox.xml"
        for variables, expected in (({}, [ours]), ({"WM_ARGS": "--replace"}, ["--replace"]),
                                    ({"WM_ARGS": "--compositor=off --vblank=off"}, ["--compositor=off --vblank=off", ours])):
            stage.write("started", "")
            # Its output is the window manager's too, so it is there when that has ended.
            result = stage.run("vitrine-window", "echo", "program", **variables)
            self.assertIn("program\n", result.stdout)
            with open(stage.path("started")) as file:
                self.assertEqual(file.read().splitlines(), expected)
            self.assertEqual("openbox ends at once" in result.stderr, len(expected) > 1)


class Chromium(unittest.TestCase):
    def test_chrome_flags_are_options(self):
        stage = Stage(self)
        stage.program("vitrine-namespaces", "exit 0")
        stage.program("dbus-run-session", 'printf "<%s>" "$@"')
        stage.script("containers/chromium/vitrine-chromium")
        self.assertTrue(stage.run("vitrine-chromium", "page", CHROME_FLAGS="--a --b=c").stdout.endswith("<--a><--b=c><page>"))
        self.assertNotIn("<>", stage.run("vitrine-chromium").stdout)


class Firefox(unittest.TestCase):
    def test_it_leaves_namespaces_alone_where_chroot_is_refused(self):
        stage = Stage(self)
        stage.program("firefox-esr", 'printf "<%s>" "${MOZ_ASSUME_USER_NS-none}" "$@"')
        stage.script("containers/firefox/vitrine-firefox")
        stage.script("containers/app/vitrine-namespaces")
        stage.program("unshare", "exit 1")
        result = stage.run("vitrine-firefox", "page")
        self.assertEqual(result.stdout, "<0><page>")
        self.assertIn("no user namespaces", result.stderr)
        stage.program("unshare", "exit 0")
        self.assertEqual(stage.run("vitrine-firefox", "page").stdout, "<none><page>")


class Turn(unittest.TestCase):
    def test_what_other_images_tell_coturn_it_is_told(self):
        stage = Stage(self)
        stage.program("turnserver", 'cat "$2"; shift 2; echo "arguments: $*"')
        stage.script("containers/coturn/run-turnserver", {"mktemp -d /tmp/": f"mktemp -d {stage.folder}/"})
        known = {"TURN_SHARED_SECRET": "north", "TURN_CONFIG": os.path.join(ROOT, "containers/coturn/turnserver.conf")}
        told = stage.run("run-turnserver", TURN_ALT_PORT="8443", TURN_CHANNEL_LIFETIME="700", TURN_EXTRA_ARGS="--verbose --mobility", **known).stdout
        for line in ("alt-listening-port=8443\n", "channel-lifetime=700\n", "arguments: --verbose --mobility\n"):
            self.assertIn(line, told)
        told = stage.run("run-turnserver", TURN_CHANNEL_LIFETIME="-1", **known).stdout
        self.assertNotIn("channel-lifetime", told)
        self.assertIn("arguments: \n", told)
        for variables in ({"TURN_ALT_PORT": "x"}, {"TURN_CHANNEL_LIFETIME": "soon"}):
            wrong = stage.run("run-turnserver", **variables, **known)
            self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
            self.assertIn(list(variables)[0] + ": ", wrong.stderr)


class Gl(unittest.TestCase):
    def test_virtualgl_is_told_a_device_that_it_knows(self):
        stage = Stage(self)
        stage.program("vglrun", 'printf "vglrun:"; printf " <%s>" "$@"; echo')
        os.makedirs(stage.path("dri"))
        stage.write("dri/renderD128", "")
        stage.script("containers/app/vitrine-gl", {"/dev/dri/renderD*": stage.path("dri") + "/renderD*"})
        self.assertEqual(stage.run("vitrine-gl", "prog").stdout, "vglrun: <-d> <egl> <+wm> <prog>\n")
        self.assertEqual(stage.run("vitrine-gl", "prog", VGL_DISPLAY="/dev/dri/card1").stdout, "vglrun: <-d> </dev/dri/card1> <+wm> <prog>\n")


class Xorg(unittest.TestCase):
    def setUp(self):
        self.stage = Stage(self)
        self.stage.program("vitrine", 'case $1 in --print-config) echo "size  800x600  VITRINE_SIZE"; echo "dpi   96" ;; '
                                      '*) printf "vitrine:"; printf " <%s>" "$@"; echo ;; esac')
        self.stage.program("xauth", "exit 0")
        self.stage.program("cvt", 'echo "Modeline \\"x\\" 1"')
        self.stage.program("Xorg", f'env >{self.stage.path("environment")}; echo 7 >&3; exec sleep 5')
        self.stage.script("containers/desktop-glx/vitrine-xorg-config")
        self.stage.script("containers/desktop-glx/vitrine-xorg", {"/usr/lib/xorg/Xorg": self.stage.path("bin/Xorg"), "-t 30": "-t 1", "/dev/nvidiactl": "/nonexistent"})

    def test_it_gets_no_secrets(self):
        result = self.stage.run("vitrine-xorg", "prog", VITRINE_PASSWORD="sesame", MAX_RES="1024x768")
        self.assertEqual(result.stdout, "vitrine: <--display> <:7> <--> <prog>\n", result.stderr)
        with open(self.stage.path("environment")) as file:
            self.assertNotIn("sesame", file.read())

    def test_a_wrong_setting_is_told(self):
        for variables in ({"MAX_RES": "big"}, {"VIDEO_PORT": "$"}):
            result = self.stage.run("vitrine-xorg", "prog", **variables)
            self.assertEqual((result.returncode, result.stdout), (2, ""))
            self.assertIn("vitrine-xorg-config: " + list(variables)[0], result.stderr)
        self.stage.program("vitrine", "echo 'vitrine: VITRINE_SIZE: wrong' >&2; exit 2")
        result = self.stage.run("vitrine-xorg", "prog")
        self.assertEqual((result.returncode, result.stderr), (2, "vitrine: VITRINE_SIZE: wrong\n"))

    def test_one_that_hangs_or_ends_gives_way_to_the_virtual_one(self):
        for what, said in (("exec sleep 60", "Xorg is not ready after 30 s"), ("exit 1", "no Xorg here")):
            self.stage.program("Xorg", what)
            result = self.stage.run("vitrine-xorg", "prog")
            self.assertEqual(result.stdout, "vitrine: <--virtual> <--> <prog>\n", result.stderr)
            self.assertIn(said, result.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
