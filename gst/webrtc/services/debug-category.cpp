// SPDX-License-Identifier: LGPL-2.1-or-later
// Its definition outside the plugin.
#include "webrtc/services/debug-category.h"

#include "webrtc/debug.h"

GST_DEBUG_CATEGORY(vitrine_webrtc_debug);

namespace vitrine {

void init_debug_category() { GST_DEBUG_CATEGORY_INIT(vitrine_webrtc_debug, "vitrine-services", 0, "services of vitrine, and what it asks of others'"); }

}  // namespace vitrine
