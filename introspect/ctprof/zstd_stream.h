// zstd over whole texts and over RapidJSON's output.
#pragma once

#include <zstd.h>

#include <memory>
#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace ktstr::introspect::ctprof {

/// An output stream of RapidJSON's kind that compresses what is put. Not for several threads.
class ZstdStream {
 public:
  using Ch = char;
  ZstdStream();

  void Put(char c) {
    if (pending_.size() == kBlock) compress(ZSTD_e_continue);
    pending_ += c;
  }
  void Flush() {}
  /// Ends the frame; nothing may be put any more. Errors: zstd's own.
  [[nodiscard]] Result<std::string> finish();

 private:
  static constexpr std::size_t kBlock = 65536;
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };

  void compress(ZSTD_EndDirective directive);

  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::string pending_;
  std::string compressed_;
  std::size_t error_ = 0;
};

/// One whole frame. Errors (kCorrupt): no frame, one that is cut off or damaged, something behind it, or more
/// than `max_bytes`.
[[nodiscard]] Result<std::string> decompress(std::string_view frame, std::size_t max_bytes);

}  // namespace ktstr::introspect::ctprof
