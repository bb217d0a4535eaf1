// SPDX-License-Identifier: LGPL-2.1-or-later
// Owns selections of an X display and gives what a viewer copied to the programs there.
#pragma once

#include <X11/Xlib.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/x11.h"
#include "remote/clipboard-selection.h"
#include "remote/clipboard-transfer.h"

namespace vitrine {

/// Bound to the thread of the connection.
class ClipboardOwner {
 public:
  ClipboardOwner(X11Connection& connection, const SelectionAtoms& atoms, bool primary);
  ~ClipboardOwner();
  ClipboardOwner(const ClipboardOwner&) = delete;
  ClipboardOwner& operator=(const ClipboardOwner&) = delete;

  Window window() const { return window_; }
  /// Becomes the owner; takes effect once the server has told the time.
  void offer(std::shared_ptr<const ClipboardContent> content);
  /// True if the event was for us.
  bool handle(const XEvent& event, int64_t now_us);
  /// Gives up on programs that stopped fetching.
  void tick(int64_t now_us);
  /// When tick() has something to do, INT64_MAX if never.
  int64_t deadline_us() const;
  uint64_t timeouts() const { return timeouts_; }

 private:
  struct Outgoing {
    Window requestor;
    Atom property, type;
    std::shared_ptr<const ClipboardContent> content;  // keeps `data` alive
    std::shared_ptr<const std::string> data;
    size_t sent = 0;
    int64_t last_us = 0;
  };
  struct Answer {
    Atom type;
    std::shared_ptr<const std::string> data;
  };
  std::vector<Atom> targets() const;
  std::optional<Answer> answer(Atom target) const;
  bool serve(Window requestor, Atom property, Atom target, int64_t now_us);
  void serve_multiple(const XSelectionRequestEvent& request, Atom property, int64_t now_us);
  void on_request(const XSelectionRequestEvent& request, int64_t now_us);
  bool on_deleted(const XPropertyEvent& event, int64_t now_us);
  const std::string* find(const char* type) const;
  void unwatch(Window requestor);

  X11Connection& connection_;
  Display* const display_;
  const SelectionAtoms& atoms_;
  const bool primary_;
  Window window_;
  std::shared_ptr<const ClipboardContent> content_;
  Time since_ = CurrentTime;
  std::list<Outgoing> outgoing_;
  uint64_t timeouts_ = 0;
};

}  // namespace vitrine
