// Paint: colour for a terminal, or none.
#pragma once

#include <string>
#include <string_view>

namespace ktstr {

/// SGR parameters (ECMA-48, 8.3.117).
struct Look {
  std::string_view parameters;
};
constexpr Look kBold{"1"}, kRed{"31"}, kBoldRed{"1;31"}, kBoldGreen{"1;32"}, kBoldYellow{"1;33"},
    kBoldCyan{"1;36"};

class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  [[nodiscard]] std::string paint(Look look, std::string_view text) const {
    if (!on_) return std::string(text);
    return std::string("\033[").append(look.parameters).append("m").append(text).append("\033[0m");
  }
  [[nodiscard]] std::string alarm(std::string_view text) const { return paint(kBoldRed, text); }
  [[nodiscard]] std::string heading(std::string_view text) const { return paint(kBold, text); }

 private:
  bool on_;
};

}  // namespace ktstr
