#include "lua/locator.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
#include <string_view>
#include <unordered_map>

namespace ktstr::lua {
namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);
constexpr int kDeepestPlace = 64;

bool is_one_of(const Token& token, std::span<const std::string_view> names) {
  return token.kind == Token::Kind::kName && std::ranges::find(names, token.text) != names.end();
}

/// Whether the token opens a bracket or a block of code.
bool opens(const Token& token) {
  constexpr std::string_view kOpeners[] = {"function", "if", "do", "repeat"};
  return token.is('(') || token.is('{') || token.is('[') || is_one_of(token, kOpeners);
}

/// Whether the token closes one.
bool closes(const Token& token) {
  constexpr std::string_view kClosers[] = {"end", "until"};
  return token.is(')') || token.is('}') || token.is(']') || is_one_of(token, kClosers);
}

/// Reads one table literal from its opening brace.
class LiteralReader {
 public:
  LiteralReader(const std::vector<Token>& tokens, std::size_t brace) : tokens_(tokens), at_(brace) {}

  /// Nullptr when the literal does not end, or is nested deeper than people write.
  std::unique_ptr<TableLiteral> read(int depth = 0) {
    if (depth > kDeepestPlace) return nullptr;
    auto table = std::make_unique<TableLiteral>();
    ++at_;
    while (at_ < tokens_.size() && !here('}')) {
      auto entry = read_key();
      entry.table = read_value(depth);
      if (at_ >= tokens_.size()) return nullptr;
      table->add(std::move(entry));
      if (!here('}')) ++at_;
    }
    if (at_ >= tokens_.size()) return nullptr;
    ++at_;
    return table;
  }

 private:
  bool here(char symbol, std::size_t ahead = 0) const {
    return at_ + ahead < tokens_.size() && tokens_[at_ + ahead].is(symbol);
  }
  bool at_end_of_value() const { return here(',') || here(';') || here('}'); }

  /// `name =`, `["name"] =` or nothing. A key that is computed has no name: it becomes a nameless entry.
  TableLiteral::Entry read_key() {
    TableLiteral::Entry entry{"", tokens_[at_].line, !here('['), nullptr};
    if (tokens_[at_].kind == Token::Kind::kName && here('=', 1) && !here('=', 2)) {
      entry.key = tokens_[at_].text;
      entry.is_item = false;
      at_ += 2;
    } else if (here('[') && at_ + 1 < tokens_.size() && tokens_[at_ + 1].kind == Token::Kind::kString &&
               here(']', 2) && here('=', 3)) {
      entry.key = tokens_[at_ + 1].text;
      at_ += 4;
    }
    return entry;
  }

  /// Passes a value; gives its literal when it is nothing but one.
  std::unique_ptr<TableLiteral> read_value(int depth) {
    std::unique_ptr<TableLiteral> table;
    if (here('{')) {
      const auto begin = at_;
      table = read(depth + 1);
      if (table && at_end_of_value()) return table;
      at_ = begin;
    }
    skip_expression();
    return nullptr;
  }

  /// To the separator that ends the expression; commas inside brackets and function bodies belong to it.
  void skip_expression() {
    for (int open = 0; at_ < tokens_.size(); ++at_) {
      if (open == 0 && at_end_of_value()) return;
      if (opens(tokens_[at_])) ++open;
      if (closes(tokens_[at_])) --open;
    }
  }

  const std::vector<Token>& tokens_;
  std::size_t at_;
};

constexpr std::size_t kMostFound = 20;

/// What is open around a token: a table with its keys so far, or a bracket or block of code.
struct Frame {
  bool is_table = false;
  std::unordered_map<std::string, int> lines{};
};

