#include "introspect/ctprof/compare/renames.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <span>

namespace ktstr::introspect::ctprof {
namespace {

constexpr double kAlikeEnough = 0.6;
constexpr std::size_t kMostNames = 1000;
constexpr std::size_t kMostCharacters = 256;  ///< paths of cgroups can be long, and the work is their product

/// The length of the longest common subsequence.
std::size_t common_length(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (const char c : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto above = row[j + 1];
      row[j + 1] = c == b[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80;
}

/// Runs of letters.
std::vector<std::string_view> words_of(std::string_view name) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < name.size();) {
    std::size_t end = i;
    while (end < name.size() && is_letter(name[end])) ++end;
    if (end > i) words.push_back(name.substr(i, end - i));
    i = std::max(end, i + 1);
  }
  return words;
}

std::size_t letters_in(std::span<const std::string_view> words) {
  std::size_t letters = 0;
  for (const auto word : words) letters += word.size();
  return letters;
}

/// Letters of the words with which both begin or end.
std::size_t common_letters(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  const auto shorter = std::min(a.size(), b.size());
  std::size_t first = 0, last = 0;
  while (first < shorter && a[first] == b[first]) ++first;
  while (last < shorter - first && a[a.size() - 1 - last] == b[b.size() - 1 - last]) ++last;
  return letters_in(std::span(a).first(first)) + letters_in(std::span(a).last(last));
}

bool are_variants(const std::string& a, const std::string& b) {
  constexpr std::size_t kFewestLetters = 4;
  return common_letters(words_of(a), words_of(b)) >= kFewestLetters && common_words(a, b) >= kAlikeEnough;
}

}  // namespace

double common_words(std::string_view a, std::string_view b) {
  const auto words_a = words_of(a), words_b = words_of(b);
  const auto letters = std::max(letters_in(words_a), letters_in(words_b));
  if (letters == 0) return 0;
  return static_cast<double>(common_letters(words_a, words_b)) / static_cast<double>(letters);
}

double similarity(std::string_view a, std::string_view b) {
  a = a.substr(0, kMostCharacters);
  b = b.substr(0, kMostCharacters);
  if (a.empty() && b.empty()) return 1;
  return 2.0 * static_cast<double>(common_length(a, b)) / static_cast<double>(a.size() + b.size());
}

std::vector<Rename> find_renames(const std::vector<std::string>& only_before,
                                 const std::vector<std::string>& only_after) {
  std::vector<Rename> candidates;
  std::map<std::string_view, int> partners;
  for (std::size_t i = 0; i < std::min(only_before.size(), kMostNames); ++i)
    for (std::size_t j = 0; j < std::min(only_after.size(), kMostNames); ++j) {
      if (!are_variants(only_before[i], only_after[j])) continue;
      const double score = similarity(only_before[i], only_after[j]);
      if (score < kAlikeEnough) continue;
      candidates.push_back({only_before[i], only_after[j], score});
      ++partners[only_before[i]], ++partners[only_after[j]];
    }
  std::erase_if(candidates,
                [&](const Rename& pair) { return partners[pair.before] > 1 || partners[pair.after] > 1; });
  return candidates;
}

}  // namespace ktstr::introspect::ctprof
