// The committed reference pages and annotations are those that the descriptions make.
#include <doctest/doctest.h>

#include <fstream>

#include "lua/constructors.h"
#include "lua/reference/families.h"
#include "lua/reference/pages.h"

namespace ktstr::lua {

TEST_CASE("the committed reference is what `ktstr docs` writes") {
  for (const auto& page : reference_pages()) {
    std::ifstream stream(std::string(KTSTR_ROOT) + "/" + page.path, std::ios::binary);
    const std::string committed{std::istreambuf_iterator<char>(stream), {}};
    CHECK_MESSAGE(committed == page.text,
                  page.path << " is old: run `ktstr docs .` in the project's directory");
  }
}

TEST_CASE("no parameter of a work type hides one that all work has") {
  const auto common = work_group_doc();
  for (const auto& member : families().front().members)
    for (const auto& field : member.fields)
      for (const auto& shared : common.fields) CHECK_MESSAGE(field.name != shared.name, member.name);
}

TEST_CASE("every constructor is documented, once") {
  std::size_t documented = 3;  // k.scenario, k.step and k.scheduler
  for (const auto& family : families()) documented += family.members.size();
  CHECK(documented == constructors().size());
}

}  // namespace ktstr::lua
