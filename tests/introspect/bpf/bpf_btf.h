// The BPF structures of a synthetic kernel: the members that are read, in an order of our own.
#pragma once

#include <cstddef>
#include <vector>

namespace ktstr::introspect::test {

[[nodiscard]] std::vector<std::byte> bpf_kernel_btf();

}  // namespace ktstr::introspect::test
