// The scheduler's BPF object, as the linker's bytes.
  .section .rodata
  .balign 8
  .global scx_ktstr_object_begin, scx_ktstr_object_end
scx_ktstr_object_begin:
  .incbin KTSTR_BPF_OBJECT
scx_ktstr_object_end:
  .section .note.GNU-stack,"",@progbits
