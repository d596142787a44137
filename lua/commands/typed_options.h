// Options whose values are numbers or one of a list, with errors that say what they take.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/describe.h"
#include "engine/base/nearest.h"

namespace ktstr::lua {

/// The names of an enum with `between` between them, and `last` before the last one.
template <DescribedEnum E>
[[nodiscard]] std::string joined_names(std::string_view between, std::string_view last) {
  constexpr auto& values = describe<E>.values;
  std::string text;
  for (std::size_t i = 0; i < std::size(values); ++i)
    text.append(i == 0 ? "" : i + 1 == std::size(values) ? last : between).append(values[i].name);
  return text;
}

/// An option that takes one of the names of a described enum.
template <DescribedEnum E>
CLI::Option* add_choice(CLI::App& command, const std::string& name, E& target, const std::string& doc) {
  const auto parse = [&target, name](const std::string& text) {
    std::vector<std::string_view> names;
    for (const auto& value : describe<E>.values) {
      if (value.name == text) return void(target = value.value);
      names.push_back(value.name);
    }
    throw CLI::ValidationError(name, "no \"" + text + "\"" + did_you_mean(text, names) + "; it takes " +
                                         joined_names<E>(", ", " or "));
  };
  return command.add_option_function<std::string>(name, parse, doc)
      ->type_name(joined_names<E>("|", "|"))
      ->default_str(std::string(enum_name(target)));
}

namespace detail {

/// CLI11's own conversion makes 18446744073709551615 of -1.
template <std::integral T>
T whole_number(const std::string& name, const std::string& text, T least, T most) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || last != end || value < least || value > most)
    throw CLI::ValidationError(name, "\"" + text + "\" is not a whole number from " + std::to_string(least) +
                                         " to " + std::to_string(most));
  return value;
}

}  // namespace detail

/// An option that takes a whole number from `least` to `most`.
template <std::integral T>
CLI::Option* add_number(CLI::App& command, const std::string& name, T& target, const std::string& doc,
                        T least = std::numeric_limits<T>::min(), T most = std::numeric_limits<T>::max()) {
  const auto parse = [&target, name, least, most](const std::string& text) {
    target = detail::whole_number(name, text, least, most);
  };
  return command.add_option_function<std::string>(name, parse, doc)
      ->type_name("NUMBER")
      ->default_str(std::to_string(target));
}

/// The same without a default.
template <std::integral T>
CLI::Option* add_number(CLI::App& command, const std::string& name, std::optional<T>& target,
                        const std::string& doc, T least, T most) {
  const auto parse = [&target, name, least, most](const std::string& text) {
    target = detail::whole_number(name, text, least, most);
  };
  return command.add_option_function<std::string>(name, parse, doc)->type_name("NUMBER");
}

}  // namespace ktstr::lua
