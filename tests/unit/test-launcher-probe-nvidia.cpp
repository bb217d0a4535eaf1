// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include "probe-nvidia.h"

namespace vitrine {
namespace {

using Lines = std::vector<std::string>;

TEST(ProbeNvidia, TellsCodecsInWords) {
  EXPECT_EQ(nvidia_lines(R"({"nvenc":{"gpu":"A","driver-api":"12.2","sessions":8,"codecs":{"h264":{"width-max":4096,
    "height-max":4000,"444":true,"10-bit":false,"lossless":true,"intra-refresh":true,"reference-invalidation":false,"engines":2}}},
    "capture":{"mode":"fb"}})"),
            (Lines{"  NVENC 12.2: A, sessions that can be opened: 8",
                   "  NVENC H264 up to 4096x4000, 4:4:4, lossless, intra refresh, engines: 2", "  ximagesrc-cuda: works, by fb"}));
}

TEST(ProbeNvidia, TellsWhyThereIsNone) {
  EXPECT_EQ(nvidia_lines(R"({"nvenc":{"gpu":"H200","error":"This GPU has no video encoder","codecs":{}},"capture":{"error":"No."}})"),
            (Lines{"  NVENC: none: This GPU has no video encoder", "  ximagesrc-cuda: No."}));
}

TEST(ProbeNvidia, MakesNothingOfRubbish) {
  EXPECT_TRUE(nvidia_lines("").empty());
  EXPECT_TRUE(nvidia_lines("[]").empty());
  EXPECT_TRUE(nvidia_lines(R"({"nvenc":7,"capture":[]})").empty());
  EXPECT_EQ(nvidia_lines(R"({"nvenc":{"codecs":{"h264":3,"av1":{"444":"yes"}}}})").size(), 2u);
}

}  // namespace
}  // namespace vitrine
