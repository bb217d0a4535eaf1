# SPDX-License-Identifier: LGPL-2.1-or-later
# For each line on standard input prints which keys and pointer buttons of $DISPLAY are down, as JSON.
import ctypes
import json
import sys

x = ctypes.CDLL("libX11.so.6")
x.XOpenDisplay.restype = ctypes.c_void_p
display = ctypes.c_void_p(x.XOpenDisplay(None))
x.XDefaultRootWindow.restype = ctypes.c_ulong
root = ctypes.c_ulong(x.XDefaultRootWindow(display))
for _ in sys.stdin:
    keys = (ctypes.c_ubyte * 32)()
    x.XQueryKeymap(display, keys)
    down = [8 * i + bit for i in range(32) for bit in range(8) if keys[i] & (1 << bit)]
    window = [ctypes.c_ulong(), ctypes.c_ulong()]
    numbers = [ctypes.c_int() for _ in range(4)]
    mask = ctypes.c_uint()
    x.XQueryPointer(display, root, *map(ctypes.byref, window + numbers), ctypes.byref(mask))
    print(json.dumps({"keys": down, "buttons": mask.value >> 8 & 31}), flush=True)
