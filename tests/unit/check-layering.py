#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dependencies run one way: common <- protocol <- {capture, webrtc, remote}; the launcher and the page know elements and the wire only.

check-layering.py ROOT    names every line of the source tree that breaks this, exit status 1 if there is one
check-layering.py --self  shows on a made-up tree that breaches are found
"""
import os
import re
import sys
import tempfile

# What each part may include beside itself.
PARTS = {
    'gst/common': [],
    'gst/protocol': ['gst/common'],
    'gst/capture': ['gst/common', 'gst/protocol'],
    'gst/webrtc': ['gst/common', 'gst/protocol', 'gst/webrtc/signalling', 'gst/webrtc/turn'],
    'gst/remote': ['gst/common', 'gst/protocol'],
    'gst/webrtc/turn': ['gst/common', 'gst/webrtc', 'gst/webrtc/services'],
    'gst/webrtc/services': ['gst/common', 'gst/webrtc'],
    'gst/webrtc/signalling': ['gst/common', 'gst/webrtc', 'gst/webrtc/services', 'gst/webrtc/turn'],
    # Owners of references and descriptors, and what runs as a service of its own; no element's code.
    'launcher': ['gst/common', 'gst/webrtc/services', 'gst/webrtc/signalling', 'gst/webrtc/turn'],
    'web/src/core': [],
    'web/src/ui': ['web/src/core'],
}
# Made by the build, at its top.
GENERATED = ['vitrine-config.h']
INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*["<]([^">]+)[">]')
IMPORT = re.compile(r'''(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"]([^'"]+)['"]''')
CODE = ('.c', '.cc', '.cpp', '.cu', '.h', '.hpp')
SCRIPT = ('.ts', '.tsx', '.js', '.mjs')


def part_of(path):
    found = [part for part in PARTS if path == part or path.startswith(part + '/')]
    return max(found, key=len) if found else None


def included(root, source, name):
    """The file of this tree that an include names, None if it is one of the system's."""
    for folder in (os.path.dirname(source), 'gst', 'launcher', ''):
        path = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(os.path.join(root, path)):
            return path
    return os.path.normpath(os.path.join(os.path.dirname(source), name)) if name.startswith('.') else None


def imported(source, name):
    """The file that an import names, None if it is a package."""
    return os.path.normpath(os.path.join(os.path.dirname(source), name)) if name.startswith(('.', '/')) else None


def breaches(root):
    checked = 0
    for part, others in PARTS.items():
        for folder, _, files in os.walk(os.path.join(root, part)):
            for file in sorted(files):
                source = os.path.relpath(os.path.join(folder, file), root)
                if part_of(source) != part or not file.endswith(CODE + SCRIPT):
                    continue
                checked += 1
                with open(os.path.join(root, source), encoding='utf-8') as text:
                    for number, line in enumerate(text, 1):
                        if file.endswith(CODE):
                            targets = [included(root, source, name) for name in INCLUDE.findall(line) if name not in GENERATED]
                        else:
                            targets = [imported(source, name) for name in IMPORT.findall(line)]
                        for target in filter(None, targets):
                            if part_of(target) not in (part, *others):
                                yield f"{source}:{number}: '{part}' must not use '{target}'"
    if checked == 0:
        yield f'{root}: no sources found'


def self_check():
    tree = {
        'gst/common/ref.h': '',
        'gst/protocol/wire.h': '#include "common/ref.h"\n#include <vector>\n',
        'gst/webrtc/bin.cpp': '#include "protocol/wire.h"\n#include "webrtc/bin.h"\n#include "vitrine-config.h"\n',
        'gst/webrtc/bin.h': '',
        'gst/remote/sink.cpp': '// fine\n#  include "webrtc/bin.h"\n#include "../webrtc/bin.h"\n',
        'gst/capture/grab.cpp': '#include <remote/sink.h>\n#include <webrtc/bin.h>\n',
        'launcher/main.cpp': '#include "text.h"\n#include "common/ref.h"\n#include "../gst/protocol/wire.h"\n',
        'launcher/text.h': '',
        'web/src/core/a.ts': "import { b } from './b.js';\nimport { text } from '../ui/text.js';\n",
        'web/src/ui/main.ts': "import x from 'node:test';\nimport { a } from '../core/a.js';\nconst w = import('../../../launcher/w.js');\n",
        'gst/common/bad.h': '#include "protocol/wire.h"\n',
    }
    expected = {
        'gst/common/bad.h:1', 'gst/remote/sink.cpp:2', 'gst/remote/sink.cpp:3', 'gst/capture/grab.cpp:2',
        'launcher/main.cpp:3', 'web/src/core/a.ts:2', 'web/src/ui/main.ts:3',
    }
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        found = {breach.split(': ')[0] for breach in breaches(root)}
    for line in sorted(found ^ expected):
        print(f'{line}: {"not found" if line in expected else "is no breach"}')
    return found == expected


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == '--self':
        sys.exit(0 if self_check() else 1)
    found = list(breaches(sys.argv[1]))
    for breach in found:
        print(breach)
    sys.exit(1 if found else 0)


main()
