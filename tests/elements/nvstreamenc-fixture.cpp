// SPDX-License-Identifier: LGPL-2.1-or-later
// What a failing encoder must do.
#include "nvstreamenc-fixture.h"

namespace vitrine {

void fail_with(const std::string& options, const char* fault, const std::string& expected, const std::string& caps,
               const std::string& filter) {
  setenv("FAKE_NVENC", fault, 1);
  Encoding encoding(kAppSource, options, filter);
  encoding.set_caps(caps);
  ASSERT_TRUE(encoding.play());
  std::string error;
  for (unsigned i = 0; i < 6 && error.empty(); i++) {
    g_object_set(encoding.encoder(), "bitrate", 2000 + i, nullptr);
    encoding.push(picture(caps, i, nullptr));
    for (int patience = 0; patience < 50 && error.empty() && !encoding.pull(milliseconds(100)); patience++)
      error = encoding.error(milliseconds(0));
  }
  if (error.empty())
    error = encoding.error();
  EXPECT_NE(error.find(expected), std::string::npos) << fault << ": " << error;
  encoding.stop();
  unsetenv("FAKE_NVENC");
  if (caps != raw_caps("NV12"))
    return;  // appsrc would come back with the caps it had
  g_object_set(encoding.encoder(), "qp-min", -1, "qp-max", -1, nullptr);
  encoding.set_caps(raw_caps("NV12"));
  ASSERT_TRUE(encoding.play());
  encoding.push(picture(raw_caps("NV12"), 0, nullptr));
  EXPECT_TRUE(encoding.pull()) << fault << ": " << encoding.error(milliseconds(0));
}

}  // namespace vitrine
