// SPDX-License-Identifier: LGPL-2.1-or-later
// usage: gpu-bench [SECONDS [DISPLAY SERVER_PID NAME]…]   what an NVIDIA GPU does for us, as JSON. Ends with 77 where there
// is no driver, with 1 where a picture is wrong.
#include <gst/cuda/gstcudamemory.h>
#include <gst/gst.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "gpu-memory.h"
#include "gpu-pipelines.h"

using namespace vitrine;

namespace {

void ask_nvenc(GpuReport& report) {
  GstElement* encoder = gst_element_factory_make("nvstreamenc", nullptr);
  if (!encoder) {
    report.text("nvenc.error", "there is no element nvstreamenc here");
    return;
  }
  GstStructure* capabilities = nullptr;
  g_object_get(encoder, "capabilities", &capabilities, nullptr);
  if (const char* error = gst_structure_get_string(capabilities, "error")) {
    report.text("nvenc", "none");
    report.text("nvenc.error", error);
  } else {
    char* text = gst_structure_to_string(capabilities);
    report.text("nvenc", text);
    g_free(text);
  }
  gst_structure_free(capabilities);
  gst_object_unref(encoder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "paint") == 0)
    return paint(argv[2], argv[3]);
  gst_init(nullptr, nullptr);
  std::string why_not;
  const CudaDriver* driver = CudaDriver::get(&why_not);
  if (!driver) {
    std::fprintf(stderr, "NOT MEASURED: %s\n", why_not.c_str());
    return 77;
  }
  gst_cuda_memory_init_once();
  GstCudaContext* context = gst_cuda_context_new(0);
  if (!context) {
    std::fprintf(stderr, "NOT MEASURED: there is a driver, but no usable CUDA device\n");
    return 77;
  }
  GpuReport report;
  const std::string name = driver->device_name(context);
  report.text("gpu", name);
  // That of our tests: it shows that all of this works, and no figure of it means anything.
  const bool fake = name == "Fake GPU";
  report.flag("is-fake", fake);
  const bool right = measure_memory(*driver, context, !fake, report);
  gst_object_unref(context);
  ask_nvenc(report);
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  for (int i = 2; i + 2 < (fake ? std::min(argc, 5) : argc); i += 3)
    measure_pipelines(argv[0], argv[i], std::atoi(argv[i + 1]), argv[i + 2], seconds, report);
  report.flag("pictures-are-right", right);
  std::fputs(report.json().c_str(), stdout);
  return right ? 0 : 1;
}
