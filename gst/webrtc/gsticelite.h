// SPDX-License-Identifier: LGPL-2.1-or-later
// ICE-lite agent for webrtcbin (its construct-only property `ice-agent`): all viewers share one UDP and one TCP port.
#pragma once

#include <gst/gst.h>

#include <gst/webrtc/ice.h>

#include <functional>
#include <memory>

#include "common/ref.h"
#include "webrtc/ice-endpoint.h"

G_BEGIN_DECLS
#define GST_TYPE_ICE_LITE (gst_ice_lite_get_type())
G_DECLARE_FINAL_TYPE(GstIceLite, gst_ice_lite, GST, ICE_LITE, GstWebRTCICE)
G_END_DECLS

namespace vitrine {

/// A new agent on `io`, which must outlive it. State changes are announced on `context`'s thread.
GstIceLite* new_ice_lite(IceIo& io, GMainContext* context);
/// The agent's end of the shared port; null until webrtcbin has made its transport.
std::shared_ptr<IceEndpoint> ice_lite_endpoint(GstIceLite* agent);
/// The pad where packets leave webrtcbin for the shared port; null until webrtcbin has made its transport.
Ref<GstPad> ice_lite_output(GstIceLite* agent);
/// Cuts the agent off from the shared port. Nothing reaches webrtcbin from it afterwards.
void ice_lite_close(GstIceLite* agent);

}  // namespace vitrine
