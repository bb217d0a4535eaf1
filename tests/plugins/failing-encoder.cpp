// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests alone: H.264 encoders that fail when they are told to. Around a real x264enc, so what they do until then is real.

/**
 * SECTION:element-testfailingenc-a
 * @title: testfailingenc-a, testfailingenc-b, testfailingenc-gpu
 *
 * With each picture they look for the file that the property `orders` names. When it is there, it is taken away, and its one line says
 * what happens: `error` (an element error), `refuse` (the picture is not negotiated), `stall` (nothing comes out any more), `hang` (the
 * picture stays in there until the element is let go of, six seconds at most), `wedge` (it stays in there for a minute, whatever is done),
 * `crash` (SIGSEGV). `testfailingenc-gpu` says that it is hardware.
 *
 * ## Example launch line
 * |[
 * gst-launch-1.0 videotestsrc is-live=true ! testfailingenc-a orders=/tmp/orders ! fakesink
 * ]|
 */
#include <gst/gst.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>

namespace {

enum Property { PROP_0, PROP_ORDERS, PROP_BITRATE };

constexpr int kHangSteps = 600;  // of 10 ms
constexpr gulong kWedgeUs = 60 * G_USEC_PER_SEC;

}  // namespace

struct TestFailingEnc {
  GstBin parent;
  GstElement* encoder;
  std::string* orders;
  std::atomic<bool>* stalled;
};
struct TestFailingEncClass {
  GstBinClass parent;
};
struct TestFailingEncB : TestFailingEnc {};
struct TestFailingEncGpu : TestFailingEnc {};
using TestFailingEncBClass = TestFailingEncClass;
using TestFailingEncGpuClass = TestFailingEncClass;

G_DEFINE_TYPE(TestFailingEnc, test_failing_enc, GST_TYPE_BIN)
G_DEFINE_TYPE(TestFailingEncB, test_failing_enc_b, test_failing_enc_get_type())
G_DEFINE_TYPE(TestFailingEncGpu, test_failing_enc_gpu, test_failing_enc_get_type())

static TestFailingEnc* self_of(gpointer object) { return static_cast<TestFailingEnc*>(object); }

static std::string take_order(TestFailingEnc* self) {
  std::string order;
  if (!self->orders->empty() && access(self->orders->c_str(), F_OK) == 0) {
    std::getline(std::ifstream(*self->orders) >> std::ws, order);
    // Whoever takes it away carries it out.
    if (unlink(self->orders->c_str()) != 0)
      order.clear();
  }
  return order;
}

