// enum bpf_map_type (include/uapi/linux/bpf.h): the numbers are ABI and never change.
#pragma once

#include <cstdint>

namespace ktstr::introspect::map_type {

inline constexpr std::uint32_t kHash = 1;
inline constexpr std::uint32_t kArray = 2;
inline constexpr std::uint32_t kProgArray = 3;
inline constexpr std::uint32_t kPerfEventArray = 4;
inline constexpr std::uint32_t kPerCpuHash = 5;
inline constexpr std::uint32_t kPerCpuArray = 6;
inline constexpr std::uint32_t kStackTrace = 7;
inline constexpr std::uint32_t kCgroupArray = 8;
inline constexpr std::uint32_t kLruHash = 9;
inline constexpr std::uint32_t kLruPerCpuHash = 10;
inline constexpr std::uint32_t kLpmTrie = 11;
inline constexpr std::uint32_t kArrayOfMaps = 12;
inline constexpr std::uint32_t kHashOfMaps = 13;
inline constexpr std::uint32_t kQueue = 22;
inline constexpr std::uint32_t kStack = 23;
inline constexpr std::uint32_t kSkStorage = 24;
inline constexpr std::uint32_t kStructOps = 26;
inline constexpr std::uint32_t kRingbuf = 27;
inline constexpr std::uint32_t kInodeStorage = 28;
inline constexpr std::uint32_t kTaskStorage = 29;
inline constexpr std::uint32_t kBloomFilter = 30;
inline constexpr std::uint32_t kUserRingbuf = 31;
inline constexpr std::uint32_t kCgrpStorage = 32;
inline constexpr std::uint32_t kArena = 33;

}  // namespace ktstr::introspect::map_type
