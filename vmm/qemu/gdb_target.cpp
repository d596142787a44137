#include "vmm/qemu/gdb_target.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "vmm/qemu/gdb_packet.h"

namespace ktstr::vmm::qemu {
namespace {

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxRegisterBits = 4096;

/// In the order of VcpuRegisters::general.
constexpr std::array<std::string_view, 16> kGeneral = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                                       "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                                       "r12", "r13", "r14", "r15"};

Error bad_description(const std::string& what) {
  return corrupted("gdb target description: " + what);
}

/// The value of ` name="..."` inside one tag.
std::optional<std::string_view> attribute(std::string_view tag, std::string_view name) {
  const auto key = " " + std::string(name) + "=\"";
  const auto at = tag.find(key);
  if (at == tag.npos) return std::nullopt;
  const auto value = tag.substr(at + key.size());
  const auto end = value.find('"');
  if (end == value.npos) return std::nullopt;
  return value.substr(0, end);
}

/// Walks the tags of one document in order; registers of included documents stand where the inclusion stands.
class TargetReader {
 public:
  explicit TargetReader(const FetchDocument& fetch) : fetch_(fetch) {}

  Status read(const std::string& name, int depth) {
    if (depth > kMaxDepth) return bad_description("documents include each other");
    const auto document = KTSTR_TRY(fetch_(name));
    for (std::size_t open = 0; (open = document.find('<', open)) != document.npos;) {
      const bool is_comment = document.compare(open, 4, "<!--") == 0;  // QEMU's has registers commented out
      const auto close = document.find(is_comment ? "-->" : ">", open);
      if (close == document.npos) return bad_description(name + ": a tag without end");
      if (!is_comment) KTSTR_TRY(take_tag(std::string_view(document).substr(open, close - open), depth));
      open = close;
    }
    return ok();
  }

  std::vector<GdbRegister> registers;

 private:
  Status take_tag(std::string_view tag, int depth) {
    if (tag.starts_with("<xi:include ")) {
      const auto href = attribute(tag, "href");
      return href ? read(std::string(*href), depth + 1)
                  : Status(bad_description("an inclusion without href"));
    }
    return tag.starts_with("<reg ") ? add_register(tag) : ok();
  }

  Status add_register(std::string_view tag) {
    const auto name = attribute(tag, "name");
    const auto bits_text = attribute(tag, "bitsize");
    std::size_t bits = 0;
    if (name && bits_text) std::from_chars(bits_text->data(), bits_text->data() + bits_text->size(), bits);
    if (bits == 0 || bits % 8 != 0 || bits > kMaxRegisterBits)
      return bad_description("a register without name or size");
    registers.push_back({std::string(*name), next_offset_, bits / 8});
    next_offset_ += bits / 8;
    return ok();
  }

  const FetchDocument& fetch_;
  std::size_t next_offset_ = 0;
};

/// Register values by name, out of one answer.
class RegisterFile {
 public:
  RegisterFile(std::string_view answer, const std::vector<GdbRegister>& layout)
      : answer_(answer), layout_(layout) {}

  std::optional<std::uint64_t> value(std::string_view name) const {
    const auto found =
        std::find_if(layout_.begin(), layout_.end(), [&](const auto& r) { return r.name == name; });
    if (found == layout_.end() || found->size > sizeof(std::uint64_t)) return std::nullopt;
    if ((found->offset + found->size) * 2 > answer_.size()) return std::nullopt;
    const auto bytes = decode_hex(answer_.substr(found->offset * 2, found->size * 2));
    if (!bytes) return std::nullopt;
    std::uint64_t value = 0;
    std::memcpy(&value, bytes->data(), bytes->size());
    return value;
  }

  /// For a register that every amd64 stub has: its absence makes the whole file unusable.
  template <class T>
  void take(std::string_view name, T& out) {
    const auto found = value(name);
    complete = complete && found;
    if (found) out = static_cast<T>(*found);
  }

  bool complete = true;

 private:
  std::string_view answer_;
  const std::vector<GdbRegister>& layout_;
};

}  // namespace

Result<std::vector<GdbRegister>> read_gdb_target(const FetchDocument& fetch) {
  TargetReader reader(fetch);
  KTSTR_TRY(reader.read("target.xml", 0));
  return std::move(reader.registers);
}

std::optional<VcpuRegisters> parse_gdb_registers(std::string_view answer,
                                                 const std::vector<GdbRegister>& layout) {
  RegisterFile file(answer, layout);
  VcpuRegisters registers;
  for (std::size_t i = 0; i < kGeneral.size(); ++i) file.take(kGeneral[i], registers.general[i]);
  file.take("rip", registers.rip);
  file.take("rsp", registers.rsp);
  file.take("eflags", registers.rflags);
  file.take("cs", registers.cs);
  file.take("ss", registers.ss);
  file.take("cr0", registers.cr0);
  file.take("cr2", registers.cr2);
  file.take("cr3", registers.cr3);
  file.take("cr4", registers.cr4);
  file.take("efer", registers.efer);
  file.take("fs_base", registers.fs_base);
  file.take("gs_base", registers.gs_base);
  registers.kernel_gs_base = file.value("k_gs_base");
  if (!file.complete) return std::nullopt;
  return registers;
}

}  // namespace ktstr::vmm::qemu
