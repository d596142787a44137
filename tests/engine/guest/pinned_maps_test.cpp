#include "engine/guest/pinned_maps.h"

#include <doctest/doctest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "tests/skip.h"

using namespace ktstr;
using ktstr::engine::guest::PinnedMaps;

namespace {

int bpf(int command, bpf_attr& attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

Fd make_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 8;
  attributes.max_entries = 1;
  return Fd(bpf(BPF_MAP_CREATE, attributes));
}

std::uint32_t id_of(const Fd& map) {
  bpf_map_info info{};
  bpf_attr attributes{};
  attributes.info.bpf_fd = static_cast<std::uint32_t>(map.get());
  attributes.info.info_len = sizeof(info);
  attributes.info.info = reinterpret_cast<std::uintptr_t>(&info);
  return bpf(BPF_OBJ_GET_INFO_BY_FD, attributes) == 0 ? info.id : 0;
}

bool exists(std::uint32_t id) {
  bpf_attr attributes{};
  attributes.map_id = id;
  return static_cast<bool>(Fd(bpf(BPF_MAP_GET_FD_BY_ID, attributes)));
}

/// What the kernel says of each of our descriptors that holds the map.
std::vector<std::string> holders(std::uint32_t id) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream file(entry.path());
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find("map_id:\t" + std::to_string(id) + "\n") != std::string::npos)
      found.push_back(std::move(text));
  }
  return found;
}

}  // namespace

TEST_CASE("a pinned map outlives its maker, and its pin by no more than that") {
  auto map = make_map();
  if (!map) SKIP_TEST("BPF maps can't be made here");
  const auto id = id_of(map);
  std::optional<PinnedMaps> pins(std::in_place);
  REQUIRE(pins->pin(id));
  REQUIRE(pins->pin(id));
  map.reset();
  CHECK(exists(id));
  REQUIRE(holders(id).size() == 1);
  CHECK(holders(id)[0].find("flags:\t02000002\n") != std::string::npos);  // O_RDWR | O_CLOEXEC
  pins.reset();
  CHECK_FALSE(exists(id));
}

TEST_CASE("a map that is not there can't be pinned") {
  if (!make_map()) SKIP_TEST("BPF maps can't be made here");
  PinnedMaps pins;
  const auto status = pins.pin(0xffff'fff0);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::kNotFound);
  CHECK(status.error().message == "open the BPF map with id 4294967280: No such file or directory");
}
