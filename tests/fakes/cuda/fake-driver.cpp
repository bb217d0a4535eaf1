// SPDX-License-Identifier: LGPL-2.1-or-later
// State, faults, ranges, streams.
#include "fake-driver.h"

#include <cstdio>

#include "faults.h"

namespace vitrine::fake_driver {

State& state() {
  static State* the_state = new State;  // outlives every thread
  return *the_state;
}

thread_local std::vector<CUcontext> current;

CUresult misuse(const char* call, const std::string& what, CUresult result) {
  std::fprintf(stderr, "fake-cuda: %s: %s\n", call, what.c_str());
  state().counters.misuses++;
  return result;
}

bool asked_for(const char* fault, unsigned long* number) {
  return vitrine::fault_asked_for("FAKE_CUDA", fault, number);
}

bool is_device_range(CUdeviceptr address, size_t bytes) {
  auto& memory = state().memory;
  auto block = memory.upper_bound(address);
  if (block == memory.begin())
    return false;
  --block;
  return address >= block->first && bytes <= block->second && address - block->first <= block->second - bytes;
}

void run_stream(CUstream stream) {
  auto& work = state().streams[stream];
  while (!work.empty()) {
    const std::function<void()> next = std::move(work.front());
    work.pop_front();
    next();
  }
}

void submit(CUstream stream, std::function<void()> work) {
  if (!stream)
    work();
  else
    state().streams[stream].push_back(std::move(work));
}

}  // namespace vitrine::fake_driver
