#include "engine/run/agent_words.h"

#include <doctest/doctest.h>

using ktstr::engine::agents_last_words;

TEST_CASE("the agent's last words are its last complaint") {
  CHECK(agents_last_words(
            "[ 1.0] PCI: x\r\nktstr-agent: first\r\nktstr-agent: no channel device\r\n[ 9.0] reboot\n") ==
        "no channel device");
  CHECK(agents_last_words("ktstr-agent: cut") == "cut");
}

TEST_CASE("a kernel that quotes the agent is not the agent") {
  CHECK_FALSE(agents_last_words("[ 1.0] ktstr-agent: fake\nsome ktstr-agent: fake\n"));
  CHECK_FALSE(agents_last_words(""));
}
