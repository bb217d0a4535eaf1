// SPDX-License-Identifier: LGPL-2.1-or-later
// Names that sound goes by on a sound server, and where the server is.
#pragma once

#include <string>
#include <vector>

namespace vitrine {

/// The sink of the private server, and of another that has none but one that it made for want of any.
inline constexpr char kSinkName[] = "vitrine";
inline constexpr char kSinkArguments[] = "sink_name=vitrine rate=48000 channels=2 sink_properties=\"device.description='Vitrine'\"";
inline constexpr char kSinkForWantOfAny[] = "auto_null";
/// What a viewer says is played to this sink, and heard from its monitor through the source that programs see.
inline constexpr char kTalkSinkName[] = "vitrine_talk";
inline constexpr char kTalkSinkArguments[] =
    "sink_name=vitrine_talk rate=48000 channels=1 sink_properties=\"device.description='Vitrine-microphone-input' device.class=filter\"";
inline constexpr char kMicrophoneName[] = "vitrine_microphone";
inline constexpr char kMicrophoneArguments[] =
    "source_name=vitrine_microphone master=vitrine_talk.monitor rate=48000 channels=1 remix=no source_properties=\"device.description='Vitrine microphone'\"";

/// Where the sound server's socket may be: $PULSE_SERVER, $PULSE_RUNTIME_PATH, the runtime folder, the system-wide one. Empty if
/// $PULSE_SERVER names something that is no local socket.
std::vector<std::string> sound_sockets();

/// Whether somebody takes connections there.
bool sound_socket_answers(const std::string& path);

/// Whether there is a sound server as far as can be told without talking to it; one that is no local socket counts as there.
bool sound_server_answers();

}  // namespace vitrine
