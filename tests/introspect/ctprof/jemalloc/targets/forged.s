# The symbol is larger than the block that it lies in.
  .section .tbss,"awT",@nobits
  .globl tsd_tls
  .type tsd_tls, @object
  .size tsd_tls, 0x100000000010
  .align 16
tsd_tls: .zero 64
  .section .note.GNU-stack,"",@progbits
