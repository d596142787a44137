// JSON on standard output.
#pragma once

#include <rapidjson/prettywriter.h>

#include <cstdio>

#include "engine/base/write.h"
#include "lua/commands/json_output.h"

namespace ktstr::lua {

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
