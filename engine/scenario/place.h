// Place: where in the tree of a script an already read scenario's member came from, for errors found after
// reading.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/read.h"

namespace ktstr::engine {

/// A cursor over the tree that the scenario was read from. A member that the script left out has its
/// enclosing line.
class Place {
 public:
  explicit Place(const Value& root) : node_(&root) {}

  [[nodiscard]] Place member(std::string_view key) const {
    const auto* found = node_->find(key);
    const auto& next = found ? *found : absent();
    return Place(next, path_.member(key, next));
  }
  /// Elements count from 0.
  [[nodiscard]] Place element(std::size_t index) const {
    const auto* list = node_->get_if<Value::List>();
    const auto& next = list && index < list->size() ? (*list)[index] : absent();
    return Place(next, path_.element(index, next));
  }
  /// Whether the script wrote a string here.
  [[nodiscard]] bool is_string() const { return node_->get_if<std::string>() != nullptr; }
  [[nodiscard]] ReadError error(std::string message) const { return path_.error(std::move(message)); }
  /// Nothing for success; a failure's message at this place.
  template <class T>
  [[nodiscard]] ReadStatus error_of(const Result<T>& result) const {
    if (result) return {};
    return error(result.error().message);
  }

 private:
  Place(const Value& node, ReadPlace path) : node_(&node), path_(std::move(path)) {}
  static const Value& absent() {
    static const Value value;
    return value;
  }

  const Value* node_;
  ReadPlace path_;
};

}  // namespace ktstr::engine
