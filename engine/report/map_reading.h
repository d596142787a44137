// MapReading: a variable of a BPF map as an op found it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/base/describe.h"
#include "introspect/render/rendered_value_json.h"

namespace ktstr::engine {

struct MapReading {
  std::uint32_t step = 0;
  std::uint64_t elapsed_ns = 0;
  std::string map;
  std::uint32_t map_id = 0;  ///< as bpftool shows it; tells maps of one name apart
  std::string variable;
  std::optional<std::string> name{};
  introspect::RenderedValue value{};

  static consteval auto describe() {
    using T = MapReading;
    return record("a variable of a BPF map at one instant", field<&T::step>("the step that read it, from 1"),
                  field<&T::elapsed_ns>("when it was read, ns since the machine's start"),
                  field<&T::map>("the map as the scenario calls it"),
                  field<&T::map_id>("the kernel's id of the map; tells those of one name apart"),
                  field<&T::variable>("the variable, member or element"),
                  field<&T::name>("what the scenario calls the reading"),
                  field<&T::value>("what it held: a plain value for scripts, tagged with its kind in JSON"));
  }
};

}  // namespace ktstr::engine
