// Where the guest agent finds its end of the control channel. Shared by the machine backends and the agent.
#pragma once

#include <array>
#include <string_view>

namespace ktstr::vmm {

/// The channel is a virtio-serial port with this name: the guest's port whose
/// /sys/class/virtio-ports/vport*/name holds it, as /dev/vport*. Both drivers it needs (virtio_pci,
/// virtio_console) are built into distribution kernels.
///
/// Reading returns 0 bytes and polling POLLHUP while no host is connected. The port has no tty line
/// discipline; it can be open only once at a time. A freshly probed kernel may make the node a moment after
/// init starts: try again until it is there.
inline constexpr std::string_view kChannelPortName = "ktstr.agent";

/// Device nodes to try in order where sysfs is not mounted yet: the port is the first and only one of its
/// kind.
inline constexpr std::array<std::string_view, 1> kChannelDevices = {"/dev/vport0p1"};

}  // namespace ktstr::vmm
