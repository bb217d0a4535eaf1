// SPDX-License-Identifier: LGPL-2.1-or-later
// An ordinary SDL2 program: prints what its gamepads do, a line each, and makes them rumble on the lines "rumble PAD STRONG WEAK MS".
//   + PAD NAME buttons=N axes=N hats=N mapped=0|1 rumble=0|1   a gamepad was plugged in; PAD counts from 0 as they come
//   - PAD
//   b PAD BUTTON 0|1      a PAD AXIS VALUE      h PAD HAT VALUE
#include <SDL.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>

namespace {

struct Pad {
  int number;
  SDL_Joystick* joystick;
};
std::map<SDL_JoystickID, Pad> pads;
int next_number = 0;

void add(int device) {
  SDL_Joystick* joystick = SDL_JoystickOpen(device);
  if (!joystick) {
    std::printf("cannot open: %s\n", SDL_GetError());
    return;
  }
  const int number = next_number++;
  pads[SDL_JoystickInstanceID(joystick)] = {number, joystick};
  std::printf("+ %d %s buttons=%d axes=%d hats=%d mapped=%d rumble=%d\n", number, SDL_JoystickName(joystick), SDL_JoystickNumButtons(joystick),
              SDL_JoystickNumAxes(joystick), SDL_JoystickNumHats(joystick), SDL_IsGameController(device), SDL_JoystickHasRumble(joystick));
}

void rumble(const std::string& line) {
  int number = 0;
  unsigned strong = 0, weak = 0, ms = 0;
  if (std::sscanf(line.c_str(), "rumble %d %u %u %u", &number, &strong, &weak, &ms) != 4)
    return;
  for (const auto& [id, pad] : pads)
    if (pad.number == number && SDL_JoystickRumble(pad.joystick, static_cast<Uint16>(strong), static_cast<Uint16>(weak), ms) != 0)
      std::printf("no rumble: %s\n", SDL_GetError());
}

/// False at the end of the input.
bool read_orders() {
  static std::string pending;
  pollfd waiting{STDIN_FILENO, POLLIN, 0};
  while (poll(&waiting, 1, 0) == 1) {
    char buffer[256];
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got <= 0)
      return false;
    pending.append(buffer, static_cast<size_t>(got));
    for (size_t end; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1))
      rumble(pending.substr(0, end));
  }
  return true;
}

}  // namespace

int main(int, char**) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  SDL_SetHint(SDL_HINT_JOYSTICK_ALLOW_BACKGROUND_EVENTS, "1");
  SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
  // No window is needed, and so no display.
  SDL_SetHint(SDL_HINT_VIDEODRIVER, "dummy");
  if (SDL_Init(SDL_INIT_JOYSTICK | SDL_INIT_GAMECONTROLLER) != 0) {
    std::printf("SDL does not start: %s\n", SDL_GetError());
    return 1;
  }
  std::printf("ready\n");
  while (read_orders()) {
    SDL_Event event;
    if (!SDL_WaitEventTimeout(&event, 10))
      continue;
    do {
      if (event.type == SDL_JOYDEVICEADDED)
        add(event.jdevice.which);
      else if (event.type == SDL_JOYBUTTONDOWN || event.type == SDL_JOYBUTTONUP)
        std::printf("b %d %d %d\n", pads[event.jbutton.which].number, event.jbutton.button, event.jbutton.state);
      else if (event.type == SDL_JOYAXISMOTION)
        std::printf("a %d %d %d\n", pads[event.jaxis.which].number, event.jaxis.axis, event.jaxis.value);
      else if (event.type == SDL_JOYHATMOTION)
        std::printf("h %d %d %d\n", pads[event.jhat.which].number, event.jhat.hat, event.jhat.value);
      if (event.type == SDL_JOYDEVICEREMOVED) {
        const auto found = pads.find(event.jdevice.which);
        if (found != pads.end()) {
          std::printf("- %d\n", found->second.number);
          SDL_JoystickClose(found->second.joystick);
          pads.erase(found);
        }
      }
    } while (SDL_PollEvent(&event));
  }
  SDL_Quit();
  return 0;
}
