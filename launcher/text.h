// SPDX-License-Identifier: LGPL-2.1-or-later
// Translated texts.
#pragma once

#include <libintl.h>

#define _(text) gettext(text)
/// Marks a text that is translated where it is shown.
#define N_(text) (text)
