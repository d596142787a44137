// Lines of several files as one number, for Value::line and ReadError::line.
#pragma once

namespace ktstr::lua {

/// More than any file has lines (scripts are at most 1 MB).
inline constexpr int kLinesPerChunk = 1 << 20;

/// The main script is chunk 0, so its lines are plain.
constexpr int encode_line(int chunk, int line) {
  return chunk * kLinesPerChunk + line;
}
constexpr int chunk_of(int encoded) {
  return encoded / kLinesPerChunk;
}
constexpr int line_of(int encoded) {
  return encoded % kLinesPerChunk;
}

}  // namespace ktstr::lua
