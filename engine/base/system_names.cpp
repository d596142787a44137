#include "engine/base/system_names.h"

#include <csignal>
#include <cstring>

namespace ktstr {

std::string signal_name(int number) {
  if (const char* name = ::sigabbrev_np(number)) return std::string("SIG") + name;
  constexpr int kFirstRealtime = 34;  // SIGRTMIN of glibc; the macro is a call that the kernel does not share
  constexpr int kLastRealtime = 64;
  if (number >= kFirstRealtime && number <= kLastRealtime)
    return "SIGRTMIN+" + std::to_string(number - kFirstRealtime);
  return "signal " + std::to_string(number);
}

std::string errno_name(int number) {
  const char* name = ::strerrorname_np(number);
  return name && number != 0 ? std::string(name) : "error " + std::to_string(number);
}

}  // namespace ktstr
