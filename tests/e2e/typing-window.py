# SPDX-License-Identifier: LGPL-2.1-or-later
# A GTK program with one line to type into: prints what is in it, as JSON, each time it changes.
import json
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import Gtk  # noqa: E402


def tell(entry):
    print(json.dumps({"text": entry.get_text()}), flush=True)


window = Gtk.Window(title="Typing", default_width=800, default_height=200)
window.move(0, 300)
entry = Gtk.Entry()
entry.connect("changed", tell)
window.add(entry)
window.connect("destroy", Gtk.main_quit)
window.show_all()
window.connect("map-event", lambda *_: print(json.dumps({"ready": True}), flush=True))
entry.grab_focus()
sys.exit(Gtk.main())
