#include "introspect/ctprof/zstd_stream.h"

namespace ktstr::introspect::ctprof {
namespace {

struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

bool has_magic(std::string_view bytes) {
  constexpr std::string_view kMagic = "\x28\xb5\x2f\xfd";  // RFC 8878, 3.1.1
  return bytes.starts_with(kMagic);
}

}  // namespace

ZstdStream::ZstdStream() : context_(ZSTD_createCCtx()) {
  pending_.reserve(kBlock);
  error_ = ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
}

void ZstdStream::compress(ZSTD_EndDirective directive) {
  ZSTD_inBuffer in{pending_.data(), pending_.size(), 0};
  std::size_t left = 1;
  while (!ZSTD_isError(error_) && (in.pos < in.size || (directive == ZSTD_e_end && left != 0))) {
    const auto used = compressed_.size();
    compressed_.resize(used + ZSTD_CStreamOutSize());
    ZSTD_outBuffer out{compressed_.data(), compressed_.size(), used};
    error_ = left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
    compressed_.resize(out.pos);
  }
  pending_.clear();
}

Result<std::string> ZstdStream::finish() {
  compress(ZSTD_e_end);
  if (ZSTD_isError(error_)) return Error{ErrorCode::kIo, std::string("zstd: ") + ZSTD_getErrorName(error_)};
  return std::move(compressed_);
}

Result<std::string> decompress(std::string_view frame, std::size_t max_bytes) {
  if (!has_magic(frame)) return corrupted("not compressed with zstd");
  const std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context(ZSTD_createDCtx());
  std::string text;
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  for (std::size_t left = 1; left != 0;) {
    const auto used = text.size();
    if (used > max_bytes)
      return corrupted("more than " + std::to_string(max_bytes) + " bytes when decompressed");
    text.resize(used + ZSTD_DStreamOutSize());
    ZSTD_outBuffer out{text.data(), text.size(), used};
    left = ZSTD_decompressStream(context.get(), &out, &in);
    text.resize(out.pos);
    if (ZSTD_isError(left)) return corrupted(std::string("damaged: ") + ZSTD_getErrorName(left));
    if (left != 0 && out.pos == used && in.pos == in.size) return corrupted("cut off");
  }
  if (in.pos != in.size) return corrupted("something follows the end of the compressed data");
  return text;
}

}  // namespace ktstr::introspect::ctprof
