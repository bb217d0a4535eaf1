// SPDX-License-Identifier: LGPL-2.1-or-later
// ximagesrc-shm: the GstPushSrc around the capture core, with pictures in main memory.

/**
 * SECTION:element-ximagesrc-shm
 * @title: ximagesrc-shm
 * @see_also: ximagesrc
 *
 * Captures an X11 screen or window and costs only what has changed on it. It takes the place of ximagesrc,
 * whose property names it keeps, and of a videoconvert behind it.
 *
 * A picture is made when the screen changes, at most as often as the framerate in the caps says, and not on a
 * timer. Only changed tiles are read and converted. When nothing changes the last picture is repeated
 * #ximagesrc-shm:refine-frames times, so that an encoder can sharpen it, and then only as
 * #ximagesrc-shm:idle-framerate asks. A force-key-unit event from downstream repeats it at once, and so does
 * a custom upstream event with a structure named `vitrine-repeat-frame`, for whoever sits behind an encoder,
 * which keeps force-key-unit events to itself; with a boolean field `refine` that is true the repeats follow too.
 *
 * Backends, in the order tried: `fb` reads the framebuffer of an Xvfb that was started with `-shmem` or
 * `-fbdir` by the same user, `shm` is MIT-SHM, `getimage` goes through the socket.
 *
 * Each buffer has a #GstReferenceTimestampMeta with the caps `timestamp/x-vitrine-capture`: the time in
 * nanoseconds of CLOCK_MONOTONIC at which the screen was as the buffer shows it; a repeat has the time of its
 * original. Changed areas are #GstVideoRegionOfInterestMeta of type `damage`; a repeat has none.
 *
 * While the pointer is not drawn (#ximagesrc-shm:show-pointer is %FALSE), each new pointer picture is posted
 * as an element message `vitrine-cursor` with the fields `serial` (guint64), `width`, `height`, `x-hot`,
 * `y-hot`, `x`, `y` (gint) and `argb` (GBytes, 32 bits per pixel in host order, premultiplied).
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 ximagesrc-shm num-buffers=60 idle-framerate=30 ! x264enc ! mp4mux ! filesink location=a.mp4
 * ]|
 *
 * Since: 0.1
 */

#include "capture/gstximagesrcshm.h"

#include "capture/capture-element.h"
#include "capture/system-output.h"

GST_DEBUG_CATEGORY(capture_source_debug);

using vitrine::CaptureSourceBody;

struct _VitrineXImageSrcShm {
  GstPushSrc parent;
  CaptureSourceBody* body;
};

using Element = vitrine::CaptureElement<VitrineXImageSrcShm>;

G_DEFINE_TYPE(VitrineXImageSrcShm, vitrine_ximage_src_shm, GST_TYPE_PUSH_SRC)

GST_ELEMENT_REGISTER_DEFINE_WITH_CODE(ximagesrc_shm, "ximagesrc-shm", GST_RANK_NONE,
                                      VITRINE_TYPE_XIMAGE_SRC_SHM,
                                      GST_DEBUG_CATEGORY_INIT(capture_source_debug, "ximagesrc-shm", 0,
                                                              "X11 capture in shared memory"))

static void vitrine_ximage_src_shm_class_init(VitrineXImageSrcShmClass* klass) {
  Element::init_class(klass, vitrine::register_capture_mode("VitrineXImageSrcShmCaptureMode", false));
  GstElementClass* element_class = GST_ELEMENT_CLASS(klass);
  vitrine::Ref<GstCaps> caps = vitrine::SystemOutput().caps({});
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps.get()));
  gst_element_class_set_static_metadata(element_class, "X11 damage-driven video source", "Source/Video",
                                        "Captures an X11 screen or window at the cost of what changed on it",
                                        "The Vitrine authors");
}

static void vitrine_ximage_src_shm_init(VitrineXImageSrcShm* self) {
  Element::init(self, std::make_unique<vitrine::SystemOutput>());
}
