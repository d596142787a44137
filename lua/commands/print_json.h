// JSON on standard output.
#pragma once

#include <rapidjson/filewritestream.h>
#include <rapidjson/prettywriter.h>

#include <array>
#include <cstdio>

#include "engine/base/write.h"

namespace ktstr::lua {

/// Prints a described value, indented, as it is written: of a large one no text is kept.
template <class T>
void print_json(const T& value) {
  std::array<char, 65536> buffer;
  rapidjson::FileWriteStream stream(stdout, buffer.data(), buffer.size());
  rapidjson::PrettyWriter<rapidjson::FileWriteStream> writer(stream);
  writer.SetIndent(' ', 1);
  write(writer, value);
  stream.Put('\n');
  stream.Flush();
}

}  // namespace ktstr::lua
