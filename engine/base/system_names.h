// Signals and errors by the names that their manual pages have.
#pragma once

#include <string>

namespace ktstr {

/// "SIGSEGV", "SIGRTMIN+3"; "signal 99" for a number that is none.
[[nodiscard]] std::string signal_name(int number);

/// "EACCES"; "error 4095" for a number that is none.
[[nodiscard]] std::string errno_name(int number);

}  // namespace ktstr
