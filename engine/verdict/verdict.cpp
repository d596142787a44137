#include "engine/verdict/verdict.h"

#include <algorithm>

namespace ktstr::engine {

Outcome combine(std::initializer_list<Outcome> outcomes) {
  return outcomes.size() == 0 ? Outcome::kSkip : std::min(outcomes);
}

int exit_code(Outcome outcome) {
  switch (outcome) {
    case Outcome::kFail:
      return 1;
    case Outcome::kInconclusive:
      return 2;
    case Outcome::kPass:
    case Outcome::kSkip:
      return 0;
  }
  return 1;
}

}  // namespace ktstr::engine
