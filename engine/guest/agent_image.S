// The agent's bytes between two symbols.
  .section .rodata
  .balign 16
  .global ktstr_agent_begin
ktstr_agent_begin:
  .incbin KTSTR_AGENT
  .global ktstr_agent_end
ktstr_agent_end:
  .byte 0
  .section .note.GNU-stack, "", %progbits
