#include "lua/lexer.h"

#include <algorithm>
#include <optional>

namespace ktstr::lua {
namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  std::vector<Token> run() {
    if (source_.starts_with("#")) skip_line();
    while (next()) {
    }
    return std::move(tokens_);
  }

 private:
  /// False at the end of what can be read.
  bool next() {
    skip_space();
    if (at_ >= source_.size()) return false;
    const char c = source_[at_];
    if (source_.substr(at_, 2) == "--") return skip_comment();
    if (c == '"' || c == '\'') return read_string(c);
    if (const auto level = long_bracket(at_)) {
      if (!skip_long(*level)) return false;
      add(Token::Kind::kOther, {});
      return true;
    }
    if (is_name_start(c)) return read_run(Token::Kind::kName, is_name_part);
    if (is_digit(c)) return read_run(Token::Kind::kOther, [](char d) { return is_name_part(d) || d == '.'; });
    add(Token::Kind::kSymbol, source_.substr(at_, 1));
    ++at_;
    return true;
  }

  void add(Token::Kind kind, std::string_view text) { tokens_.push_back({kind, text, line_}); }

  void skip_space() {
    for (; at_ < source_.size() && is_space(source_[at_]); ++at_)
      if (source_[at_] == '\n') ++line_;
  }
  void skip_line() { at_ = std::min(source_.find('\n', at_), source_.size()); }

  bool skip_comment() {
    at_ += 2;
    if (const auto level = long_bracket(at_)) return skip_long(*level);
    skip_line();
    return true;
  }

  /// The number of "=" in a "[==[" at `at`.
  std::optional<std::size_t> long_bracket(std::size_t at) const {
    if (at >= source_.size() || source_[at] != '[') return std::nullopt;
    const auto end = source_.find_first_not_of('=', at + 1);
    if (end == std::string_view::npos || source_[end] != '[') return std::nullopt;
    return end - at - 1;
  }
  bool skip_long(std::size_t level) {
    const auto closing = "]" + std::string(level, '=') + "]";
    const auto end = source_.find(closing, at_);
    if (end == std::string_view::npos) return false;
    line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                         source_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
    at_ = end + closing.size();
    return true;
  }

  bool read_string(char quote) {
    const auto begin = ++at_;
    for (; at_ < source_.size() && source_[at_] != quote; ++at_) {
      if (source_[at_] == '\\') ++at_;
      if (at_ < source_.size() && source_[at_] == '\n') ++line_;
    }
    if (at_ >= source_.size()) return false;
    add(Token::Kind::kString, source_.substr(begin, at_ - begin));
    ++at_;
    return true;
  }

  template <class Belongs>
  bool read_run(Token::Kind kind, Belongs belongs) {
    const auto begin = at_;
    while (at_ < source_.size() && belongs(source_[at_])) ++at_;
    add(kind, source_.substr(begin, at_ - begin));
    return true;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace ktstr::lua
