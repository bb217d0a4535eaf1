// SPDX-License-Identifier: LGPL-2.1-or-later
// One request to ourselves, and one value.
#include "health.h"

#include <gio/gio.h>

#include <cstdio>

#include "common/ref.h"
#include "report.h"
#include "text.h"

namespace vitrine {
namespace {

constexpr guint kPatienceS = 4;
constexpr char kRequest[] = "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n";

/// To ourselves: there is nobody in between, and the certificate has another name.
void trust(GSocketClient*, GSocketClientEvent event, GSocketConnectable*, GIOStream* stream, gpointer) {
  if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
    g_signal_connect(stream, "accept-certificate",
                     G_CALLBACK(+[](GTlsConnection*, GTlsCertificate*, GTlsCertificateFlags, gpointer) -> gboolean { return TRUE; }), nullptr);
}

/// The status line, or nothing with `problem`.
std::string ask(const std::string& address, guint16 port, bool tls, std::string& problem) {
  const auto client = Ref<GSocketClient>::adopt(g_socket_client_new());
  g_socket_client_set_timeout(client.get(), kPatienceS);
  g_socket_client_set_enable_proxy(client.get(), FALSE);
  g_socket_client_set_tls(client.get(), tls);
  g_signal_connect(client.get(), "event", G_CALLBACK(trust), nullptr);
  ErrorSlot error;
  const auto where = Ref<GSocketConnectable>::adopt(G_SOCKET_CONNECTABLE(g_inet_socket_address_new_from_string(address.c_str(), port)));
  const auto connection = where ? Ref<GSocketConnection>::adopt(g_socket_client_connect(client.get(), where.get(), nullptr, error.out()))
                                : Ref<GSocketConnection>();
  char answer[64] = "";
  gsize got = 0;
  GIOStream* stream = G_IO_STREAM(connection.get());
  if (connection && g_output_stream_write_all(g_io_stream_get_output_stream(stream), kRequest, sizeof kRequest - 1, nullptr, nullptr, error.out()))
    g_input_stream_read_all(g_io_stream_get_input_stream(stream), answer, sizeof answer - 1, &got, nullptr, error.out());
  // What was read before a connection ended roughly counts.
  const std::string text(answer, got);
  problem = text.empty() ? error.message() : "";
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

std::string own_address(const std::string& listen) {
  return listen.empty() || listen == "0.0.0.0" ? "127.0.0.1" : listen == "::" ? "::1" : listen;
}

int run_health(const Settings& settings) {
  const std::string address = own_address(settings.text("listen"));
  std::string problem;
  const std::string status = ask(address, static_cast<guint16>(settings.number("port")), settings.has("tls-cert"), problem);
  if (status.starts_with("HTTP/1.") && status.find(" 200") != std::string::npos)
    return kExitOk;
  return complain(kExitFailure, std::string(_("the session does not answer")) + " (" + address + ", " + _("port") + " " + settings.text("port") + ")" +
                                    (problem.empty() ? "" : ": " + problem) + (status.empty() ? "" : ": " + status));
}

int print_setting(const Settings& settings, const std::string& name) {
  const OptionSpec* option = find_option(name);
  if (!option || !option->environment)
    return complain(kExitUsage, std::string(_("unknown option")) + " --" + name);
  // What that address holds is the service's key, settings-files.cpp.
  if (option->kind == OptionKind::secret || name == "turn-rest-uri")
    return complain(kExitUsage, name + ": " + _("is a secret, and is not printed"));
  std::printf("%s\n", settings.text(name).c_str());
  return kExitOk;
}

}  // namespace vitrine
