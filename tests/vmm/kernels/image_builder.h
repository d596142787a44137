// Builds small kernel images for tests: an ELF that passes for a kernel, and bzImages with every compression
// around it.
#pragma once

#include <lz4.h>
#include <lz4hc.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/base/elf_builder.h"

namespace ktstr::test {

/// A kernel's ELF as far as the cache is concerned: a banner, a build id, and BTF that mentions sched_ext.
inline Bytes kernel_elf(std::string_view release, std::string_view build_id,
                        std::string_view btf = std::string_view("\0sched_ext_ops\0", 15)) {
  const std::string banner = "Linux version %s\n Linux version " + std::string(release) + " (builder) #1\n";
  ElfBuilder elf;
  elf.segment(0xffffffff81000000, bytes_of(std::string(64, 'x') + banner + std::string(2000, 'y')));
  if (!btf.empty()) elf.section(".BTF", 0xffffffff82a00000, bytes_of(btf));
  if (!build_id.empty()) elf.build_id(build_id);
  return elf.build();
}

inline void append_size(Bytes& payload, std::size_t size) {
  append_value(payload, static_cast<std::uint32_t>(size));
}

inline Bytes zstd_payload(const Bytes& content) {
  Bytes payload(ZSTD_compressBound(content.size()));
  payload.resize(ZSTD_compress(payload.data(), payload.size(), content.data(), content.size(), 3));
  append_size(payload, content.size());
  return payload;
}

inline Bytes gzip_payload(const Bytes& content) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes payload(deflateBound(&stream, content.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(payload.data());
  stream.avail_out = static_cast<uInt>(payload.size());
  deflate(&stream, Z_FINISH);
  payload.resize(payload.size() - stream.avail_out);
  deflateEnd(&stream);
  return payload;
}

/// With the x86 filter and CRC-32, as scripts/xz_wrap.sh does.
inline Bytes xz_payload(const Bytes& content) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 0);
  lzma_filter filters[] = {
      {LZMA_FILTER_X86, nullptr}, {LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  Bytes payload(lzma_stream_buffer_bound(content.size()));
  std::size_t size = 0;
  const lzma_ret result = lzma_stream_buffer_encode(
      filters, LZMA_CHECK_CRC32, nullptr, reinterpret_cast<const std::uint8_t*>(content.data()),
      content.size(), reinterpret_cast<std::uint8_t*>(payload.data()), &size, payload.size());
  if (result != LZMA_OK) throw std::runtime_error("xz encoder failed");
  payload.resize(size);
  append_size(payload, content.size());
  return payload;
}

/// The legacy frame, in blocks of 1000 bytes.
inline Bytes lz4_payload(const Bytes& content) {
  Bytes payload;
  append_value(payload, std::uint32_t{0x184c2102});
  for (std::size_t at = 0; at < content.size(); at += 1000) {
    const int size = static_cast<int>(std::min<std::size_t>(1000, content.size() - at));
    Bytes block(static_cast<std::size_t>(LZ4_compressBound(size)));
    block.resize(static_cast<std::size_t>(LZ4_compress_HC(reinterpret_cast<const char*>(content.data() + at),
                                                          reinterpret_cast<char*>(block.data()), size,
                                                          static_cast<int>(block.size()), 9)));
    append_size(payload, block.size());
    append(payload, block);
  }
  append_size(payload, content.size());
  return payload;
}

/// A bzImage of boot protocol 2.15 with one setup sector.
inline Bytes bzimage(const Bytes& payload) {
  constexpr std::size_t kSetup = 2 * 512, kPayloadOffset = 100;
  Bytes image(kSetup + kPayloadOffset);
  const auto put = [&](std::size_t at, auto value) { std::memcpy(image.data() + at, &value, sizeof value); };
  image[0x1f1] = std::byte{1};
  std::memcpy(image.data() + 0x202, "HdrS", 4);
  put(0x206, std::uint16_t{0x020f});
  put(0x248, static_cast<std::uint32_t>(kPayloadOffset));
  put(0x24c, static_cast<std::uint32_t>(payload.size()));
  append(image, payload);
  return image;
}

}  // namespace ktstr::test