static GstFlowReturn test_failing_enc_chain(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
  auto* self = self_of(parent);
  const std::string order = take_order(self);
  if (order == "error") {
    gst_buffer_unref(buffer);
    GST_ELEMENT_ERROR(self, LIBRARY, ENCODE, ("This test encoder was told to fail"), (nullptr));
    return GST_FLOW_ERROR;
  }
  if (order == "refuse") {
    gst_buffer_unref(buffer);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  if (order == "stall")
    *self->stalled = true;
  if (order == "hang")
    for (int step = 0; step < kHangSteps && GST_STATE_TARGET(self) == GST_STATE_PLAYING; ++step)
      g_usleep(10'000);
  if (order == "wedge")
    g_usleep(kWedgeUs);
  if (order == "crash")
    raise(SIGSEGV);
  return gst_proxy_pad_chain_default(pad, parent, buffer);
}

static GstPadProbeReturn test_failing_enc_output(GstPad*, GstPadProbeInfo*, gpointer self) {
  return *self_of(self)->stalled ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

static void test_failing_enc_set_property(GObject* object, guint id, const GValue* value, GParamSpec* pspec) {
  auto* self = self_of(object);
  if (id == PROP_ORDERS)
    *self->orders = g_value_get_string(value) ? g_value_get_string(value) : "";
  else if (id == PROP_BITRATE)
    g_object_set_property(G_OBJECT(self->encoder), "bitrate", value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void test_failing_enc_get_property(GObject* object, guint id, GValue* value, GParamSpec* pspec) {
  auto* self = self_of(object);
  if (id == PROP_ORDERS)
    g_value_set_string(value, self->orders->c_str());
  else if (id == PROP_BITRATE)
    g_object_get_property(G_OBJECT(self->encoder), "bitrate", value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
}

static void test_failing_enc_finalize(GObject* object) {
  auto* self = self_of(object);
  delete self->orders;
  delete self->stalled;
  G_OBJECT_CLASS(test_failing_enc_parent_class)->finalize(object);
}

static void test_failing_enc_class_init(TestFailingEncClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  auto* element_class = GST_ELEMENT_CLASS(klass);
  object_class->set_property = test_failing_enc_set_property;
  object_class->get_property = test_failing_enc_get_property;
  object_class->finalize = test_failing_enc_finalize;
  const auto flags = GParamFlags(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, PROP_ORDERS,
      g_param_spec_string("orders", "Orders", "File that says how to fail, and is then taken away", nullptr, flags));
  g_object_class_install_property(object_class, PROP_BITRATE,
                                  g_param_spec_uint("bitrate", "Bitrate", "Bitrate in kbit/s", 1, 2048000, 2048, flags));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, gst_caps_new_empty_simple("video/x-raw")));
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, gst_caps_new_empty_simple("video/x-h264")));
  gst_element_class_set_static_metadata(element_class, "Failing test encoder", "Codec/Encoder/Video",
                                        "For tests: fails when it is told to", "The Vitrine developers");
}

static void test_failing_enc_b_class_init(TestFailingEncBClass*) {}

static void test_failing_enc_gpu_class_init(TestFailingEncGpuClass* klass) {
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Failing test encoder of a GPU", "Codec/Encoder/Video/Hardware",
                                        "For tests: fails when it is told to", "The Vitrine developers");
}

static void test_failing_enc_init(TestFailingEnc* self) {
  self->orders = new std::string();
  self->stalled = new std::atomic<bool>(false);
  self->encoder = gst_element_factory_make("x264enc", nullptr);
  g_object_set(self->encoder, "key-int-max", 2147483647, "byte-stream", TRUE, "aud", FALSE, nullptr);
  gst_util_set_object_arg(G_OBJECT(self->encoder), "speed-preset", "ultrafast");
  gst_util_set_object_arg(G_OBJECT(self->encoder), "tune", "zerolatency");
  gst_bin_add(GST_BIN(self), self->encoder);
  for (const char* name : {"sink", "src"}) {
    GstPad* target = gst_element_get_static_pad(self->encoder, name);
    GstPad* ghost = gst_ghost_pad_new(name, target);
    if (GST_PAD_IS_SINK(ghost))
      gst_pad_set_chain_function(ghost, test_failing_enc_chain);
    else
      gst_pad_add_probe(ghost, GST_PAD_PROBE_TYPE_BUFFER, test_failing_enc_output, self, nullptr);
    gst_element_add_pad(GST_ELEMENT(self), ghost);
    gst_object_unref(target);
  }
}

static void test_failing_enc_b_init(TestFailingEncB*) {}
static void test_failing_enc_gpu_init(TestFailingEncGpu*) {}

static gboolean plugin_init(GstPlugin* plugin) {
  return gst_element_register(plugin, "testfailingenc-a", GST_RANK_NONE, test_failing_enc_get_type()) &&
         gst_element_register(plugin, "testfailingenc-b", GST_RANK_NONE, test_failing_enc_b_get_type()) &&
         gst_element_register(plugin, "testfailingenc-gpu", GST_RANK_NONE, test_failing_enc_gpu_get_type());
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, vitrinetest, "Elements for Vitrine's tests", plugin_init, PACKAGE_VERSION,
                  "LGPL", "vitrine", "https://vitrine.invalid/")
