// SPDX-License-Identifier: LGPL-2.1-or-later
// Plays scenes on a display: typing, scrolling, video, full or still, as the lines on standard input say, until that ends.
// usage: scene-window DISPLAY
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "capture-scenes.h"

int main(int argc, char** argv) {
  using vitrine::Scene;
  static const std::map<std::string, Scene> scenes = {{"still", Scene::kIdle},       {"typing", Scene::kTyping}, {"scrolling", Scene::kScrolling},
                                                      {"video", Scene::kVideo}, {"full", Scene::kFull}};
  if (argc != 2) {
    std::fprintf(stderr, "usage: scene-window DISPLAY\n");
    return 2;
  }
  std::unique_ptr<vitrine::SceneProcess> playing;
  for (std::string line; std::getline(std::cin, line);) {
    const auto scene = scenes.find(line);
    if (scene == scenes.end()) {
      std::fprintf(stderr, "scene-window: there is no scene '%s'\n", line.c_str());
      return 2;
    }
    // The next one is there before the last one goes: the bare root window is not part of any.
    const auto last = std::move(playing);
    playing = std::make_unique<vitrine::SceneProcess>(scene->second, argv[1]);
    if (last)
      usleep(200'000);
  }
  return 0;
}
