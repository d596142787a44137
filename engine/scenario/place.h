// Place: where in the tree of a script an already read scenario's member came from, for errors found after
// reading.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/read.h"

namespace ktstr::engine {

/// A cursor over the tree that the scenario was read from, which must outlive it. A member that the script
/// left out has its enclosing line.
class Place {
 public:
  explicit Place(const Value& root) : node_(&root) {}

  [[nodiscard]] Place member(std::string_view key) const {
    const auto* found = node_->find(key);
    const auto& next = found ? *found : absent();
    return {next, member_path(path_, key), next.line ? next.line : line_};
  }
  /// Elements count from 0.
  [[nodiscard]] Place element(std::size_t index) const {
    const auto* list = node_->get_if<Value::List>();
    const auto& next = list && index < list->size() ? (*list)[index] : absent();
    return {next, element_path(path_, index), next.line ? next.line : line_};
  }
  /// Whether the script wrote a string here.
  [[nodiscard]] bool is_string() const { return node_->get_if<std::string>() != nullptr; }
  [[nodiscard]] ReadError error(std::string message) const { return {path_, std::move(message), line_}; }
  /// Nothing for success; a failure's message at this place.
  template <class T>
  [[nodiscard]] ReadStatus error_of(const Result<T>& result) const {
    if (result) return {};
    return error(result.error().message);
  }

 private:
  Place(const Value& node, std::string path, int line) : node_(&node), path_(std::move(path)), line_(line) {}
  static const Value& absent() {
    static const Value value;
    return value;
  }

  const Value* node_;
  std::string path_;
  int line_ = 0;
};

}  // namespace ktstr::engine
