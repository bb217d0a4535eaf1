# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a file as a zero-terminated C array. usage: embed.py SYMBOL INPUT OUTPUT"""
import sys

symbol, source, target = sys.argv[1:]
with open(source, "rb") as file:
    data = file.read()
with open(target, "w") as file:
    file.write(f'extern "C" const char {symbol}[];\nextern "C" const char {symbol}[] = {{\n')
    for start in range(0, len(data), 24):
        file.write(",".join(str(byte) for byte in data[start : start + 24]) + ",\n")
    file.write("0};\n")
