// JsonOutput: a stream of JSON (RapidJSON's interface) that a terminal may show.
#pragma once

#include <rapidjson/prettywriter.h>

#include <cstdio>
#include <string>

#include "engine/base/write.h"

namespace ktstr::lua {

/// Outside of strings JSON is ASCII, so that every other character is in one: those that are not printable
/// are written as "\u202e", and bytes that belong to no character as "\ufffd". It reads as before.
class JsonOutput {
 public:
  using Ch = char;

  explicit JsonOutput(std::FILE* file) : file_(file) {}
  JsonOutput(const JsonOutput&) = delete;
  JsonOutput& operator=(const JsonOutput&) = delete;

  void Put(char c);
  /// What is left of a character that never ended goes out too. Not for the middle of a text.
  void Flush();

 private:
  void put_first_of_pending();

  std::FILE* file_;
  std::string pending_;  ///< a character above ASCII, as far as it is here
};

/// Prints a described value, indented, as it is written: of a large one no text is kept.
template <class T>
void print_json(const T& value) {
  JsonOutput stream(stdout);
  rapidjson::PrettyWriter<JsonOutput> writer(stream);
  writer.SetIndent(' ', 1);
  write(writer, value);
  stream.Put('\n');
  stream.Flush();
}

}  // namespace ktstr::lua