class DuplicateFinder {
 public:
  explicit DuplicateFinder(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::vector<DuplicateKey> run() {
    for (std::size_t at = 0; at < tokens_.size() && found_.size() < kMostFound; ++at) {
      const auto& token = tokens_[at];
      const bool in_table = !open_.empty() && open_.back().is_table;
      const bool begins_entry =
          at > 0 && (tokens_[at - 1].is('{') || tokens_[at - 1].is(',') || tokens_[at - 1].is(';'));
      if (in_table && begins_entry) note_key(at);
      if (opens(token)) open_.push_back({token.is('{')});
      if (closes(token) && !open_.empty()) open_.pop_back();
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

void TableLiteral::add(Entry entry) {
  if (!entry.key.empty()) names_.emplace(entry.key, entries_.size());
  if (entry.is_item) items_.push_back(entries_.size());
  entries_.push_back(std::move(entry));
}

const TableLiteral::Entry* TableLiteral::find(std::string_view key) const {
  const auto found = names_.find(std::string(key));
  return found == names_.end() ? nullptr : &entries_[found->second];
}

const TableLiteral::Entry* TableLiteral::item(std::size_t index) const {
  return index < items_.size() ? &entries_[items_[index]] : nullptr;
}

Locator::Locator(std::string_view source) : tokens_(tokenize(source)) {
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    if (tokens_[i].kind == Token::Kind::kName) names_[tokens_[i].text].push_back(i);
}

const std::vector<std::size_t>& Locator::places_of(std::string_view name) const {
  static const std::vector<std::size_t> kNowhere;
  const auto found = names_.find(name);
  return found == names_.end() ? kNowhere : found->second;
}

const TableLiteral* Locator::literal_at(std::size_t brace) const {
  const auto [literal, is_new] = literals_.try_emplace(brace);
  if (is_new) literal->second = LiteralReader(tokens_, brace).read();
  return literal->second.get();
}

/// The "{" of the arguments that follow the callee's name at `callee`, or kNone.
std::size_t Locator::opening_brace(std::size_t callee) const {
  for (auto at = callee + 1; at < tokens_.size() && at <= callee + 2; ++at) {
    if (tokens_[at].is('{')) return at;
    if (!tokens_[at].is('(')) return kNone;
  }
  return kNone;
}

/// Whether the callee at `callee` ends a plain chain after `return`: k.scenario, require("ktstr").scenario.
bool Locator::is_returned(std::size_t callee) const {
  constexpr std::size_t kLongestChain = 8;
  for (std::size_t back = 1; back <= std::min(callee, kLongestChain); ++back) {
    const auto& token = tokens_[callee - back];
    if (token.is_name("return")) return true;
    const bool links = token.is('.') || token.is('(') || token.is(')');
    if (!links && token.kind != Token::Kind::kName && token.kind != Token::Kind::kString) return false;
  }
  return false;
}

const TableLiteral* Locator::called_at(std::string_view callee, int line) const {
  const auto line_behind = [this](std::size_t place) {
    return place + 1 < tokens_.size() ? tokens_[place + 1].line : std::numeric_limits<int>::max();
  };
  const auto& places = places_of(callee);
  const auto first = std::partition_point(places.begin(), places.end(),
                                          [&](std::size_t place) { return line_behind(place) < line; });
  if (first == places.end() || line_behind(*first) != line) return nullptr;
  if (std::next(first) != places.end() && line_behind(*std::next(first)) == line) return nullptr;
  const auto brace = opening_brace(*first);
  return brace == kNone ? nullptr : literal_at(brace);
}

Locator::Returned Locator::returned(std::string_view callee) const {
  const auto [kept, is_new] = returned_.try_emplace(callee);
  if (is_new) kept->second = find_returned(callee);
  return kept->second;
}

Locator::Returned Locator::find_returned(std::string_view callee) const {
  auto found = kNone;
  for (const auto place : places_of(callee)) {
    if (place == 0 || !tokens_[place - 1].is('.') || !is_returned(place)) continue;
    const auto brace = opening_brace(place);
    if (brace == kNone || found != kNone) return {};
    found = brace;
  }
  if (found == kNone) return {};
  return {literal_at(found), tokens_[found].line};
}

std::vector<DuplicateKey> duplicate_keys(const std::vector<Token>& tokens) {
  return DuplicateFinder(tokens).run();
}

}  // namespace ktstr::lua
