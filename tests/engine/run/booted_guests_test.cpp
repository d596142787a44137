// Which guests are kept, for how long, and for whom. No machine is needed for that.
#include "engine/run/booted_guests.h"

#include <doctest/doctest.h>

using namespace ktstr;
using namespace ktstr::engine;

namespace {

/// Counts itself while it lives.
class FakeSnapshot final : public vmm::MachineSnapshot {
 public:
  explicit FakeSnapshot(int& alive) : alive_(alive) { ++alive_; }
  ~FakeSnapshot() override { --alive_; }
  Result<std::unique_ptr<vmm::Machine>> fork(const std::filesystem::path&) const override {
    return Error{ErrorCode::kUnavailable, "a fake"};
  }

 private:
  int& alive_;
};

BootKey key(const std::string& argument) {
  BootKey key;
  key.kernel_args = {argument};
  return key;
}

/// Snapshots that exist are counted in `alive`.
struct Kept {
  int alive = 0;
  BootedGuests guests;

  explicit Kept(const std::vector<BootKey>& planned, std::size_t most = BootedGuests::kMostSnapshots)
      : guests(planned, most) {}
  ~Kept() = default;

  void add(const BootKey& key) {
    guests.add(key, {std::make_unique<FakeSnapshot>(alive), key.kernel_args[0]});
  }
  /// A run that boots and keeps its guest when it is wanted; "forked" or "booted".
  std::string run(const BootKey& key) {
    const auto guest = guests.begin_run(key);
    if (!guest && guests.wants(key)) add(key);
    return guest ? "forked" : "booted";
  }
};

}  // namespace

TEST_CASE("a single run keeps nothing, and so do runs that boot differently") {
  Kept kept({key("a"), key("b")});
  CHECK(kept.run(key("a")) == "booted");
  CHECK(kept.run(key("b")) == "booted");
  CHECK(kept.alive == 0);
}

TEST_CASE("the first of three runs alike is kept for the others, and no longer") {
  Kept kept({key("a"), key("a"), key("a")});
  CHECK(kept.run(key("a")) == "booted");
  CHECK(kept.alive == 1);
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.alive == 1);
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.alive == 0);
}

TEST_CASE("a guest that is given lives as long as it is held") {
  Kept kept({key("a"), key("a")});
  kept.run(key("a"));
  auto guest = kept.guests.begin_run(key("a"));
  CHECK(guest->kernel_release == "a");
  CHECK(kept.guests.size() == 0);
  CHECK(kept.alive == 1);
  guest.reset();
  CHECK(kept.alive == 0);
}

TEST_CASE("a run that was not planned boots, and nothing is kept of it") {
  Kept kept({key("a"), key("a")});
  CHECK(kept.run(key("other")) == "booted");
  kept.add(key("other"));
  CHECK(kept.alive == 0);
  CHECK(kept.guests.size() == 0);
}

TEST_CASE("of too many guests the one whose last use is longest ago goes, and is booted again") {
  const std::vector<BootKey> round = {key("a"), key("b"), key("c")};
  auto planned = round;
  for (int i = 0; i < 3; ++i) planned.insert(planned.end(), round.begin(), round.end());
  Kept kept(planned, 2);
  CHECK(kept.run(key("a")) == "booted");
  CHECK(kept.run(key("b")) == "booted");
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.run(key("c")) == "booted");
  CHECK(kept.alive == 2);
  CHECK(kept.run(key("a")) == "forked");
  CHECK(kept.run(key("c")) == "forked");
  CHECK(kept.run(key("b")) == "booted");
  CHECK(kept.run(key("a")) == "booted");
}

TEST_CASE("a guest that is of no use is forgotten, and another one wanted while runs are to come") {
  Kept kept({key("a"), key("a"), key("a")});
  kept.run(key("a"));
  CHECK_FALSE(kept.guests.wants(key("a")));
  CHECK(kept.run(key("a")) == "forked");
  kept.guests.discard(key("a"));
  CHECK(kept.alive == 0);
  CHECK(kept.guests.wants(key("a")));
  CHECK(kept.run(key("a")) == "booted");
  CHECK_FALSE(kept.guests.wants(key("a")));
  kept.guests.discard(key("other"));
}
