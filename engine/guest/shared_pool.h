// SharedPool<T>: zeroed Ts in one mapping that all processes forked later share.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/result.h"

namespace ktstr::engine::guest {

/// However many objects there are, a fork copies one mapping; pages that nobody touches cost nothing. The
/// pool must outlive what was taken from it. Move-only; a child's copy is its own.
template <class T>
class SharedPool {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  struct GiveBack {
    SharedPool* pool;
    void operator()(T* object) const { pool->give_back(object); }
  };
  /// An object until it is given back.
  using Pointer = std::unique_ptr<T, GiveBack>;

  explicit SharedPool(std::size_t capacity) : capacity_(capacity) {}
  SharedPool(const SharedPool&) = delete;
  SharedPool& operator=(const SharedPool&) = delete;
  ~SharedPool() {
    if (objects_) ::munmap(objects_, capacity_ * sizeof(T));
  }

  /// A zeroed object. Errors: kOutOfRange when the pool is used up, kIo.
  [[nodiscard]] Result<Pointer> take() {
    KTSTR_TRY(map());
    if (!free_.empty()) {
      auto* object = free_.back();
      free_.pop_back();
      return Pointer(object, GiveBack{this});
    }
    if (taken_ == capacity_)
      return Error{ErrorCode::kOutOfRange, std::to_string(capacity_) + " workers are the most at a time"};
    return Pointer(objects_ + taken_++, GiveBack{this});
  }

 private:
  [[nodiscard]] Status map() {
    if (objects_) return ok();
    void* memory = ::mmap(nullptr, capacity_ * sizeof(T), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return system_error("map shared memory");
    objects_ = static_cast<T*>(memory);
    return ok();
  }
  void give_back(T* object) {
    std::memset(static_cast<void*>(object), 0, sizeof(T));
    free_.push_back(object);
  }

  std::size_t capacity_;
  T* objects_ = nullptr;
  std::size_t taken_ = 0;  ///< objects that were ever taken
  std::vector<T*> free_;   ///< those of them that are zeroed again
};

}  // namespace ktstr::engine::guest
