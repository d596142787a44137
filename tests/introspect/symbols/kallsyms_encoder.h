// Encodes symbols as scripts/kallsyms.c does, in every layout it has had since Linux 6.0.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tests/base/elf_builder.h"

namespace ktstr::test {

struct KallsymsSymbol {
  std::uint64_t address;
  std::string name;  ///< with the type letter before it
};

enum class Offsets { kBaseRelative, kAbsolutePercpu, kPlaceRelative };

struct KallsymsLayout {
  Offsets offsets = Offsets::kPlaceRelative;
  bool offsets_first = false;  ///< the order before 6.4
  std::size_t alignment = 8;
  std::size_t bytes_per_seq = 3;  ///< 0: a kernel without kallsyms_seqs_of_names
};

/// Writes the tables, to lie at a given address, into one run of bytes.
class KallsymsEncoder {
 public:
  KallsymsEncoder(std::vector<KallsymsSymbol> symbols, KallsymsLayout layout, std::uint64_t address)
      : symbols_(std::move(symbols)), layout_(layout), address_(address) {
    for (int c = ' ' + 1; c < 127; ++c)
      tokens_[static_cast<std::size_t>(c)] = std::string(1, static_cast<char>(c));
    tokens_[1] = "sys_";
    tokens_[200] = "function_";
    tokens_[255] = "Tdo_";
  }

  Bytes encode() {
    bytes_ = bytes_of(std::string(40, 'r'));
    if (layout_.offsets_first) write_offsets();
    align(), append_value(bytes_, static_cast<std::uint32_t>(symbols_.size()));
    write_names();
    if (layout_.offsets_first) write_seqs();
    write_tokens();
    if (!layout_.offsets_first) write_offsets(), write_seqs();
    append(bytes_, bytes_of(std::string(40, 's')));
    return bytes_;
  }

 private:
  void align() {
    bytes_.resize((bytes_.size() + layout_.alignment - 1) / layout_.alignment * layout_.alignment);
  }

  std::uint32_t offset_of(std::uint64_t address, std::uint64_t place) const {
    switch (layout_.offsets) {
      case Offsets::kBaseRelative:
        return static_cast<std::uint32_t>(address - base());
      case Offsets::kAbsolutePercpu:
        return static_cast<std::uint32_t>(address < (1u << 31) ? address : base() - 1 - address);
      case Offsets::kPlaceRelative:
        break;
    }
    return static_cast<std::uint32_t>(address - place);
  }

  /// The lowest symbol that is not a per-CPU offset.
  std::uint64_t base() const {
    return std::ranges::find_if(symbols_, [](const auto& s) { return s.address >= (1u << 31); })->address;
  }

  void write_offsets() {
    align();
    for (const KallsymsSymbol& symbol : symbols_)
      append_value(bytes_, offset_of(symbol.address, address_ + bytes_.size()));
    if (layout_.offsets == Offsets::kPlaceRelative) return;
    align(), append_value(bytes_, base());
  }

  void write_seqs() {
    align();
    for (std::size_t i = 0; i < symbols_.size() * layout_.bytes_per_seq; ++i)
      bytes_.push_back(std::byte(i % 251 + 1));
  }

  std::string compress(std::string_view name) const {
    std::string compressed;
    while (!name.empty()) {
      std::size_t best = static_cast<unsigned char>(name[0]);
      for (std::size_t token = 0; token < tokens_.size(); ++token)
        if (tokens_[token].size() > tokens_[best].size() && name.starts_with(tokens_[token])) best = token;
      compressed += static_cast<char>(best);
      name.remove_prefix(tokens_[best].size());
    }
    return compressed;
  }

  void write_names() {
    align();
    const std::size_t begin = bytes_.size();
    std::vector<std::uint32_t> markers;
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      if (i % 256 == 0) markers.push_back(static_cast<std::uint32_t>(bytes_.size() - begin));
      const std::string name = compress(symbols_[i].name);
      if (name.size() > 127) bytes_.push_back(std::byte((name.size() & 0x7f) | 0x80));
      bytes_.push_back(std::byte(name.size() > 127 ? name.size() >> 7 : name.size()));
      append(bytes_, bytes_of(name));
    }
    align();
    for (const std::uint32_t marker : markers) append_value(bytes_, marker);
  }

  void write_tokens() {
    align();
    std::vector<std::uint16_t> index;
    std::uint16_t offset = 0;
    for (const std::string& token : tokens_) {
      index.push_back(offset);
      append(bytes_, bytes_of(token + '\0'));
      offset = static_cast<std::uint16_t>(offset + token.size() + 1);
    }
    align();
    for (const std::uint16_t start : index) append_value(bytes_, start);
  }

  std::vector<KallsymsSymbol> symbols_;
  KallsymsLayout layout_;
  std::uint64_t address_;
  std::array<std::string, 256> tokens_;
  Bytes bytes_;
};

}  // namespace ktstr::test
