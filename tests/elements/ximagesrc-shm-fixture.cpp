// SPDX-License-Identifier: LGPL-2.1-or-later
// Painter, pipeline and reference picture of the tests of ximagesrc-shm.
#include "ximagesrc-shm-fixture.h"

#include <X11/extensions/Xrandr.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "capture/picture-converter.h"

namespace vitrine {

using std::chrono::milliseconds;

int64_t monotonic_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Painter::Painter(const std::string& display) : display_(XOpenDisplay(display.c_str())) {
  if (!display_) {
    std::fprintf(stderr, "cannot open display %s\n", display.c_str());
    std::exit(1);
  }
  XGCValues values{};
  values.graphics_exposures = False;
  values.subwindow_mode = IncludeInferiors;
  gc_ = XCreateGC(display_, root(), GCGraphicsExposures | GCSubwindowMode, &values);
}

Painter::~Painter() {
  XFreeGC(display_, gc_);
  XCloseDisplay(display_);
}

Size Painter::screen() const {
  Window other;
  int x;
  int y;
  unsigned int width = 0;
  unsigned int height = 0;
  unsigned int border;
  unsigned int depth;
  XGetGeometry(display_, root(), &other, &x, &y, &width, &height, &border, &depth);
  return {static_cast<int>(width), static_cast<int>(height)};
}

Window Painter::make_window(const Rect& rect, unsigned long color) {
  XSetWindowAttributes attributes{};
  attributes.override_redirect = True;
  attributes.background_pixel = color;
  const Window window =
      XCreateWindow(display_, root(), rect.x, rect.y, rect.width, rect.height, 0, CopyFromParent, InputOutput,
                    CopyFromParent, CWOverrideRedirect | CWBackPixel, &attributes);
  XMapRaised(display_, window);
  sync();
  return window;
}

void Painter::fill(Window window, const Rect& rect, unsigned long color) {
  XSetForeground(display_, gc_, color);
  XFillRectangle(display_, window, gc_, rect.x, rect.y, rect.width, rect.height);
}

void Painter::paint_randomly(std::mt19937& random) {
  const Size size = screen();
  const auto below = [&random](int limit) { return static_cast<int>(random() % std::max(limit, 1)); };
  const auto any_rect = [&] {
    const int scale = random() % 4 ? 8 : 1;
    return Rect{below(size.width + 20) - 10, below(size.height + 20) - 10, 1 + below(size.width / scale),
                1 + below(size.height / scale)};
  };
  for (int i = below(6); i >= 0; i--) {
    XSetForeground(display_, gc_, random() & 0xffffff);
    const Rect rect = any_rect();
    switch (below(6)) {
      case 0:
        fill(rect, random() & 0xffffff);
        break;
      case 1:
        XDrawLine(display_, root(), gc_, rect.x, rect.y, below(size.width), below(size.height));
        break;
      case 2:
        XDrawString(display_, root(), gc_, rect.x, rect.y, "a quick brown fox", 17);
        break;
      case 3:
        XCopyArea(display_, root(), root(), gc_, rect.x, rect.y, rect.width, rect.height, below(size.width),
                  below(size.height));
        break;
      case 4: {
        std::vector<uint32_t> noise(64 * 48);
        for (uint32_t& pixel : noise)
          pixel = static_cast<uint32_t>(random());
        XImage* image = XCreateImage(display_, DefaultVisual(display_, 0), DefaultDepth(display_, 0), ZPixmap,
                                     0, reinterpret_cast<char*>(noise.data()), 64, 48, 32, 0);
        XPutImage(display_, root(), gc_, image, 0, 0, rect.x, rect.y, 64, 48);
        image->data = nullptr;
        XDestroyImage(image);
        break;
      }
      default:
        if (windows_.size() < 3)
          windows_.push_back(make_window({rect.x, rect.y, 50, 40}, random() & 0xffffff));
        else
          XMoveResizeWindow(display_, windows_[below(3)], rect.x, rect.y, 1 + below(80), 1 + below(80));
        break;
    }
  }
  sync();
}

bool Painter::resize_screen(Size size) {
  XRRScreenResources* resources = XRRGetScreenResources(display_, root());
  if (!resources)
    return false;
  for (int i = 0; i < resources->ncrtc; i++)
    XRRSetCrtcConfig(display_, resources, resources->crtcs[i], CurrentTime, 0, 0, None, RR_Rotate_0, nullptr,
                     0);
  XRRSetScreenSize(display_, root(), size.width, size.height, size.width / 4 + 1, size.height / 4 + 1);
  XRRFreeScreenResources(resources);
  sync();
  return screen() == size;
}

namespace {

GstElement* launch(const std::string& line) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(line.c_str(), &error);
  if (error) {
    std::fprintf(stderr, "%s: %s\n", line.c_str(), error->message);
    std::exit(1);
  }
  return pipeline;
}

void read_block(GstBuffer* buffer, const GstVideoInfo& info, Picture* picture) {
  // A peer that knows nothing of video metas must find the planes where caps alone put them.
  EXPECT_EQ(picture->layout.bytes, info.size);
  for (int plane = 0; plane < picture->layout.plane_count; plane++) {
    EXPECT_EQ(picture->layout.planes[plane].offset, info.offset[plane]);
    EXPECT_EQ(picture->layout.planes[plane].stride, info.stride[plane]);
  }
  GstMapInfo map;
  EXPECT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_READ));
  picture->bytes.assign(map.data, map.data + map.size);
  gst_buffer_unmap(buffer, &map);
  EXPECT_EQ(picture->bytes.size(), picture->layout.bytes);
}

