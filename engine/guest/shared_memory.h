// Shared<T>: one zeroed T in memory that processes forked later share.
#pragma once

#include <sys/mman.h>

#include <new>
#include <type_traits>
#include <utility>

#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// Move-only owner of the mapping; pages that nobody touches cost nothing. A child's copy is its own to
/// unmap.
template <class T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  [[nodiscard]] static Result<Shared> create() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return system_error("map shared memory");
    return Shared(static_cast<T*>(memory));
  }
  Shared(Shared&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Shared& operator=(Shared&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Shared() {
    if (object_) ::munmap(object_, sizeof(T));
  }

  [[nodiscard]] T& operator*() const { return *object_; }
  [[nodiscard]] T* operator->() const { return object_; }

 private:
  explicit Shared(T* object) : object_(object) {}
  T* object_;
};

}  // namespace ktstr::engine::guest
