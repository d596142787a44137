#include "introspect/render/scalars.h"
#include "engine/base/printable.h"

#include <bpf/btf.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace ktstr::introspect {

namespace {

template <class T>
T load(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof(value), bytes.size()));
  return value;
}

/// IEEE 754 binary16.
double half_to_double(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const int fraction = half & 1023;
  double magnitude =
      std::ldexp(exponent == 0 ? fraction : fraction + 1024, exponent == 0 ? -24 : exponent - 25);
  if (exponent == 31)
    magnitude =
        fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  return half >> 15 ? -magnitude : magnitude;
}

std::uint64_t width_mask(std::uint32_t width) {
  return width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
}

/// An enumerator's value as it is stored in `width` bits.
std::uint64_t stored_value(const btf_type& type, std::uint32_t index, std::uint32_t width) {
  if (btf_is_enum64(&type)) return btf_enum64_value(btf_enum64(&type) + index) & width_mask(width);
  return static_cast<std::uint64_t>(std::int64_t{btf_enum(&type)[index].val}) & width_mask(width);
}
std::uint32_t enumerator_name(const btf_type& type, std::uint32_t index) {
  return btf_is_enum64(&type) ? btf_enum64(&type)[index].name_off : btf_enum(&type)[index].name_off;
}

/// "A|B" when every bit of `bits` is an enumerator and the enum is one of flags: it goes beyond 3 in single
/// bits and has no 3 of its own, as one that merely counts would.
std::optional<std::string> sum_of_flags(const Btf& btf, const btf_type& type, std::uint64_t bits,
                                        std::uint32_t width) {
  std::string names;
  std::uint64_t named = 0;
  bool beyond_three = false;
  for (std::uint32_t i = 0; i < btf_vlen(&type); ++i) {
    const std::uint64_t flag = stored_value(type, i, width);
    if (flag == 3) return std::nullopt;
    if (!std::has_single_bit(flag)) continue;
    beyond_three = beyond_three || flag > 3;
    if ((bits & flag) == 0 || (named & flag) != 0) continue;
    named |= flag;
    names.append(names.empty() ? "" : "|").append(printable(btf.name_at(enumerator_name(type, i))));
  }
  if (!beyond_three || bits == 0 || named != bits) return std::nullopt;
  return names;
}

}  // namespace

std::optional<std::uint64_t> read_bits(std::span<const std::byte> bytes, std::uint64_t offset,
                                       std::uint32_t width) {
  if (width > 64 || offset > bytes.size() * 8 || width > bytes.size() * 8 - offset) return std::nullopt;
  if (width == 0) return 0;
  const std::size_t first = offset / 8;
  const std::size_t count = (offset % 8 + width + 7) / 8;  // at most 9
  const auto shift = static_cast<unsigned>(offset % 8);
  std::uint64_t value = load<std::uint64_t>(bytes.subspan(first, std::min<std::size_t>(count, 8))) >> shift;
  if (count > 8) value |= std::to_integer<std::uint64_t>(bytes[first + 8]) << (64 - shift);
  return value & width_mask(width);
}

std::int64_t sign_extend(std::uint64_t bits, std::uint32_t width) {
  const unsigned unused = 64 - width;
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

bool is_char_type(const Btf& btf, const btf_type& type) {
  if (!btf_is_int(&type) || type.size != 1 || btf_int_bits(&type) != 8 || btf_int_offset(&type) != 0)
    return false;
  return (btf_int_encoding(&type) & BTF_INT_CHAR) != 0 || btf.name_at(type.name_off) == "char";
}

RenderedValue render_int_bits(const Btf& btf, const btf_type& type, std::uint64_t bits, std::uint32_t width) {
  const auto encoding = btf_int_encoding(&type);
  if ((encoding & BTF_INT_BOOL) != 0 && bits <= 1) return {RenderedBool{bits != 0}};
  if (width == 8 && is_char_type(btf, type)) return {RenderedChar{static_cast<std::uint8_t>(bits)}};
  if ((encoding & BTF_INT_SIGNED) != 0 && width != 0) return {RenderedInt{width, sign_extend(bits, width)}};
  return {RenderedUint{width, bits}};
}

RenderedValue render_wide_int(const btf_type& type, std::span<const std::byte> bytes) {
  if (bytes.size() != 16 || btf_int_bits(&type) != 128) return {RenderedBytes{hex_dump(bytes)}};
  const auto low = load<std::uint64_t>(bytes.first(8));
  const auto high = load<std::uint64_t>(bytes.subspan(8));
  const bool is_signed = (btf_int_encoding(&type) & BTF_INT_SIGNED) != 0;
  if (is_signed && high == (low >> 63 ? ~std::uint64_t{0} : 0))
    return {RenderedInt{128, static_cast<std::int64_t>(low)}};
  if (!is_signed && high == 0) return {RenderedUint{128, low}};
  return {RenderedBytes{hex_dump(bytes)}};
}

RenderedValue render_float(std::span<const std::byte> bytes) {
  const auto bits = static_cast<std::uint32_t>(bytes.size() * 8);
  if (bits == 16) return {RenderedFloat{bits, half_to_double(load<std::uint16_t>(bytes))}};
  if (bits == 32) return {RenderedFloat{bits, load<float>(bytes)}};
  if (bits == 64) return {RenderedFloat{bits, load<double>(bytes)}};
  return {RenderedBytes{hex_dump(bytes)}};
}

RenderedValue render_enum_bits(const Btf& btf, const btf_type& type, std::uint64_t bits,
                               std::uint32_t width) {
  RenderedEnum result;
  result.bits = width;
  result.is_signed = btf_kflag(&type);
  result.value = result.is_signed && width != 0 ? sign_extend(bits, width) : static_cast<std::int64_t>(bits);
  for (std::uint32_t i = 0; i < btf_vlen(&type); ++i) {
    if (stored_value(type, i, width) != bits) continue;
    result.variant = printable(btf.name_at(enumerator_name(type, i)));
    return {std::move(result)};
  }
  if (!result.is_signed) result.variant = sum_of_flags(btf, type, bits, width);
  return {std::move(result)};
}

}  // namespace ktstr::introspect
