// AML: the few terms of the ACPI Machine Language that our DSDT is made of, each as its bytes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "vmm/kvm/acpi/table.h"

namespace ktstr::vmm::kvm::aml {

/// A constant in its shortest encoding (ACPI 6.5, 20.2.3).
[[nodiscard]] Bytes integer(std::uint64_t value);

/// A NUL-terminated ASCII string.
[[nodiscard]] Bytes string(std::string_view text);

/// A device id such as "PNP0A03", three capitals and four hexadecimal digits, packed into an integer
/// (ACPI 6.5, 19.6.38).
[[nodiscard]] Bytes eisa_id(std::string_view id);

[[nodiscard]] Bytes buffer(const Bytes& content);

/// Precondition: at most 255 elements.
[[nodiscard]] Bytes package(std::initializer_list<Bytes> elements);

/// Gives `value` a name. Here and below, names have one to four characters and belong to the scope around.
[[nodiscard]] Bytes name(std::string_view name, const Bytes& value);

[[nodiscard]] Bytes scope(std::string_view name, std::initializer_list<Bytes> terms);
[[nodiscard]] Bytes device(std::string_view name, std::initializer_list<Bytes> terms);

/// A length that counts its own bytes and the `bytes` that follow it (ACPI 6.5, 20.2.4). Precondition: below
/// 2^28 in all.
[[nodiscard]] Bytes package_length(std::size_t bytes);

}  // namespace ktstr::vmm::kvm::aml
