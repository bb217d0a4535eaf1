// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory of every kind, and our own canvas on it.
#include "gpu-memory.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>
#include <random>

#include "capture/cuda/cuda-canvas.h"
#include "capture/picture-converter.h"

namespace vitrine {
namespace {

int rounds = 21;

double median_ms(const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i < rounds; i++) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

enum class Kind { kPrivate, kSysV, kMemfd };

/// A picture's pixels in one of the kinds of memory that X servers share.
class Pixels : public SourceMemory {
 public:
  Pixels(Kind kind, size_t bytes) : kind_(kind), bytes_((bytes + 4095) / 4096 * 4096) {
    if (kind == Kind::kSysV) {
      const int id = shmget(IPC_PRIVATE, bytes_, IPC_CREAT | 0600);
      data_ = id >= 0 ? shmat(id, nullptr, 0) : MAP_FAILED;
      if (id >= 0)
        shmctl(id, IPC_RMID, nullptr);
    } else {
      const int fd = kind == Kind::kMemfd ? memfd_create("vitrine-gpu", MFD_CLOEXEC) : -1;
      if (kind == Kind::kMemfd && (fd < 0 || ftruncate(fd, static_cast<off_t>(bytes_)) != 0))
        return;
      data_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
      if (fd >= 0)
        close(fd);
    }
    if (data_ != MAP_FAILED)
      std::memset(data_, 0x5a, bytes_);
  }
  ~Pixels() override {
    if (data_ == MAP_FAILED)
      return;
    if (kind_ == Kind::kSysV)
      shmdt(data_);
    else
      munmap(data_, bytes_);
  }
  Pixels(const Pixels&) = delete;
  Pixels& operator=(const Pixels&) = delete;
  bool ok() const { return data_ != MAP_FAILED; }
  const uint8_t* data() const override { return static_cast<const uint8_t*>(data_); }
  uint8_t* writable() { return static_cast<uint8_t*>(data_); }
  size_t bytes() const override { return bytes_; }

 private:
  Kind kind_;
  size_t bytes_;
  void* data_ = MAP_FAILED;
};

class Screen : public FrameSource {
 public:
  explicit Screen(Size size)
      : size_(size), pixels_(std::make_shared<Pixels>(Kind::kMemfd, static_cast<size_t>(size.width) * size.height * 4)) {}
  const char* name() const override { return "memory"; }
  bool is_live_memory() const override { return true; }
  std::shared_ptr<const SourceMemory> memory() const override { return pixels_; }
  bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) override {
    views.clear();
    for (const Rect& rect : rects)
      views.push_back({pixels_->data() + (static_cast<size_t>(rect.y) * size_.width + rect.x) * 4, stride()});
    return true;
  }
  size_t stride() const { return static_cast<size_t>(size_.width) * 4; }
  PixelView view() const { return {pixels_->data(), stride()}; }
  void scribble(const Rect& rect, std::mt19937& random) {
    for (int y = rect.y; y < rect.bottom(); y++) {
      auto* row = reinterpret_cast<uint32_t*>(pixels_->writable() + static_cast<size_t>(y) * stride());
      for (int x = rect.x; x < rect.right(); x++)
        row[x] = static_cast<uint32_t>(random());
    }
  }