/// Memory of a device has a row pitch of its own; mapped for reading it is downloaded.
void read_planes(GstBuffer* buffer, const GstVideoInfo& info, Picture* picture) {
  picture->bytes.assign(picture->layout.bytes, 0);
  GstVideoFrame frame;
  ASSERT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
  for (int plane = 0; plane < picture->layout.plane_count; plane++) {
    const Plane& p = picture->layout.planes[plane];
    const size_t row = static_cast<size_t>((info.width + (1 << p.x_shift) - 1) >> p.x_shift) * p.bytes_per_sample;
    for (int y = 0; y < (info.height + (1 << p.y_shift) - 1) >> p.y_shift; y++)
      std::memcpy(picture->bytes.data() + p.offset + static_cast<size_t>(y) * p.stride,
                  static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, plane)) +
                      static_cast<ptrdiff_t>(y) * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, plane),
                  row);
  }
  gst_video_frame_unmap(&frame);
}

Picture to_picture(GstSample* sample) {
  Picture picture;
  picture.arrived_ns = monotonic_ns();
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, gst_sample_get_caps(sample)));
  PixelFormat format = PixelFormat::kNv12;
  switch (GST_VIDEO_INFO_FORMAT(&info)) {
    case GST_VIDEO_FORMAT_I420:
      format = PixelFormat::kI420;
      break;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
      format = PixelFormat::kBgrx;
      break;
    case GST_VIDEO_FORMAT_Y444:
      format = PixelFormat::kY444;
      break;
    default:
      EXPECT_EQ(GST_VIDEO_INFO_FORMAT(&info), GST_VIDEO_FORMAT_NV12);
      break;
  }
  const ColorMatrix matrix =
      info.colorimetry.matrix == GST_VIDEO_COLOR_MATRIX_BT601 ? ColorMatrix::kBt601 : ColorMatrix::kBt709;
  picture.layout = PictureLayout::make(format, matrix, {info.width, info.height});
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  picture.pts = GST_BUFFER_PTS(buffer);
  const bool on_device = !gst_caps_features_is_equal(gst_caps_get_features(gst_sample_get_caps(sample), 0),
                                                     GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY);
  picture.opaque = on_device && format == PixelFormat::kBgrx;
  if (on_device)
    read_planes(buffer, info, &picture);
  else
    read_block(buffer, info, &picture);
  if (auto* meta = gst_buffer_get_reference_timestamp_meta(buffer, nullptr))
    picture.captured_ns = static_cast<int64_t>(meta->timestamp);
  gpointer state = nullptr;
  while (GstMeta* meta =
             gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* roi = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    picture.damage.push_back({static_cast<int>(roi->x), static_cast<int>(roi->y), static_cast<int>(roi->w),
                              static_cast<int>(roi->h)});
  }
  return picture;
}

}  // namespace

