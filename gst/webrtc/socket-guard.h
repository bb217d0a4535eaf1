// SPDX-License-Identifier: LGPL-2.1-or-later
// Bounds what a WebSocket's peer can make us keep: libsoup bounds a frame, but neither a message of many frames nor the answers to pings.
#pragma once

#include <libsoup/soup.h>

#include <cstdint>

namespace vitrine {

/// Bytes that may have come by the socket without having become messages.
constexpr uint64_t kUnseenMost = 2u << 20;

/// Watches `connection` until it is closed, on this thread's default context, and closes it once more than kUnseenMost bytes have come in
/// that were no message's, counted by the kernel (tcp(7), TCP_INFO); also when what we send stays unacknowledged for 15 s. Without a TCP
/// socket below it does nothing.
void guard_socket(SoupWebsocketConnection* connection);

}  // namespace vitrine
