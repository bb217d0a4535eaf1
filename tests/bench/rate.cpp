// SPDX-License-Identifier: LGPL-2.1-or-later
// Congestion control over an emulated link, in simulated time: our control, a reference as made for cameras, and none, case by case.
// usage: bench-rate [FOLDER]: prints a table; writes rate.json and a plot of each case into FOLDER.
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "rate-cases.h"
#include "rate-plot.h"

using namespace vitrine::bench;

namespace {

constexpr double kUncontrolledBps = 8e6;

std::vector<Outcome> run(const Scenario& scenario) {
  std::vector<Outcome> outcomes;
  outcomes.push_back(simulate(scenario, *make_desktop_control(scenario.start_bps, scenario.max_bps), "Vitrine"));
  outcomes.push_back(simulate(scenario, *make_gcc_reference(scenario.start_bps, scenario.max_bps), "reference"));
  outcomes.push_back(simulate(scenario, *make_no_control(kUncontrolledBps), "none"));
  return outcomes;
}

std::string file_name(const std::string& scenario) {
  std::string name = "rate-";
  for (const char c : scenario)
    if (isalnum(static_cast<unsigned char>(c)))
      name += c;
    else if (name.back() != '-')
      name += '-';
  while (name.back() == '-')
    name.pop_back();
  return name + ".svg";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "";
  if (!folder.empty())
    std::filesystem::create_directories(folder);
  std::string json = "[";
  printf("Simulated. Mbit/s received by the viewer; queue and latency of whole frames in ms; from the fifth second on.\n");
  printf("%-24s %-10s %9s %9s %10s %11s %11s %9s %9s\n", "case", "control", "received", "queue p95", "queue peak", "latency p50", "latency p95",
         "longest", "TCP");
  for (const auto& scenario : cases::all()) {
    const auto outcomes = run(scenario);
    for (const auto& o : outcomes) {
      const double end = scenario.seconds;
      const double values[] = {o.mean(&Point::received_bps, 5, end) / 1e6, o.quantile(&Point::queue_ms, 0.95, 5, end), o.peak(&Point::queue_ms, 5, end),
                               o.latency_quantile(0.5, 5, end), o.latency_quantile(0.95, 5, end), o.longest_gap_ms,
                               scenario.tcp_from >= 0 ? o.mean(&Point::tcp_bps, scenario.tcp_from + 5, scenario.tcp_to) / 1e6 : 0};
      printf("%-24s %-10s %9.2f %9.0f %10.0f %11.0f %11.0f %9.0f %9.2f\n", scenario.name.c_str(), o.control.c_str(), values[0], values[1], values[2],
             values[3], values[4], values[5], values[6]);
      char line[512];
      snprintf(line, sizeof line,
               "%s{\"case\":\"%s\",\"control\":\"%s\",\"simulated\":true,\"received_mbit\":%.3f,\"queue_p95_ms\":%.1f,\"queue_peak_ms\":%.1f,"
               "\"latency_p50_ms\":%.1f,\"latency_p95_ms\":%.1f,\"longest_gap_ms\":%.1f,\"tcp_mbit\":%.3f}",
               json.size() > 1 ? ",\n" : "", scenario.name.c_str(), o.control.c_str(), values[0], values[1], values[2], values[3], values[4], values[5],
               values[6]);
      json += line;
    }
    if (!folder.empty())
      std::ofstream(folder + "/" + file_name(scenario.name)) << plot(outcomes);
  }
  if (!folder.empty())
    std::ofstream(folder + "/rate.json") << json << "]\n";
  return 0;
}
