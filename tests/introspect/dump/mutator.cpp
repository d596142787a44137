#include "tests/introspect/dump/mutator.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "introspect/translator.h"

namespace ktstr::introspect::test {

Mutator::Mutator(const Kernel& kernel, std::span<const GuestPhys> pages, std::uint64_t seed)
    : kernel_(kernel), random_(seed) {
  for (const GuestPhys page : pages) {
    const auto words = kernel.translator().memory().read_value<Words>(page).value();
    std::ranges::copy_if(words, std::back_inserter(pointers_), [&](auto word) { return is_pointer(word); });
  }
}

bool Mutator::is_pointer(std::uint64_t word) const {
  return word != 0 && ~word != 0 && kernel_.plausible_pointer(KernelVirt(word));
}

void Mutator::damage(DamagedMemory& memory, GuestPhys page, Damage kind) {
  auto words = memory.read_value<Words>(page).value();
  if (kind == Damage::kNoise)
    words = noise();
  else if (kind == Damage::kFlippedBit)
    words[below(words.size())] ^= std::uint64_t{1} << below(64);
  else
    replace_pointers(words);
  memory.replace_page(page, std::bit_cast<DamagedMemory::Page>(words));
}

Mutator::Words Mutator::noise() {
  Words words;
  for (auto& word : words) word = random_();
  return words;
}

void Mutator::replace_pointers(Words& words) {
  constexpr std::size_t kMost = 8;
  std::vector<std::uint64_t*> places;
  for (auto& word : words)
    if (is_pointer(word)) places.push_back(&word);
  if (places.empty()) places.push_back(&words[below(words.size())]);
  for (std::size_t i = 0; i < std::min(kMost, places.size()); ++i)
    *places[below(places.size())] = pointers_[below(pointers_.size())];
}

}  // namespace ktstr::introspect::test
