// SPDX-License-Identifier: LGPL-2.1-or-later
// What answers to HTTP requests have in common. All on the thread of the server.
#pragma once

#include <libsoup/soup.h>

#include <cstdint>
#include <string>

namespace vitrine {

/// Bytes of a body that nobody asked for.
constexpr uint64_t kMostUnwanted = 64u << 10;

/// The IP address in it, an IPv4 one in its own form also where the socket is for both; "" if there is none any more.
std::string ip_of(GSocketAddress* address);

/// A header of the request, "" if it is not there.
const char* request_header(SoupServerMessage* message, const char* name);
void set_header(SoupServerMessage* message, const char* name, const std::string& value);
void respond(SoupServerMessage* message, guint status, const char* type, const std::string& body);
/// The same, kept by no cache.
void respond_now(SoupServerMessage* message, guint status, const char* type, const std::string& body);

/// Reads on, lets others have their turn between, keeps nothing of the request's body, and closes the connection of who sends more than
/// `most` bytes. To be called before the body is read.
void limit_body(SoupServerMessage* message, uint64_t most);
/// The same for every request of `server`, also for those that no handler is ever asked about.
void limit_bodies(SoupServer* server, uint64_t most);
/// Somebody wants it after all, chunk by chunk.
void keep_body(SoupServerMessage* message);

/// Lets the thread do something else before this message goes on.
void yield_to_others(SoupServerMessage* message);

/// Ends the connection without another word. The message must not be paused or answered after it.
void close_connection(SoupServerMessage* message);
bool is_closed(SoupServerMessage* message);

}  // namespace vitrine
