// SPDX-License-Identifier: LGPL-2.1-or-later
// The server's certificate and its key, from files.
#pragma once

#include <gio/gio.h>

#include <string>

#include "common/ref.h"

namespace vitrine {

/// `key` empty: it is in the file of the certificate. Null, with `error` naming property and file, if they cannot be read or do not belong
/// together.
Ref<GTlsCertificate> load_certificate(const std::string& certificate, const std::string& key, std::string& error);

}  // namespace vitrine
