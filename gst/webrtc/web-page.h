// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's files as HTTP answers.
#pragma once

#include <libsoup/soup.h>

#include <string>

namespace vitrine {

/// $VITRINE_WEB_ROOT, or where the page is installed.
std::string default_web_root();

/// What browsers are told of every answer: what the page may do, and what others may do with it.
void set_page_headers(SoupServerMessage* message);

/// Answers with the file that `path` names in `web_root`. False if there is none.
bool serve_page_file(SoupServerMessage* message, const std::string& web_root, const std::string& path);

}  // namespace vitrine
