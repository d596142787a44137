// Guest-physical places of what our PVH entry (pvh_entry.S) works on; also for the assembler.
#pragma once

// The entry is loaded at 1 MiB: RAM on every PC, below any kernel, and free again once the kernel runs on its
// own tables.
#define KTSTR_PVH_ENTRY 0x100000
#define KTSTR_PVH_BOOT_PARAMS 0x101000  // struct boot_params, one page
#define KTSTR_PVH_PML4 0x102000  // identity map of the first 4 GiB: PML4, PDPT and four page directories
#define KTSTR_PVH_END 0x108000
