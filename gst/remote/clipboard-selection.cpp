// SPDX-License-Identifier: LGPL-2.1-or-later
// Atoms and texts of selections.
#include "remote/clipboard-selection.h"

#include <glib.h>

namespace vitrine {

SelectionAtoms::SelectionAtoms(Display* display) {
  const char* names[] = {"CLIPBOARD", "TARGETS", "TIMESTAMP", "MULTIPLE", "INCR", "ATOM_PAIR", "UTF8_STRING", "STRING", "TEXT",
                         "text/plain", "text/plain;charset=utf-8", "text/html", "image/png", "_VITRINE_SELECTION"};
  Atom atoms[G_N_ELEMENTS(names)] = {};
  XInternAtoms(display, const_cast<char**>(names), G_N_ELEMENTS(names), False, atoms);
  Atom* to[] = {&clipboard, &targets, &timestamp, &multiple, &incr, &atom_pair, &utf8_string, &string, &text,
                &text_plain, &text_plain_utf8, &text_html, &image_png, &property};
  for (size_t i = 0; i < G_N_ELEMENTS(names); ++i)
    *to[i] = atoms[i];
}

std::string latin1_from_utf8(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char* p = text.c_str(); p < text.c_str() + text.size(); p = g_utf8_next_char(p)) {
    const gunichar c = g_utf8_get_char(p);
    out += c < 256 ? static_cast<char>(c) : '?';
  }
  return out;
}

std::string utf8_from_latin1(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const unsigned char c : text) {
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else {
      out += static_cast<char>(0xc0 | c >> 6);
      out += static_cast<char>(0x80 | (c & 0x3f));
    }
  }
  return out;
}

std::string clean_text(std::string text) {
  const bool little = text.starts_with("\xff\xfe"), big = text.starts_with("\xfe\xff");
  if (little || big) {
    gsize size = 0;
    gchar* converted = g_convert(text.data() + 2, static_cast<gssize>(text.size() - 2), "UTF-8", little ? "UTF-16LE" : "UTF-16BE", nullptr,
                                 &size, nullptr);
    if (converted)
      text.assign(converted, size);
    g_free(converted);
  }
  while (!text.empty() && text.back() == '\0')
    text.pop_back();
  if (g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr))
    return text;
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  text = valid;
  g_free(valid);
  return text;
}

}  // namespace vitrine
