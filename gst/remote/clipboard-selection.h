// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of selections and their targets, and what both sides of a selection share (ICCCM 2.0, section 2).
#pragma once

#include <X11/Xlib.h>

#include <string>

namespace vitrine {

/// Atoms of one display.
struct SelectionAtoms {
  explicit SelectionAtoms(Display* display);
  Atom clipboard, targets, timestamp, multiple, incr, atom_pair, utf8_string, string, text, text_plain, text_plain_utf8, text_html, image_png;
  Atom property;  // where answers are put
};

/// What goes into a property at once, below the length of a plain X request; longer contents go by INCR.
constexpr size_t kSelectionPiece = 192 * 1024;

std::string latin1_from_utf8(const std::string& text);
std::string utf8_from_latin1(const std::string& text);
/// UTF-8 of what an owner gave as text: UTF-16 with a byte order mark is converted, NULs at the end go, what is invalid becomes U+FFFD.
std::string clean_text(std::string text);

}  // namespace vitrine
