// SPDX-License-Identifier: LGPL-2.1-or-later
// SVG by hand: no more than lines and text.
#include "rate-plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace vitrine::bench {
namespace {

constexpr double kWidth = 720, kHeight = 150, kLeft = 56, kTop = 26, kGap = 34;
constexpr size_t kPoints = 300;
constexpr const char* kColours[] = {"#0a7d4b", "#c2410c", "#6b7280"};

std::string number(double value) {
  char text[32];
  snprintf(text, sizeof text, "%.6g", std::round(value * 10) / 10);
  return text;
}

double nice(double most) {
  const double power = std::pow(10, std::floor(std::log10(std::max(most, 1e-3))));
  for (const double step : {1.0, 2.0, 5.0, 10.0})
    if (most <= step * power)
      return step * power;
  return 10 * power;
}

struct Chart {
  const char* title;
  double Point::*member;
  double unit;
  bool link;
  double cap;  // higher values are drawn at the border
};

void draw(std::string& svg, const Chart& chart, const std::vector<Outcome>& outcomes, double top) {
  const double seconds = outcomes.front().points.back().seconds;
  double most = 1;
  for (const auto& outcome : outcomes)
    for (const auto& point : outcome.points)
      most = std::max({most, point.*chart.member / chart.unit, chart.link ? point.link_bps / chart.unit : 0});
  most = nice(std::min(most, chart.cap));
  const auto x = [&](double s) { return number(kLeft + s / seconds * kWidth); };
  const auto y = [&](double v) { return number(top + kHeight * (1 - std::min(v, most) / most)); };
  svg += "<text x=\"" + number(kLeft) + "\" y=\"" + number(top - 7) + "\" font-weight=\"bold\">" + chart.title + "</text>\n";
  for (int i = 0; i <= 4; ++i) {
    const double value = most * i / 4;
    svg += "<path d=\"M" + number(kLeft) + " " + y(value) + "h" + number(kWidth) + "\" stroke=\"#e5e7eb\"/><text x=\"" + number(kLeft - 6) +
           "\" y=\"" + y(value) + "\" text-anchor=\"end\" dominant-baseline=\"middle\">" + number(value) + "</text>\n";
  }
  const auto line = [&](const Outcome& outcome, auto value, const char* style) {
    // A few hundred points; of those in between the greatest, so that no peak is hidden.
    const size_t step = outcome.points.size() / kPoints + 1;
    std::string path;
    for (size_t i = 0; i < outcome.points.size(); i += step) {
      double most_here = 0;
      for (size_t j = i; j < std::min(i + step, outcome.points.size()); ++j)
        most_here = std::max(most_here, value(outcome.points[j]));
      path += (path.empty() ? "M" : "L") + x(outcome.points[i].seconds) + " " + y(most_here / chart.unit);
    }
    svg += "<path d=\"" + path + "\" fill=\"none\" " + style + "/>\n";
  };
  if (chart.link)
    line(outcomes.front(), [](const Point& p) { return p.link_bps; }, "stroke=\"#111827\" stroke-dasharray=\"4 3\"");
  for (size_t i = outcomes.size(); i-- > 0;)
    line(outcomes[i], [&](const Point& p) { return p.*chart.member; },
         (std::string("stroke-width=\"1.4\" stroke=\"") + kColours[i % 3] + "\"").c_str());
  svg += "<text x=\"" + number(kLeft + kWidth) + "\" y=\"" + number(top + kHeight + 14) + "\" text-anchor=\"end\">" + number(seconds) + " s</text>\n";
}

}  // namespace

std::string plot(const std::vector<Outcome>& outcomes) {
  static constexpr Chart kCharts[] = {{"received, Mbit/s (dashed: the link)", &Point::received_bps, 1e6, true, 1e9},
                                      {"queue on the link, ms", &Point::queue_ms, 1, false, 500},
                                      {"latency of whole frames, ms", &Point::latency_ms, 1, false, 1000}};
  const double height = kTop + 3 * (kHeight + kGap) + 24;
  std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(kLeft + kWidth + 20) + " " + number(height + 10) +
                    "\" font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  double x = kLeft;
  svg += "<text x=\"" + number(kLeft) + "\" y=\"14\" font-size=\"13\" font-weight=\"bold\">" + outcomes.front().scenario + "</text>\n";
  for (size_t i = 0; i < outcomes.size(); ++i, x += 140)
    svg += "<rect x=\"" + number(x + 260) + "\" y=\"5\" width=\"12\" height=\"10\" fill=\"" + kColours[i % 3] + "\"/><text x=\"" +
           number(x + 278) + "\" y=\"14\">" + outcomes[i].control + "</text>\n";
  double top = kTop + 20;
  for (const auto& chart : kCharts) {
    draw(svg, chart, outcomes, top);
    top += kHeight + kGap;
  }
  return svg + "</svg>\n";
}

}  // namespace vitrine::bench
