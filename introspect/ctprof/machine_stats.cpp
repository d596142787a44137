#include "introspect/ctprof/machine_stats.h"

namespace ktstr {

ReadStatus CustomReader<introspect::ctprof::Limit>::read(const Value& value, introspect::ctprof::Limit& out,
                                                         const ReadPlace& place, MissingMembers) {
  const auto* text = value.get_if<std::string>();
  if (text && *text == "max") {
    out.value.reset();
    return {};
  }
  std::uint64_t number = 0;
  if (auto error = detail::read_integer(value, number, place)) return error;
  out.value = number;
  return {};
}

}  // namespace ktstr
