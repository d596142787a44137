#include "vmm/decompress.h"

#include <fmt/format.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace ktstr::vmm {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kFirstRoom = 1 << 20;
constexpr std::size_t kLz4BlockBytes = 8
                                       << 20;  // LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE, lib/decompress_unlz4.c
constexpr std::uint32_t kLz4LegacyMagic = 0x184c2102;  // ARCHIVE_MAGICNUMBER, lib/decompress_unlz4.c
constexpr std::uint64_t kXzMemoryLimit = std::uint64_t{256}
                                         << 20;  // scripts/xz_wrap.sh: dictionaries up to 128 MiB
constexpr int kZstdWindowLogLimit = 27;          // ZSTD_WINDOWSIZE_MAX, lib/decompress_unzstd.c

Error bad_stream(std::string_view name, std::string_view reason) {
  return corrupted(fmt::format("{} stream: {}", name, reason));
}
Error too_long(std::string_view name, const BoundedOutput& output) {
  return bad_stream(name, fmt::format("gives more than the {} bytes announced", output.written()));
}

Status decompress_zstd(std::span<const std::byte> compressed, BoundedOutput& output) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (!context) return bad_stream("zstd", "out of memory");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kZstdWindowLogLimit);
  ZSTD_inBuffer in{compressed.data(), compressed.size(), 0};
  for (;;) {
    const auto room = output.room();
    ZSTD_outBuffer out{room.data(), room.size(), 0};
    const std::size_t consumed_before = in.pos;
    const std::size_t left = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(left)) return bad_stream("zstd", ZSTD_getErrorName(left));
    output.commit(out.pos);
    if (left == 0) return ok();
    if (out.pos == 0 && in.pos == consumed_before)
      return output.full() ? too_long("zstd", output) : bad_stream("zstd", "ends too early");
  }
}

Status decompress_gzip(std::span<const std::byte> compressed, BoundedOutput& output) {
  constexpr int kGzipWrapper = 16;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWrapper + MAX_WBITS) != Z_OK) return bad_stream("gzip", "out of memory");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  for (;;) {
    const auto room = output.room();
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int result = inflate(&stream, Z_NO_FLUSH);
    output.commit(room.size() - stream.avail_out);
    if (result == Z_STREAM_END) return ok();
    if (result == Z_BUF_ERROR)
      return output.full() ? too_long("gzip", output) : bad_stream("gzip", "ends too early");
    if (result != Z_OK) return bad_stream("gzip", stream.msg ? stream.msg : zError(result));
  }
}

std::string_view xz_reason(lzma_ret result) {
  switch (result) {
    case LZMA_MEM_ERROR:
      return "out of memory";
    case LZMA_MEMLIMIT_ERROR:
      return "needs more memory than any kernel's";
    case LZMA_FORMAT_ERROR:
      return "not in the xz format";
    case LZMA_OPTIONS_ERROR:
      return "unknown options";
    case LZMA_BUF_ERROR:
      return "ends too early";
    default:
      return "damaged data";
  }
}

Status decompress_xz(std::span<const std::byte> compressed, BoundedOutput& output) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kXzMemoryLimit, 0) != LZMA_OK) return bad_stream("xz", "out of memory");
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> guard(&stream, &lzma_end);
  stream.next_in = reinterpret_cast<const std::uint8_t*>(compressed.data());
  stream.avail_in = compressed.size();
  for (;;) {
    const auto room = output.room();
    stream.next_out = reinterpret_cast<std::uint8_t*>(room.data());
    stream.avail_out = room.size();
    const lzma_ret result = lzma_code(&stream, LZMA_RUN);
    output.commit(room.size() - stream.avail_out);
    if (result == LZMA_STREAM_END) return ok();
    if (result == LZMA_BUF_ERROR && output.full()) return too_long("xz", output);
    if (result != LZMA_OK) return bad_stream("xz", xz_reason(result));
  }
}

/// The legacy frame: the magic, then blocks of {u32 compressed size, data}, each of at most 8 MiB
/// decompressed.
Status decompress_lz4(std::span<const std::byte> compressed, BoundedOutput& output) {
  const auto block = std::make_unique_for_overwrite<char[]>(kLz4BlockBytes);
  while (!compressed.empty()) {
    std::uint32_t size = 0;
    if (compressed.size() < sizeof size) return bad_stream("lz4", "ends inside a block's size");
    std::memcpy(&size, compressed.data(), sizeof size);
    compressed = compressed.subspan(sizeof size);
    if (size == kLz4LegacyMagic) continue;
    if (size > compressed.size())
      return bad_stream("lz4",
                        fmt::format("a block of {} bytes, but only {} are left", size, compressed.size()));
    const int decoded = LZ4_decompress_safe(reinterpret_cast<const char*>(compressed.data()), block.get(),
                                            static_cast<int>(size), static_cast<int>(kLz4BlockBytes));
    if (decoded < 0) return bad_stream("lz4", "a damaged block");
    compressed = compressed.subspan(size);
    for (auto rest = std::as_bytes(std::span(block.get(), static_cast<std::size_t>(decoded)));
         !rest.empty();) {
      const auto room = output.room();
      if (room.empty()) return too_long("lz4", output);
      const std::size_t part = std::min(room.size(), rest.size());
      std::memcpy(room.data(), rest.data(), part);
      output.commit(part);
      rest = rest.subspan(part);
    }
  }
  return ok();
}

// scripts/extract-vmlinux and lib/decompress.c list the same magics.
constexpr Compression kCompressions[] = {
    {"zstd", "\x28\xb5\x2f\xfd"sv, &decompress_zstd, true},
    {"gzip", "\x1f\x8b"sv, &decompress_gzip, false},
    {"xz", "\xfd\x37zXZ\0"sv, &decompress_xz, true},
    {"lz4", "\x02\x21\x4c\x18"sv, &decompress_lz4, true},
    {"bzip2", "BZh"sv, nullptr, true},
    {"lzma", "\x5d\0\0"sv, nullptr, true},
    {"lzo", "\x89\x4cZO"sv, nullptr, true},
};

}  // namespace

std::span<std::byte> BoundedOutput::room() {
  if (written_ == bytes_.size()) bytes_.resize(std::min(limit_, std::max(kFirstRoom, written_ * 2)));
  return std::span(bytes_).subspan(written_);
}

std::vector<std::byte> BoundedOutput::take() {
  bytes_.resize(written_);
  return std::move(bytes_);
}

const Compression* find_compression(std::span<const std::byte> payload) {
  const std::string_view text(reinterpret_cast<const char*>(payload.data()), payload.size());
  const auto* found = std::find_if(std::begin(kCompressions), std::end(kCompressions),
                                   [&](const Compression& c) { return text.starts_with(c.magic); });
  return found == std::end(kCompressions) ? nullptr : found;
}

}  // namespace ktstr::vmm
