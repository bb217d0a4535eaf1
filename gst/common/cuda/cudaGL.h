// SPDX-License-Identifier: LGPL-2.1-or-later
// GStreamer's headers ask for it; cuda.h has all that they use.
#pragma once

#include <cuda.h>