 private:
  Size size_;
  std::shared_ptr<Pixels> pixels_;
};

void try_registration(const CudaDriver& driver, GpuReport& report) {
  const std::pair<Kind, const char*> kinds[] = {{Kind::kSysV, "sysv"}, {Kind::kMemfd, "memfd"}, {Kind::kPrivate, "private"}};
  for (const auto& [kind, name] : kinds) {
    Pixels pixels(kind, size_t{3840} * 2160 * 4);
    const std::string key = std::string("registration.") + name;
    if (!pixels.ok()) {
      report.text(key, "no such memory here");
      continue;
    }
    CUresult result = CUDA_SUCCESS;
    const auto start = std::chrono::steady_clock::now();
    result = driver.mem_host_register(pixels.writable(), pixels.bytes(), CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP);
    const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    report.text(key, result == CUDA_SUCCESS ? "accepted" : driver.describe("cuMemHostRegister", result));
    if (result == CUDA_SUCCESS) {
      report.number(key + ".ms", ms);
      driver.mem_host_unregister(pixels.writable());
    }
  }
}

void measure_bandwidth(const CudaDriver& driver, CudaDevice& device, Size size, const std::string& key, GpuReport& report) {
  const size_t row = static_cast<size_t>(size.width) * 4;
  const size_t bytes = row * size.height;
  const CUdeviceptr target = device.allocate(bytes);
  const auto upload = [&](const void* from, const std::vector<Rect>& rects) {
    for (const Rect& rect : rects) {
      CUDA_MEMCPY2D copy{};
      copy.srcMemoryType = CU_MEMORYTYPE_HOST;
      copy.srcHost = static_cast<const uint8_t*>(from) + static_cast<size_t>(rect.y) * row + static_cast<size_t>(rect.x) * 4;
      copy.srcPitch = copy.dstPitch = row;
      copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
      copy.dstDevice = target + static_cast<size_t>(rect.y) * row + static_cast<size_t>(rect.x) * 4;
      copy.WidthInBytes = static_cast<size_t>(rect.width) * 4;
      copy.Height = static_cast<size_t>(rect.height);
      device.copy(copy);
    }
    device.wait();
  };
  const std::vector<Rect> all = {whole(size)};
  std::vector<Rect> tiles;
  for (int y = 0; y + 32 <= size.height; y += 32)
    for (int x = 0; x + 64 <= size.width; x += 64)
      tiles.push_back({x, y, 64, 32});
  const auto tell = [&](const char* name, double ms) {
    report.number(key + name + ".ms", ms);
    report.number(key + name + ".gb-per-s", static_cast<double>(bytes) / ms / 1e6);
  };
  Pixels pageable(Kind::kPrivate, bytes);
  const double slow = median_ms([&] { upload(pageable.data(), all); });
  tell("pageable", slow);
  void* pinned = nullptr;
  if (driver.mem_host_alloc(&pinned, bytes, CU_MEMHOSTALLOC_PORTABLE) == CUDA_SUCCESS) {
    std::memset(pinned, 1, bytes);
    const double fast = median_ms([&] { upload(pinned, all); });
    tell("pinned", fast);
    tell("pinned-by-tile", median_ms([&] { upload(pinned, tiles); }));
    report.number(key + "pageable-over-pinned", slow / fast);
    driver.mem_free_host(pinned);
  }
  driver.mem_free(target);
  // Read where it is, by the kernel that only copies.
  HostAccess access(device);
  Screen screen(size);
  CudaCanvas canvas(device, access, PictureLayout::make(PixelFormat::kBgrx, ColorMatrix::kBt709, size), {0, 0});
  canvas.draw(screen);
  canvas.finish();
  const double mapped = median_ms([&] {
    canvas.damage_all();
    canvas.draw(screen);
    canvas.finish();
  });
  tell(access.way() == HostAccess::Way::kRegistered ? "mapped" : "staged", mapped);
}

std::vector<uint8_t> downloaded(CudaDevice& device, const CudaCanvas& canvas) {
  std::vector<uint8_t> bytes(canvas.layout().bytes);
  CUDA_MEMCPY2D copy{};
  copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
  copy.srcDevice = canvas.address();
  copy.dstMemoryType = CU_MEMORYTYPE_HOST;
  copy.dstHost = bytes.data();
  copy.srcPitch = copy.dstPitch = copy.WidthInBytes = bytes.size();
  copy.Height = 1;
  device.copy(copy);
  device.wait();
  return bytes;
}

/// Where rows are longer than the picture nobody reads.
bool same_picture(const PictureLayout& layout, const std::vector<uint8_t>& a, const std::vector<uint8_t>& b) {
  for (int plane = 0; plane < layout.plane_count; plane++) {
    const Plane& p = layout.planes[plane];
    const size_t row = static_cast<size_t>((layout.size.width + (1 << p.x_shift) - 1) >> p.x_shift) * p.bytes_per_sample;
    const int rows = (layout.size.height + (1 << p.y_shift) - 1) >> p.y_shift;
    for (int y = 0; y < rows; y++)
      if (std::memcmp(a.data() + p.offset + static_cast<size_t>(y) * p.stride, b.data() + p.offset + static_cast<size_t>(y) * p.stride, row) != 0)
        return false;
  }
  return true;
}

bool measure_kernel(CudaDevice& device, Size size, const std::string& name, GpuReport& report) {
  bool right = true;
  std::mt19937 random(5);
  for (const auto& [format, format_name] : {std::pair(PixelFormat::kNv12, "nv12"), std::pair(PixelFormat::kBgrx, "bgrx")}) {
    const PictureLayout layout = PictureLayout::make(format, ColorMatrix::kBt709, size);
    HostAccess access(device);
    Screen screen(size);
    screen.scribble(whole(size), random);
    CudaCanvas canvas(device, access, layout, {0, 0});
    canvas.draw(screen);
    canvas.finish();
    double full_cpu = 0;
    for (const int percent : {1, 10, 40, 100}) {
      const std::string key = "kernel." + name + "." + format_name + "." + std::to_string(percent) + "-percent";
      // A band in the middle, as of a window that scrolls.
      const int height = std::max(2, size.height * percent / 100 & ~1);
      const Rect band{0, (size.height - height) / 2 & ~1, size.width, height};
      screen.scribble(band, random);
      const double ms = median_ms([&] {
        canvas.add_damage(band);
        canvas.draw(screen);
        canvas.finish();
      });
      report.number(key + ".ms", ms);
      std::vector<uint8_t> expected(layout.bytes);
      full_cpu = median_ms([&] { convert_rect(screen.view(), whole(size), layout, expected.data()); });
      if (format == PixelFormat::kBgrx)
        for (size_t i = 3; i < expected.size(); i += 4)
          expected[i] = 0xff;
      const bool same = same_picture(layout, downloaded(device, canvas), expected);
      report.flag(key + ".as-on-cpu", same);
      right = right && same;
    }
    report.number("kernel." + name + "." + format_name + ".cpu-of-whole-picture.ms", full_cpu);
  }
  return right;
}

}  // namespace

bool measure_memory(const CudaDriver& driver, GstCudaContext* context, bool thorough, GpuReport& report) {
  rounds = thorough ? 21 : 1;
  std::string error;
  const auto start = std::chrono::steady_clock::now();
  const std::unique_ptr<CudaDevice> device = CudaDevice::create(driver, context, &error);
  report.number("kernel.load.ms", std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  if (!device) {
    report.text("kernel.load.error", error);
    return false;
  }
  const CudaScope scope(context);
  try_registration(driver, report);
  bool right = true;
  std::vector<std::pair<Size, const char*>> sizes = {{{1920, 1080}, "1080p"}};
  if (thorough)
    sizes.push_back({{3840, 2160}, "2160p"});
  for (const auto& [size, name] : sizes) {
    measure_bandwidth(driver, *device, size, std::string("bandwidth.") + name + ".", report);
    right = measure_kernel(*device, size, name, report) && right;
  }
  if (!device->failure().empty())
    report.text("device.failure", device->failure());
  return right && device->failure().empty();
}

}  // namespace vitrine
