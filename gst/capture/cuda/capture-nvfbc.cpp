// SPDX-License-Identifier: LGPL-2.1-or-later
// A capture session of NvFBC, made anew whenever the driver asks for it.
#include "capture/cuda/capture-nvfbc.h"

#include <X11/Xlib.h>
#include <dlfcn.h>

#include <cstdlib>

#include "capture/cuda/nvfbc-interface.h"

namespace vitrine {
namespace {

// How long a grab waits for the picture of a change that was announced: several refreshes.
constexpr uint32_t kPatienceMs = 100;

struct Library {
  nvfbc::Functions functions{};
  std::string why_not;
};

const Library& library() {
  static const Library the_library = [] {
    Library loaded;
    void* handle = dlopen("libnvidia-fbc.so.1", RTLD_NOW | RTLD_LOCAL);
    const auto create = handle ? reinterpret_cast<nvfbc::CreateInstance>(dlsym(handle, "NvFBCCreateInstance")) : nullptr;
    if (!create) {
      loaded.why_not = "libnvidia-fbc.so.1 is not here";
      return loaded;
    }
    loaded.functions.version = nvfbc::kVersion;
    if (create(&loaded.functions) != nvfbc::kSuccess)
      loaded.why_not = "libnvidia-fbc.so.1 does not have interface 1.7";
    return loaded;
  }();
  return the_library;
}

template <typename Params>
Params make() {
  Params params{};
  params.version = nvfbc::version_of<Params>();
  return params;
}

/// ":0" and ":0.0" are the same.
std::string without_screen(const std::string& name) {
  const size_t colon = name.rfind(':');
  return colon == std::string::npos ? name : name.substr(0, name.find('.', colon));
}

class NvFbcSource : public FrameSource {
 public:
  NvFbcSource(const nvfbc::Functions& functions, GstCudaContext* context, bool with_pointer)
      : functions_(functions), context_(Ref<GstCudaContext>::share(context)), with_pointer_(with_pointer) {}
  ~NvFbcSource() override {
    if (!handle_)
      return;
    const Bound bound(*this);
    destroy_capture();
    auto destroy = make<nvfbc::DestroyHandle>();
    functions_.destroy_handle(handle_, &destroy);
    handle_ = 0;
  }

  bool open(std::string* why_not) {
    const CudaScope scope(context_.get());
    auto create = make<nvfbc::CreateHandle>();
    if (!scope || !succeeded("NvFBCCreateHandle", functions_.create_handle(&handle_, &create))) {
      handle_ = 0;
      *why_not = failure_;
      return false;
    }
    auto status = make<nvfbc::GetStatus>();
    bool ok = succeeded("NvFBCGetStatus", functions_.get_status(handle_, &status));
    if (ok && (!status.capture_possible || !status.can_create_now)) {
      failure_ = status.capture_possible ? "the X server cannot be captured now"
                                         : "the driver does not permit it on this GPU (GeForce)";
      ok = false;
    }
    ok = ok && create_capture();
    // Of this thread; the one that captures is another.
    auto release = make<nvfbc::Release>();
    functions_.release(handle_, &release);
    *why_not = failure_;
    return ok;
  }

  const char* name() const override { return "nvfbc"; }
  bool is_live_memory() const override { return false; }
  bool is_device_memory() const override { return true; }
  std::string failure() const override { return failure_; }

  Freshness refresh(bool wait) override {
    const Bound bound(*this);
    if (!bound)
      return Freshness::kFailed;
    nvfbc::Result status = grab(wait || !device_);
    // A mode was set: the driver gave up its memory.
    if (status == nvfbc::kMustRecreate) {
      destroy_capture();
      if (!create_capture())
        return Freshness::kFailed;
      status = grab(true);
    }
    if (!succeeded("NvFBCToCudaGrabFrame", status))
      return Freshness::kFailed;
    const bool is_new = info_.is_new || info_.frame != seen_ || !seen_any_;
    seen_ = info_.frame;
    seen_any_ = true;
    return is_new ? Freshness::kNew : Freshness::kSame;
  }

  bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) override {
    views.clear();
    const size_t stride = info_.height ? info_.bytes / info_.height : 0;
    const Rect screen = whole({static_cast<int>(info_.width), static_cast<int>(info_.height)});
    for (const Rect& rect : rects) {
      if (!device_ || stride < static_cast<size_t>(info_.width) * 4 || !(intersect(rect, screen) == rect))
        return false;  // the screen has another size now
      const auto address = device_ + static_cast<CUdeviceptr>(rect.y) * stride + static_cast<CUdeviceptr>(rect.x) * 4;
      views.push_back({reinterpret_cast<const uint8_t*>(static_cast<uintptr_t>(address)), stride});
    }
    return true;
  }

 private:
  /// The library's context and ours, current on this thread.
  class Bound {
   public:
    explicit Bound(NvFbcSource& source) : source_(source), scope_(source.context_.get()) {
      auto bind = make<nvfbc::Bind>();
      ok_ = scope_ && source.succeeded("NvFBCBindContext", source.functions_.bind(source.handle_, &bind));
    }
    ~Bound() {
      auto release = make<nvfbc::Release>();
      if (ok_ && source_.handle_)
        source_.functions_.release(source_.handle_, &release);
    }
    Bound(const Bound&) = delete;
    Bound& operator=(const Bound&) = delete;
    explicit operator bool() const { return ok_; }

   private:
    NvFbcSource& source_;
    CudaScope scope_;
    bool ok_;
  };

  bool create_capture() {
    auto create = make<nvfbc::CreateCapture>();
    create.capture_type = nvfbc::kCaptureSharedCuda;
    create.tracking = nvfbc::kTrackScreen;
    create.with_cursor = with_pointer_;
    create.no_modeset_recovery = 1;
    create.push_model = 1;  // a picture as soon as something is painted
    create.allow_direct = 0;  // else a full-screen program paints past the X server, which then reports no damage
    if (!succeeded("NvFBCCreateCaptureSession", functions_.create_capture(handle_, &create)))
      return false;
    captures_ = true;
    auto setup = make<nvfbc::CudaSetup>();
    setup.format = nvfbc::kFormatBgra;
    return succeeded("NvFBCToCudaSetUp", functions_.cuda_setup(handle_, &setup));
  }

  void destroy_capture() {
    device_ = 0;
    seen_any_ = false;
    auto destroy = make<nvfbc::DestroyCapture>();
    if (std::exchange(captures_, false))
      functions_.destroy_capture(handle_, &destroy);
  }

  nvfbc::Result grab(bool wait) {
    auto params = make<nvfbc::CudaGrab>();
    params.flags = wait ? nvfbc::kNoWaitIfNewFrameReady : nvfbc::kNoWait;
    params.device_buffer = &device_;
    params.info = &info_;
    params.timeout_ms = wait ? kPatienceMs : 0;
    return functions_.cuda_grab(handle_, &params);
  }

  bool succeeded(const char* call, nvfbc::Result status) {
    if (status == nvfbc::kSuccess)
      return true;
    const char* details = handle_ ? functions_.last_error(handle_) : nullptr;
    failure_ = std::string(call) + ": error " + std::to_string(status);
    if (details && *details)
      failure_ += std::string(" (") + details + ")";
    return false;
  }

  const nvfbc::Functions& functions_;
  Ref<GstCudaContext> context_;
  bool with_pointer_;
  nvfbc::Handle handle_ = 0;
  bool captures_ = false;
  CUdeviceptr device_ = 0;
  nvfbc::GrabInfo info_{};
  uint32_t seen_ = 0;
  bool seen_any_ = false;
  std::string failure_;
};

}  // namespace

std::unique_ptr<FrameSource> open_nvfbc_source(const DeviceSourceRequest& request, GstCudaContext* context,
                                               std::string* why_not) {
  int opcode = 0;
  int event = 0;
  int error = 0;
  if (!request.demanded && !XQueryExtension(request.connection.display(), "NV-CONTROL", &opcode, &event, &error)) {
    *why_not = "the X server is not NVIDIA's";
    return nullptr;
  }
  if (!library().why_not.empty()) {
    *why_not = library().why_not;
    return nullptr;
  }
  // It opens the display by itself.
  const char* display = std::getenv("DISPLAY");
  if (!display || without_screen(display) != without_screen(request.connection.name())) {
    *why_not = std::string("it captures $DISPLAY alone, which is ") + (display ? display : "not set");
    return nullptr;
  }
  auto source = std::make_unique<NvFbcSource>(library().functions, context, request.with_pointer);
  if (!source->open(why_not))
    return nullptr;
  return source;
}

}  // namespace vitrine
