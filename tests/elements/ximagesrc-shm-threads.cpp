// SPDX-License-Identifier: LGPL-2.1-or-later
// Elements that start and stop at the same time on different threads, as when a session rebuilds one that hangs: libraries below us keep
// lists of displays without locks.
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "ximagesrc-shm-fixture.h"

namespace {

constexpr int kThreads = 4, kRounds = 60;

}  // namespace

TEST(XImageSrcShmThreads, StartAndStopAtTheSameTime) {
  const auto server = vitrine::XServer::start_xvfb("64x64x24");
  ASSERT_TRUE(server);
  const std::string line = "ximagesrc-shm show-pointer=true display-name=" + server->display() + " ! fakesink";
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&failures, &line] {
      for (int round = 0; round < kRounds; ++round) {
        GstElement* pipeline = gst_parse_launch(line.c_str(), nullptr);
        failures += !pipeline || gst_element_set_state(pipeline, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE;
        gst_element_set_state(pipeline, GST_STATE_NULL);
        gst_object_unref(pipeline);
      }
    });
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(failures, 0);
}

int main(int argc, char** argv) {
  return vitrine::run_with_xvfb(argc, argv);
}