Capture::Capture(const std::string& options, const std::string& caps, const std::string& element)
    : pipeline_(launch(element + " name=source " + options + " ! " + caps +
                       " ! appsink name=sink sync=false max-buffers=1000")),
      source_(gst_bin_get_by_name(GST_BIN(pipeline_), "source")),
      sink_(gst_bin_get_by_name(GST_BIN(pipeline_), "sink")) {}

Capture::~Capture() {
  stop();
  gst_object_unref(source_);
  gst_object_unref(sink_);
  gst_object_unref(pipeline_);
}

bool Capture::play() {
  return gst_element_set_state(pipeline_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE &&
         gst_element_get_state(pipeline_, nullptr, nullptr, 5 * GST_SECOND) != GST_STATE_CHANGE_FAILURE;
}

GstSample* Capture::pull_sample(milliseconds timeout) {
  return gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), timeout.count() * GST_MSECOND);
}

std::optional<Picture> Capture::pull(milliseconds timeout) {
  GstSample* sample = pull_sample(timeout);
  if (!sample)
    return std::nullopt;
  Picture picture = to_picture(sample);
  gst_sample_unref(sample);
  return picture;
}

int Capture::count(milliseconds time) {
  const int64_t end = monotonic_ns() + time.count() * 1000000;
  int frames = 0;
  for (;;) {
    const int64_t left = end - monotonic_ns();
    if (left <= 0)
      return frames;
    if (pull(milliseconds(left / 1000000 + 1)))
      frames++;
  }
}

void Capture::settle() {
  while (pull(milliseconds(400))) {
  }
}

std::string Capture::mode_used() const {
  char* mode = nullptr;
  g_object_get(source_, "capture-mode-used", &mode, nullptr);
  const std::string result = mode ? mode : "";
  g_free(mode);
  return result;
}

std::string Capture::message(GstMessageType type, milliseconds timeout) {
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_timed_pop_filtered(bus, timeout.count() * GST_MSECOND, type);
  gst_object_unref(bus);
  if (!message)
    return {};
  GError* error = nullptr;
  std::string text = GST_MESSAGE_TYPE_NAME(message);
  if (type == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, nullptr);
  else if (type == GST_MESSAGE_INFO)
    gst_message_parse_info(message, &error, nullptr);
  if (error)
    text = error->message;
  g_clear_error(&error);
  gst_message_unref(message);
  return text;
}

bool Capture::send_upstream(GstEvent* event) {
  GstPad* pad = gst_element_get_static_pad(sink_, "sink");
  const bool sent = gst_pad_push_event(pad, event);
  gst_object_unref(pad);
  return sent;
}

std::vector<uint8_t> expected_picture(Display* display, Drawable drawable, const Rect& region,
                                      const PictureLayout& layout) {
  std::vector<uint8_t> picture(layout.bytes, 0);
  XImage* image =
      XGetImage(display, drawable, region.x, region.y, region.width, region.height, AllPlanes, ZPixmap);
  EXPECT_NE(image, nullptr);
  if (!image)
    return {};
  convert_rect({reinterpret_cast<const uint8_t*>(image->data), static_cast<size_t>(image->bytes_per_line)},
               whole(layout.size), layout, picture.data());
  XDestroyImage(image);
  return picture;
}

namespace {

bool shows_the_screen_now(const Picture& picture, Painter& painter, const Rect& region) {
  if (picture.layout.size != Size{region.width, region.height})
    return false;
  std::vector<uint8_t> expected = expected_picture(painter.display(), painter.root(), region, picture.layout);
  for (size_t i = 3; picture.opaque && i < expected.size(); i += 4)
    expected[i] = 0xff;
  return picture.bytes == expected;
}

}  // namespace

bool shows_the_screen(Capture& capture, Painter& painter, const Rect& region, milliseconds timeout) {
  const int64_t end = monotonic_ns() + timeout.count() * 1000000;
  while (monotonic_ns() < end) {
    const std::optional<Picture> picture = capture.pull(milliseconds(300));
    if (picture && shows_the_screen_now(*picture, painter, region))
      return true;
  }
  return false;
}

int run_with_xvfb(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  if (!XServer::start_xvfb("64x64x24"))
    return 77;
  return RUN_ALL_TESTS();
}

}  // namespace vitrine
