#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every text for users is translated into every language of po/LINGUAS, nothing is fuzzy, and formats and placeholders agree."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = sys.argv[1]
if not shutil.which("xgettext"):
    print("SKIP: xgettext is not installed")
    sys.exit(77)


def names(path):
    with open(os.path.join(ROOT, "po", path)) as file:
        return [line.strip() for line in file if line.strip() and not line.startswith("#")]


def tool(*command):
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True)


def messages(text):
    """Message and translation of each entry, headers aside."""
    for block in re.split(r"\n\n+", text):
        parts = re.split(r"^(msgid|msgstr) ", "\n".join(l for l in block.split("\n") if not l.startswith("#")), flags=re.M)
        if len(parts) == 5:
            found, translated = ("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)) for part in (parts[2], parts[4]))
            if found:
                yield found, translated


problems = []
listed = names("POTFILES")
if listed != sorted(listed):
    problems.append("po/POTFILES: not sorted")
MARK = {".cpp": r'\b(?:_|N_)\(\s*"', ".h": r'\b(?:_|N_)\(\s*"', ".ts": r'(?<![\w.])t\("'}
for folder in ("launcher", "gst", "web/src"):
    for path, folders, files in os.walk(os.path.join(ROOT, folder)):
        for name in files:
            ending = os.path.splitext(name)[1]
            relative = os.path.relpath(os.path.join(path, name), ROOT)
            if ending not in MARK or ".test." in name or relative in listed:
                continue
            with open(os.path.join(path, name)) as file:
                if re.search(MARK[ending], file.read()):
                    problems.append(f"po/POTFILES: {relative} has texts and is not listed")
problems += [f"po/POTFILES: {name} does not exist" for name in listed if not os.path.exists(os.path.join(ROOT, name))]

with tempfile.TemporaryDirectory() as folder:
    pot = os.path.join(folder, "vitrine.pot")
    made = tool("xgettext", "--from-code=UTF-8", "-k_", "-kN_", "-kt", "-o", pot, *[n for n in listed if os.path.exists(os.path.join(ROOT, n))])
    if made.returncode:
        sys.exit(made.stderr)
    for language in names("LINGUAS"):
        path = os.path.join("po", language + ".po")
        checked = tool("msgfmt", "--check-format", "-o", os.devnull, path)
        if checked.returncode:
            problems.append(checked.stderr.strip())
            continue
        merged = os.path.join(folder, language + ".po")
        tool("msgmerge", "-q", "--no-fuzzy-matching", "--no-wrap", "-o", merged, path, pot)
        for state in ("untranslated", "only-fuzzy"):
            missing = tool("msgattrib", "--" + state, "--no-obsolete", "--no-wrap", merged).stdout
            problems += [f'{path}: {state}: "{text}"' for text, _ in messages(missing)]
        with open(merged) as file:
            for text, translated in messages(file.read()):
                if translated and sorted(re.findall(r"\{\w+\}", text)) != sorted(re.findall(r"\{\w+\}", translated)):
                    problems.append(f'{path}: "{text}": other placeholders than in "{translated}"')

for problem in problems:
    print(problem)
if problems:
    print(f"\n{len(problems)} problems; docs/CONTRIBUTING.md, \"A text for users\", says how to mend them")
sys.exit(1 if problems else 0)
