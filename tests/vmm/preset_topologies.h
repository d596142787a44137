// The preset topologies of scenarios, for tests that must hold for each.
#pragma once

#include <array>

namespace ktstr::test {

inline constexpr std::array kPresetTopologies = {
    "1n1l4c1t",  "1n2l2c1t",   "1n3l3c1t",   "1n5l3c1t",  "1n7l2c1t",  "1n2l2c2t",  "1n3l2c2t", "1n4l4c2t",
    "1n8l4c2t",  "1n4l16c2t",  "1n8l8c2t",   "1n15l8c2t", "1n14l9c2t", "1n4l8c1t",  "1n8l8c1t", "1n4l32c1t",
    "1n8l16c1t", "1n15l16c1t", "1n14l18c1t", "2n4l4c1t",  "2n8l8c2t",  "2n8l16c1t", "4n8l4c1t", "4n12l8c2t"};

}  // namespace ktstr::test
