// Making a Btf: checking the bytes, handing them to libbpf, indexing the names.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>

#include "engine/base/fd.h"
#include "engine/base/io.h"
#include "introspect/btf.h"

namespace ktstr::introspect {

namespace {

constexpr std::size_t kMaxBytes = 64U << 20;  // ten times the largest distribution kernel's

Error corrupt_btf(std::string_view message) {
  return corrupted("BTF: " + std::string(message));
}

bool lies_within(std::uint64_t offset, std::uint64_t length, std::uint64_t total) {
  return offset <= total && length <= total - offset;
}

/// What libbpf relies on, checked before it sees the bytes.
Status check_header(std::span<const std::byte> bytes, bool is_split) {
  btf_header header;
  if (bytes.size() < sizeof(header))
    return corrupt_btf(std::to_string(bytes.size()) + " bytes are no header");
  if (bytes.size() > kMaxBytes)
    return corrupt_btf(std::to_string(bytes.size()) + " bytes are more than any kernel's");
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.magic != BTF_MAGIC) return corrupt_btf("wrong magic number");
  if (header.version != BTF_VERSION) return corrupt_btf("unknown version " + std::to_string(header.version));
  if (header.hdr_len < sizeof(header) || header.hdr_len > bytes.size())
    return corrupt_btf("wrong header length");
  // libbpf reads the types where they lie, and asks for an alignment of type_off alone
  if ((std::uint64_t{header.hdr_len} + header.type_off) % alignof(btf_type) != 0)
    return corrupt_btf("the types are not aligned");
  const std::uint64_t body = bytes.size() - header.hdr_len;
  if (!lies_within(header.type_off, header.type_len, body))
    return corrupt_btf("the types reach past the end");
  if (!lies_within(header.str_off, header.str_len, body))
    return corrupt_btf("the strings reach past the end");
  const auto strings = bytes.subspan(header.hdr_len + header.str_off, header.str_len);
  if (is_split && strings.empty()) return ok();
  if (strings.empty() || strings.back() != std::byte{0} || (!is_split && strings.front() != std::byte{0}))
    return corrupt_btf("the string table neither begins nor ends with an empty string");
  return ok();
}

thread_local std::string* libbpf_messages = nullptr;  // where this thread's messages go; nullptr: to stderr

int print_libbpf_message(libbpf_print_level level, const char* format, va_list arguments) {
  if (libbpf_messages == nullptr) return level == LIBBPF_DEBUG ? 0 : std::vfprintf(stderr, format, arguments);
  std::array<char, 256> text;
  const int length = std::vsnprintf(text.data(), text.size(), format, arguments);
  libbpf_messages->append(text.data());
  return length;
}

/// btf__new_split(), which libbpf's header declares and its 1.1 library lacks: through a file in memory.
btf* new_split(std::span<const std::byte> bytes, btf* base) {
  const auto file = make_memory_file("btf", bytes);
  return file ? btf__parse_raw_split(path_of(file->get()).c_str(), base) : nullptr;
}

/// Parsing with what libbpf prints on the way, which says where the table is damaged, caught in `messages`.
btf* parse_with_messages(std::span<const std::byte> bytes, btf* base, std::string& messages) {
  static std::once_flag once;
  std::call_once(once, [] { libbpf_set_print(print_libbpf_message); });
  libbpf_messages = &messages;
  btf* handle = base != nullptr ? new_split(bytes, base)
                                : btf__new(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
  libbpf_messages = nullptr;
  while (messages.ends_with('\n')) messages.pop_back();
  return handle;
}

bool is_any_enum(const btf_type* type) {
  return btf_is_enum(type) || btf_is_enum64(type);
}

}  // namespace

void Btf::Free::operator()(btf* handle) const {
  btf__free(handle);
}
Btf::Btf(Btf&&) noexcept = default;
Btf& Btf::operator=(Btf&&) noexcept = default;
Btf::~Btf() = default;

Result<Btf> Btf::parse(std::span<const std::byte> bytes, std::shared_ptr<const Btf> base) {
  KTSTR_TRY(check_header(bytes, base != nullptr));
  std::string messages;
  btf* handle = parse_with_messages(bytes, base ? base->handle_.get() : nullptr, messages);
  if (handle == nullptr) return corrupt_btf(messages.empty() ? std::strerror(errno) : messages);
  Btf parsed(handle, std::move(base));
  parsed.build_index();
  return parsed;
}

Result<Btf> Btf::load(const std::filesystem::path& file) {
  const auto content = KTSTR_TRY(read_file(file, kMaxBytes));
  if (content.truncated)
    return corrupted(fmt::format("{}: more than {} bytes are no .BTF section", file.string(), kMaxBytes));
  return KTSTR_TRY(parse(std::as_bytes(std::span(content.text))), file.string());
}

void Btf::build_index() {
  for (std::uint32_t id = base_ ? base_->type_count() : 1; id < type_count(); ++id) {
    const btf_type* entry = type(BtfTypeId{id});
    const auto add = [&](auto& index) {
      if (const auto name = name_at(entry->name_off); !name.empty()) index.try_emplace(name, BtfTypeId{id});
    };
    if (btf_is_composite(entry)) add(structs_);
    if (btf_is_typedef(entry)) add(typedefs_);
    if (!is_any_enum(entry)) continue;
    add(named_enums_);
    enums_.push_back(BtfTypeId{id});
  }
}

}  // namespace ktstr::introspect
