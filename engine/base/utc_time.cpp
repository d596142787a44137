#include "engine/base/utc_time.h"

#include <time.h>

namespace ktstr {

std::string utc_text(std::chrono::system_clock::time_point time) {
  const time_t seconds = std::chrono::system_clock::to_time_t(time);
  struct tm utc {};
  ::gmtime_r(&seconds, &utc);
  char text[32];
  ::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace ktstr
