// SPDX-License-Identifier: LGPL-2.1-or-later
// What the keeper may try: every candidate of the profile, then software, each as a whole pipeline model. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pipeline-model.h"

namespace vitrine {

/// One way to make a video stream.
struct VideoPlan {
  PipelineModel model;
  std::string codec;    // as profiles name it: "H264"
  std::string encoder;  // factory, for logs
};

/// Source with its caps, and all that comes after it: conversion, encoder, caps.
std::vector<ModelElement> capture_chain(const PipelineModel& model);
std::vector<ModelElement> encode_chain(const PipelineModel& model);
/// Whether its source leaves pictures in a GPU's memory.
bool on_gpu(const PipelineModel& model);
/// The same chain, which can make pictures no smaller.
std::vector<ModelElement> without_scaler(std::vector<ModelElement> chain);
/// The encoder of `model` for a further stream from the source of `source`: a queue that keeps the newest picture alone, so that it
/// delays nobody, download from the GPU where the source leaves pictures there, conversion, encoder.
std::vector<ModelElement> extra_encode_chain(const PipelineModel& model, const PipelineModel& source);
/// The name of that queue.
constexpr char kExtraQueue[] = "extra-queue";
bool same_elements(const std::vector<ModelElement>& a, const std::vector<ModelElement>& b);

/// A plan for each encoder of `profile` that `exists`, in its order. `error` says why if there is none.
std::vector<VideoPlan> make_plans(const Profile& profile, const Settings& settings, const std::string& display, int cores,
                                  const std::function<bool(const std::string&)>& exists, std::string& error);

}  // namespace vitrine
