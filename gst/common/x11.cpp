// SPDX-License-Identifier: LGPL-2.1-or-later
// X11 connections with per-connection error handling.
#include "common/x11.h"

#include <gst/gst.h>

#include <cstdlib>
#include <map>

#include "common/mutex.h"

namespace vitrine {
namespace {

Mutex registry_mutex;
std::map<Display*, X11Connection*>& registry() REQUIRES(registry_mutex) {
  static std::map<Display*, X11Connection*> connections;
  return connections;
}
XErrorHandler previous_error_handler = nullptr;

/// Each plugin has its own copy of this file, so the lock hangs on something that the process has once.
GMutex* input_extension_mutex() {
  static GMutex* const mutex = [] {
    GObject* shared = G_OBJECT(gst_registry_get());
    const GQuark key = g_quark_from_static_string("vitrine-x11-input-extension");
    auto* made = g_new(GMutex, 1);
    g_mutex_init(made);
    if (!g_object_replace_qdata(shared, key, nullptr, made, nullptr, nullptr))
      g_free(made);
    return static_cast<GMutex*>(g_object_get_qdata(shared, key));
  }();
  return mutex;
}

}  // namespace

X11InputExtensionLock::X11InputExtensionLock() { g_mutex_lock(input_extension_mutex()); }
X11InputExtensionLock::~X11InputExtensionLock() { g_mutex_unlock(input_extension_mutex()); }

struct X11Handlers {
  // Errors on connections of others in this process go to whoever handled them before us.
  static int on_error(Display* display, XErrorEvent* event) {
    {
      MutexLock lock(registry_mutex);
      auto found = registry().find(display);
      if (found != registry().end()) {
        found->second->last_error_ = event->error_code;
        return 0;
      }
    }
    return previous_error_handler ? previous_error_handler(display, event) : 0;
  }

  // Per-display handler (Xlib >= 1.7): returning from it keeps the process alive; Xlib marks the display broken.
  static void on_io_error_exit(Display* display, void* user_data) {
    // Xlib expects us not to return and so keeps its lock: XCloseDisplay on another thread would wait for ever.
    XUnlockDisplay(display);
    static_cast<X11Connection*>(user_data)->alive_.store(false, std::memory_order_release);
  }

  // The global I/O error handler must return for the per-display one to be asked. Ours does nothing for our connections.
  static int on_io_error(Display* display) {
    MutexLock lock(registry_mutex);
    if (registry().count(display))
      return 0;
    lock.unlock();
    const int result = previous_io_handler ? previous_io_handler(display) : 0;
    lock.lock();
    return result;
  }

  static inline XIOErrorHandler previous_io_handler = nullptr;
};

std::string X11Connection::display_name_for(const std::string& name) {
  if (!name.empty())
    return name;
  const char* env = std::getenv("DISPLAY");
  return env ? env : "";
}

std::unique_ptr<X11Connection> X11Connection::open(const std::string& name) {
  static const bool prepared = [] {
    XInitThreads();
    previous_error_handler = XSetErrorHandler(X11Handlers::on_error);
    X11Handlers::previous_io_handler = XSetIOErrorHandler(X11Handlers::on_io_error);
    return true;
  }();
  (void)prepared;
  Display* display = XOpenDisplay(name.empty() ? nullptr : name.c_str());
  if (!display)
    return nullptr;
  std::unique_ptr<X11Connection> connection(new X11Connection(display));
  XSetIOErrorExitHandler(display, X11Handlers::on_io_error_exit, connection.get());
  MutexLock lock(registry_mutex);
  registry()[display] = connection.get();
  return connection;
}

X11Connection::~X11Connection() {
  // XCloseDisplay syncs and may report errors: the handlers must still know this connection meanwhile.
  {
    X11InputExtensionLock closing;
    XCloseDisplay(display_);
  }
  // Another connection may have got the same address by now.
  MutexLock lock(registry_mutex);
  if (auto found = registry().find(display_); found != registry().end() && found->second == this)
    registry().erase(found);
}

}  // namespace vitrine
