// SPDX-License-Identifier: LGPL-2.1-or-later
// Ref<T>: the one owner of a reference to a GObject, mini object or GLib struct. A raw pointer is always borrowed.
#pragma once

#include <gio/gio.h>
#include <gst/gst.h>

#include <memory>
#include <utility>

namespace vitrine {

/// How a type is referenced and let go. GObjects are the default; other types are specialised below or beside their use.
template <typename T>
struct RefTraits {
  static void ref(T* pointer) { g_object_ref(pointer); }
  static void unref(T* pointer) { g_object_unref(pointer); }
};

#define VITRINE_REF_TRAITS(Type, ref_function, unref_function) \
  template <>                                                  \
  struct RefTraits<Type> {                                     \
    static void ref(Type* pointer) { ref_function(pointer); }  \
    static void unref(Type* pointer) { unref_function(pointer); } \
  }

VITRINE_REF_TRAITS(GstBuffer, gst_buffer_ref, gst_buffer_unref);
VITRINE_REF_TRAITS(GstBufferList, gst_buffer_list_ref, gst_buffer_list_unref);
VITRINE_REF_TRAITS(GstCaps, gst_caps_ref, gst_caps_unref);
VITRINE_REF_TRAITS(GstSample, gst_sample_ref, gst_sample_unref);
VITRINE_REF_TRAITS(GstMessage, gst_message_ref, gst_message_unref);
VITRINE_REF_TRAITS(GstEvent, gst_event_ref, gst_event_unref);
VITRINE_REF_TRAITS(GstPromise, gst_promise_ref, gst_promise_unref);
VITRINE_REF_TRAITS(GBytes, g_bytes_ref, g_bytes_unref);
VITRINE_REF_TRAITS(GMainContext, g_main_context_ref, g_main_context_unref);
VITRINE_REF_TRAITS(GMainLoop, g_main_loop_ref, g_main_loop_unref);
VITRINE_REF_TRAITS(GSource, g_source_ref, g_source_unref);
VITRINE_REF_TRAITS(GVariant, g_variant_ref, g_variant_unref);

template <typename T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  ~Ref() { reset(); }
  Ref(Ref&& other) noexcept : pointer_(std::exchange(other.pointer_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    if (this != &other) {
      reset();
      pointer_ = std::exchange(other.pointer_, nullptr);
    }
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;

  /// Takes over a reference that the caller owns ("transfer full").
  static Ref adopt(T* pointer) {
    Ref ref;
    ref.pointer_ = pointer;
    return ref;
  }
  /// Takes a reference of its own ("transfer none").
  static Ref share(T* pointer) {
    if (pointer)
      RefTraits<T>::ref(pointer);
    return adopt(pointer);
  }
  /// Takes a floating reference ("transfer floating": new GstElement, GstObject).
  static Ref sink(T* pointer) {
    if (pointer)
      g_object_ref_sink(pointer);
    return adopt(pointer);
  }

  Ref copy() const { return share(pointer_); }
  T* get() const { return pointer_; }
  /// Gives the reference away ("transfer full" parameter).
  T* release() { return std::exchange(pointer_, nullptr); }
  void reset() {
    if (pointer_)
      RefTraits<T>::unref(std::exchange(pointer_, nullptr));
  }
  /// For out parameters that return a new reference.
  T** out() {
    reset();
    return &pointer_;
  }
  explicit operator bool() const { return pointer_ != nullptr; }

 private:
  T* pointer_ = nullptr;
};

struct GFree {
  void operator()(void* pointer) const { g_free(pointer); }
};
/// A string or block from g_malloc.
using GCharPtr = std::unique_ptr<char, GFree>;

struct GErrorFree {
  void operator()(GError* error) const { g_error_free(error); }
};
using GErrorPtr = std::unique_ptr<GError, GErrorFree>;

/// A GError out parameter: `ErrorSlot error; f(error.out()); if (error) … error.message()`.
class ErrorSlot {
 public:
  ~ErrorSlot() { g_clear_error(&error_); }
  ErrorSlot() = default;
  ErrorSlot(const ErrorSlot&) = delete;
  ErrorSlot& operator=(const ErrorSlot&) = delete;
  GError** out() {
    g_clear_error(&error_);
    return &error_;
  }
  explicit operator bool() const { return error_ != nullptr; }
  const GError* get() const { return error_; }
  const char* message() const { return error_ ? error_->message : ""; }

 private:
  GError* error_ = nullptr;
};

struct GstStructureFree {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};
using StructurePtr = std::unique_ptr<GstStructure, GstStructureFree>;

}  // namespace vitrine
