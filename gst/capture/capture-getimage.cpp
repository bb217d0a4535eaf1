// SPDX-License-Identifier: LGPL-2.1-or-later
// GetImage of the damaged rectangles.
#include "capture/capture-getimage.h"

#include <X11/Xlib-xcb.h>
#include <xcb/xcb.h>

#include <cstdlib>

namespace vitrine {
namespace {

class GetImageSource : public FrameSource {
 public:
  GetImageSource(xcb_connection_t* xcb, Drawable drawable)
      : xcb_(xcb), drawable_(static_cast<xcb_drawable_t>(drawable)) {}

  const char* name() const override { return "getimage"; }
  bool is_live_memory() const override { return false; }

  bool read(const std::vector<Rect>& rects, std::vector<PixelView>& views) override {
    views.clear();
    replies_.clear();
    std::vector<xcb_get_image_cookie_t> cookies;
    for (const Rect& rect : rects)
      cookies.push_back(xcb_get_image(xcb_, XCB_IMAGE_FORMAT_Z_PIXMAP, drawable_,
                                      static_cast<int16_t>(rect.x), static_cast<int16_t>(rect.y),
                                      static_cast<uint16_t>(rect.width), static_cast<uint16_t>(rect.height),
                                      ~0u));
    bool ok = true;
    for (size_t i = 0; i < rects.size(); i++) {
      xcb_generic_error_t* raw_error = nullptr;
      Reply reply(xcb_get_image_reply(xcb_, cookies[i], &raw_error));
      std::free(raw_error);
      const size_t stride = static_cast<size_t>(rects[i].width) * 4;
      if (!reply || static_cast<size_t>(xcb_get_image_data_length(reply.get())) < stride * rects[i].height) {
        ok = false;
        continue;
      }
      views.push_back({xcb_get_image_data(reply.get()), stride});
      replies_.push_back(std::move(reply));
    }
    return ok;
  }

 private:
  struct Free {
    void operator()(void* reply) const { std::free(reply); }
  };
  using Reply = std::unique_ptr<xcb_get_image_reply_t, Free>;

  xcb_connection_t* xcb_;
  xcb_drawable_t drawable_;
  std::vector<Reply> replies_;
};

}  // namespace

std::unique_ptr<FrameSource> open_getimage_source(X11Connection& connection, Drawable drawable) {
  return std::make_unique<GetImageSource>(XGetXCBConnection(connection.display()), drawable);
}

}  // namespace vitrine
