// SPDX-License-Identifier: LGPL-2.1-or-later
// The properties that all capture elements have: ximagesrc's, and those of damage-driven capture.
#pragma once

#include "capture/capture-source-body.h"

namespace vitrine {

/// The ids below this one are taken.
inline constexpr guint kFirstOwnProperty = 17;

/// The enum of `capture-mode`. Each plugin registers its own, since types of one name cannot be shared.
/// `with_device`: there are ways that leave pictures in device memory.
GType register_capture_mode(const char* type_name, bool with_device);
void install_capture_properties(GObjectClass* object_class, GType capture_mode);
/// False when there is no such property.
bool set_capture_property(CaptureSourceOptions& options, guint id, const GValue* value);
/// False when there is no such property.
bool get_capture_property(CaptureSourceBody& body, guint id, GValue* value);

}  // namespace vitrine
