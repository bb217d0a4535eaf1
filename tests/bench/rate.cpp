// SPDX-License-Identifier: LGPL-2.1-or-later
// Congestion control over an emulated link, in simulated time: our control, a reference as made for cameras, and none, case by case.
// usage: bench-rate [FOLDER]: prints a table; writes rate.json, musts.json (figures that rate-session.mjs holds against bounds) and a plot of each case
// into FOLDER.
//        bench-rate --plot TITLE FILE NAME=POINTS…: a plot of other runs; POINTS is a file of lines as the members of Point.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "rate-cases.h"
#include "rate-plot.h"

using namespace vitrine;
using namespace vitrine::bench;

namespace {

constexpr double kUncontrolledBps = 8e6;
constexpr std::pair<ControlKind, const char*> kControls[] = {
    {ControlKind::desktop, "Vitrine"}, {ControlKind::gcc, "reference"}, {ControlKind::off, "none"}};

std::vector<Outcome> run(const Scenario& scenario) {
  std::vector<Outcome> outcomes;
  for (const auto& [control, name] : kControls) {
    RateLimits limits{300e3, scenario.start_bps, scenario.max_bps, control};
    if (control == ControlKind::off)
      limits.max_bps = kUncontrolledBps;
    outcomes.push_back(simulate(scenario, *make_rate_control(limits), name));
  }
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

/// Seconds from `from` on; NaN: never.
double after(const Outcome& o, double Point::*member, double value, bool falling, double from, double counted_from) {
  const double at = o.reaches(member, value, falling, from, 1);
  return at < 0 ? std::nan("") : at - counted_from;
}

/// What must be shown, of one case: names as in rate-session.mjs.
std::vector<std::pair<std::string, double>> figures_of(const Outcome& o) {
  const auto is = [&](const Scenario& scenario) { return o.scenario == scenario.name; };
  if (is(cases::rise()))
    return {{"2 → 20 Mbit/s: 90 % of the link after", after(o, &Point::target_bps, 18e6, false, 8, 8)}};
  if (is(cases::fall()))
    return {{"queue peak after 20 → 4 Mbit/s", o.peak(&Point::queue_ms, 10, 15)},
            {"the queue is drained after", after(o, &Point::queue_ms, 30, true, 10.2, 10)},
            {"queue p95 afterwards", o.quantile(&Point::queue_ms, 0.95, 11.5, 19.5)}};
  if (is(cases::still()))
    return {{"estimate after 60 s of stillness, of that before", o.mean(&Point::target_bps, 69, 70) / o.mean(&Point::target_bps, 8, 10)}};
  if (is(cases::loss(0.05, 40)))
    return {{"longest freeze at 5 % loss, RTT 40 ms", o.longest_gap_ms}};
  if (is(cases::loss(0.02, 40)))
    return {{"2 % loss lowers the rate by", o.mean(&Point::received_bps, 5, 30)}};
  if (is(cases::bufferbloat()))
    return {{"bufferbloat of 1 s: queue p95", o.quantile(&Point::queue_ms, 0.95, 5, 30)}};
  if (is(cases::tcp()))
    return {{"share of a TCP flow beside us", o.mean(&Point::tcp_bps, 20, 50) / 10e4}};
  return {};
}

std::string musts_of(const std::vector<std::vector<Outcome>>& all) {
  constexpr const char* kKeys[] = {"desktop", "gcc", "off"};
  std::string json = "{";
  for (const auto& outcomes : all)
    for (size_t figure = 0; figure < figures_of(outcomes[0]).size(); ++figure) {
      json += (json.size() > 1 ? ",\n\"" : "\"") + figures_of(outcomes[0])[figure].first + "\":{";
      for (size_t i = 0; i < outcomes.size(); ++i) {
        double value = figures_of(outcomes[i])[figure].second;
        if (outcomes[i].scenario == cases::loss(0.02, 40).name) {
          const auto clean = run(cases::loss(0, 40));
          value = 100 * (1 - value / clean[i].mean(&Point::received_bps, 5, 30));
        }
        char text[64];
        if (std::isnan(value))
          snprintf(text, sizeof text, "%s\"%s\":null", i > 0 ? "," : "", kKeys[i]);
        else
          snprintf(text, sizeof text, "%s\"%s\":%.4f", i > 0 ? "," : "", kKeys[i], value);
        json += text;
      }
      json += "}";
    }
  return json + "}\n";
}

int plot_files(int argc, char** argv) {
  std::vector<Outcome> outcomes;
  for (int i = 4; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    std::ifstream file(equals == std::string::npos ? "" : argument.substr(equals + 1));
    Outcome outcome;
    outcome.scenario = argv[2];
    outcome.control = argument.substr(0, equals);
    for (Point p{}; file >> p.seconds >> p.link_bps >> p.target_bps >> p.sent_bps >> p.received_bps >> p.tcp_bps >> p.queue_ms >> p.latency_ms;)
      if (p.seconds >= 0)
        outcome.points.push_back(p);
    if (outcome.points.empty()) {
      fprintf(stderr, "bench-rate: no points in '%s'\n", argv[i]);
      return 1;
    }
    outcomes.push_back(std::move(outcome));
  }
  std::ofstream(argv[3]) << plot(outcomes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 4 && std::string(argv[1]) == "--plot")
    return plot_files(argc, argv);
  std::vector<std::vector<Outcome>> all;
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
    all.push_back(outcomes);
  }
  if (!folder.empty())
    std::ofstream(folder + "/musts.json") << musts_of(all);
  if (!folder.empty())
    std::ofstream(folder + "/rate.json") << json << "]\n";
  return 0;
}
