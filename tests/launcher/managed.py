# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of the command under a service manager share: the manager, a file of settings, and files that settings name."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

from command import Test


class Manager:
    """What systemd does: a socket on which services say how they are."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def next(self):
        """The next that is no sign of life."""
        while (text := self.socket.recv(4096).decode()) == "WATCHDOG=1":
            pass
        return text


class Managed(Test):
    AGAIN = "vitrine: the settings were read again"
    STAY = "; the settings stay as they were"

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.manager = Manager(self.folder)
        self.addCleanup(self.manager.socket.close)
        self.config = os.path.join(self.folder, "vitrine.conf")

    def write(self, text):
        with open(self.config, "w") as file:
            file.write("[settings]\n" + text)
        os.chmod(self.config, 0o600)

    def place(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def reload(self, service):
        """What is said of it."""
        before = len(service.complaints())
        service.process.send_signal(signal.SIGHUP)
        self.assertTrue(self.manager.next().startswith("RELOADING=1\nMONOTONIC_USEC="))
        self.assertEqual(self.manager.next(), "READY=1")
        return service.complaints()[before:]

    def certificate(self, name):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                        "-keyout", os.path.join(self.folder, "key.pem"), "-out", os.path.join(self.folder, "cert.pem")], check=True, capture_output=True)

    def shown_name(self, port):
        with socket.create_connection(("127.0.0.1", port)) as plain, ssl._create_unverified_context().wrap_socket(plain) as secure:
            der = secure.getpeercert(True)
        return subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"], input=der, capture_output=True).stdout.decode().strip().replace(" ", "")
