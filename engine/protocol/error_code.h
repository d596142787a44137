// ErrorCode by name, so that an error keeps its kind on its way over the channel.
#pragma once

#include "engine/base/describe.h"
#include "engine/base/result.h"

namespace ktstr {

template <>
inline constexpr auto describe<ErrorCode> =
    enumeration<ErrorCode>("error code", {{"invalid argument", ErrorCode::kInvalidArgument},
                                          {"not found", ErrorCode::kNotFound},
                                          {"unavailable", ErrorCode::kUnavailable},
                                          {"corrupt", ErrorCode::kCorrupt},
                                          {"out of range", ErrorCode::kOutOfRange},
                                          {"io", ErrorCode::kIo},
                                          {"timeout", ErrorCode::kTimeout},
                                          {"cancelled", ErrorCode::kCancelled},
                                          {"guest failed", ErrorCode::kGuestFailed},
                                          {"emulator failed", ErrorCode::kEmulatorFailed}});

}  // namespace ktstr
