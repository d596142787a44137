// kernel-types: prints the path of the default kernel's BTF, for the build of BPF objects.
#include <cstdio>

#include "engine/kernels/kernel_store.h"

namespace {

ktstr::Status print_btf_path() {
  const auto store = KTSTR_TRY(ktstr::engine::KernelStore::open());
  const auto kernel = KTSTR_TRY(store.resolve(std::nullopt));
  std::printf("%s\n", kernel.btf.c_str());
  return ktstr::ok();
}

}  // namespace

int main() {
  const auto printed = print_btf_path();
  if (printed) return 0;
  std::fprintf(stderr, "BPF objects are built with a cached kernel's types: %s\n",
               printed.error().message.c_str());
  return 1;
}
