// SPDX-License-Identifier: LGPL-2.1-or-later
// RTCP of an authenticated viewer.
#include "webrtc/rtcp-check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  vitrine::rtcp_is_sound({data, size});
  return 0;
}
