#include "engine/base/result.h"

#include <system_error>

namespace ktstr {

Error system_error(std::string_view what, int error_number) {
  const auto code = error_number == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return Error{code, std::string(what) + ": " + std::generic_category().message(error_number)};
}

}  // namespace ktstr
