#include "lua/duplicate_keys.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <unordered_map>

namespace ktstr::lua {
namespace {

constexpr std::size_t kMostFound = 20;
constexpr std::array<std::string_view, 4> kOpeners = {"function", "if", "do", "repeat"};
constexpr std::array<std::string_view, 2> kClosers = {"end", "until"};

bool is_one_of(const Token& token, std::span<const std::string_view> names) {
  return token.kind == Token::Kind::kName && std::find(names.begin(), names.end(), token.text) != names.end();
}

/// What is open around a token: a table with its keys so far, or a bracket or block of code.
struct Frame {
  bool is_table = false;
  std::unordered_map<std::string, int> lines{};
};

class Finder {
 public:
  explicit Finder(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::vector<DuplicateKey> run() {
    for (std::size_t at = 0; at < tokens_.size() && found_.size() < kMostFound; ++at) {
      const auto& token = tokens_[at];
      const bool in_table = !open_.empty() && open_.back().is_table;
      const bool begins_entry =
          at > 0 && (tokens_[at - 1].is('{') || tokens_[at - 1].is(',') || tokens_[at - 1].is(';'));
      if (in_table && begins_entry) note_key(at);
      if (token.is('{') || token.is('(') || token.is('[') || is_one_of(token, kOpeners))
        open_.push_back({token.is('{')});
      else if (!open_.empty() &&
               (token.is('}') || token.is(')') || token.is(']') || is_one_of(token, kClosers)))
        open_.pop_back();
    }
    return std::move(found_);
  }

 private:
  bool is(std::size_t at, char symbol) const { return at < tokens_.size() && tokens_[at].is(symbol); }

  /// `name =`, `["text"] =` and `[number] =`; a key that is computed is not known here.
  void note_key(std::size_t at) {
    if (tokens_[at].kind == Token::Kind::kName && is(at + 1, '=') && !is(at + 2, '='))
      return add(std::string(tokens_[at].text), tokens_[at].line);
    if (!is(at, '[') || !is(at + 2, ']') || !is(at + 3, '=') || is(at + 4, '=')) return;
    const auto& key = tokens_[at + 1];
    if (key.kind == Token::Kind::kString) add(std::string(key.text), key.line);
    if (key.kind == Token::Kind::kOther && !key.text.empty())
      add("[" + std::string(key.text) + "]", key.line);
  }

  void add(std::string key, int line) {
    const auto [earlier, is_new] = open_.back().lines.emplace(key, line);
    if (!is_new) found_.push_back({std::move(key), earlier->second, line});
  }

  const std::vector<Token>& tokens_;
  std::vector<Frame> open_;
  std::vector<DuplicateKey> found_;
};

}  // namespace

std::vector<DuplicateKey> duplicate_keys(const std::vector<Token>& tokens) {
  return Finder(tokens).run();
}

}  // namespace ktstr::lua
