// SPDX-License-Identifier: LGPL-2.1-or-later
// The debug category of the code that services share with webrtcsignallerbin, for programs that use it without that plugin.
#pragma once

namespace vitrine {

/// To be called before anything of it runs.
void init_debug_category();

}  // namespace vitrine
