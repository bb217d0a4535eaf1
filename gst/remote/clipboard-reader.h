// SPDX-License-Identifier: LGPL-2.1-or-later
// Fetches what a program on an X display copied, in all forms that viewers take.
#pragma once

#include <X11/Xlib.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "common/x11.h"
#include "remote/clipboard-selection.h"
#include "remote/clipboard-transfer.h"

namespace vitrine {

/// Bound to the thread of the connection. One read at a time; a new one ends the one before.
class ClipboardReader {
 public:
  /// Why nothing came.
  enum class Failure { timeout, too_large, unreadable };
  struct Host {
    std::function<void(ClipboardContent)> done;
    std::function<void(Failure)> failed;
  };

  ClipboardReader(X11Connection& connection, const SelectionAtoms& atoms, uint64_t limit, Host host);
  ~ClipboardReader();
  ClipboardReader(const ClipboardReader&) = delete;
  ClipboardReader& operator=(const ClipboardReader&) = delete;

  /// `time` is when the owner took the selection.
  void start(Atom selection, Time time, int64_t now_us);
  void cancel();
  bool reading() const { return window_ != None; }
  bool handle(const XEvent& event, int64_t now_us);
  void tick(int64_t now_us);
  int64_t deadline_us() const;

 private:
  void ask(Atom target, int64_t now_us);
  void next(int64_t now_us);
  void choose(const std::vector<Atom>& offered);
  void on_answer(const XSelectionEvent& event, int64_t now_us);
  void on_piece(int64_t now_us);
  void finish_item();
  void keep(const char* type, std::string data);
  /// Bytes that may still come.
  uint64_t room() const;
  void fail(Failure failure);
  void finish();
  /// False if there is no such property, or it is longer than `most` bytes.
  bool take_property(uint64_t most, Atom& type, int& format, std::string& data, bool& too_long);

  X11Connection& connection_;
  Display* const display_;
  const SelectionAtoms& atoms_;
  const uint64_t limit_;
  const Host host_;
  // One window per read: what an owner sends late for an older one goes nowhere.
  Window window_ = None;
  Atom selection_ = None;
  Time time_ = CurrentTime;
  Atom target_ = None;
  std::vector<Atom> wanted_;  // last one first
  bool incremental_ = false, too_large_ = false;
  std::string piece_;
  ClipboardContent content_;
  int64_t last_us_ = 0, began_us_ = 0;
};

}  // namespace vitrine
