// SPDX-License-Identifier: LGPL-2.1-or-later
// Candidates as pipeline models.
#include "keeper-plans.h"

#include <algorithm>

namespace vitrine {
namespace {

using Chain = std::vector<ModelElement>;

Chain::const_iterator named(const Chain& chain, const std::string& name) {
  return std::find_if(chain.begin(), chain.end(), [&](const ModelElement& element) { return element.name == name; });
}

Chain::const_iterator end_of_capture(const Chain& chain) {
  auto at = named(chain, "capture");
  if (at != chain.end())
    ++at;
  if (at != chain.end() && at->factory == "capsfilter")
    ++at;
  return at;
}

}  // namespace

Chain capture_chain(const PipelineModel& model) { return {model.video.begin(), end_of_capture(model.video)}; }

Chain encode_chain(const PipelineModel& model) { return {end_of_capture(model.video), model.video.end()}; }

bool on_gpu(const PipelineModel& model) {
  const Chain chain = capture_chain(model);
  return std::any_of(chain.begin(), chain.end(), [](const ModelElement& element) {
    return std::any_of(element.properties.begin(), element.properties.end(),
                       [](const ModelProperty& property) { return property.value.find("memory:CUDAMemory") != std::string::npos; });
  });
}

Chain without_scaler(Chain chain) {
  std::erase_if(chain, [](const ModelElement& element) { return element.name == kScaler || element.name == kScaled; });
  return chain;
}

Chain extra_encode_chain(const PipelineModel& model, const PipelineModel& source) {
  Chain chain = {{"queue",
                  kExtraQueue,
                  {{"max-size-buffers", "1", ""}, {"max-size-bytes", "0", ""}, {"max-size-time", "0", ""}, {"leaky", "downstream", ""}}}};
  if (on_gpu(source))
    chain.push_back({"cudadownload", "", {}});
  chain.push_back({"videoconvert", "", {}});
  chain.push_back({"videoscale", kScaler, {{"add-borders", "false", ""}}});
  chain.push_back({"capsfilter", kScaled, {}});
  chain.insert(chain.end(), named(model.video, "encoder"), model.video.end());
  return chain;
}

bool same_elements(const Chain& a, const Chain& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ModelElement& one, const ModelElement& other) {
    const auto same = [](const ModelProperty& p, const ModelProperty& q) { return p.name == q.name && p.value == q.value; };
    return one.factory == other.factory && one.name == other.name &&
           std::equal(one.properties.begin(), one.properties.end(), other.properties.begin(), other.properties.end(), same);
  });
}

std::vector<VideoPlan> make_plans(const Profile& profile, const Settings& settings, const std::string& display, int cores,
                                  const std::function<bool(const std::string&)>& exists, std::string& error) {
  std::vector<VideoPlan> plans;
  for (const auto& candidate : profile.encoder) {
    Profile one = profile;
    one.encoder = {candidate};
    std::string why;
    if (auto model = make_model(one, settings, display, cores, exists, why))
      plans.push_back({std::move(*model), profile.codec, candidate.factory});
  }
  // Names all candidates.
  if (plans.empty() && make_model(profile, settings, display, cores, exists, error))
    error = profile.path;
  return plans;
}

}  // namespace vitrine
