// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties of webrtcsignallerbin that are about reaching it: ICE, STUN, TURN, proxies.
#pragma once

#include <glib-object.h>

#include "webrtc/network-settings.h"

namespace vitrine {

/// Installs them with ids from `first` on.
void install_network_properties(GObjectClass* klass, guint first, GParamFlags flags);
/// `index` is the id less `first`. False if there is no such property.
bool set_network_property(NetworkSettings& settings, guint index, const GValue* value);
bool get_network_property(const NetworkSettings& settings, guint index, GValue* value);

}  // namespace vitrine
