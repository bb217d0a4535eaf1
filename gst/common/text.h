// SPDX-License-Identifier: LGPL-2.1-or-later
// Translated texts of elements: what an error tells people. Debug texts stay English.
#pragma once

#include <libintl.h>

#ifndef GETTEXT_PACKAGE
#define GETTEXT_PACKAGE "vitrine"
#endif
#define _(text) dgettext(GETTEXT_PACKAGE, text)

namespace vitrine {

#ifdef VITRINE_LOCALE_DIR
/// To be called when a plugin is loaded.
inline void bind_texts() {
  bindtextdomain(GETTEXT_PACKAGE, VITRINE_LOCALE_DIR);
  bind_textdomain_codeset(GETTEXT_PACKAGE, "UTF-8");
}
#endif

}  // namespace vitrine
