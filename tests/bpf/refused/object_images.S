/* The objects as they are built. */
.section .rodata
.balign 16
.global unchecked_object, unchecked_object_end, endless_object, endless_object_end
unchecked_object:
.incbin UNCHECKED_OBJECT
unchecked_object_end:
.balign 16
endless_object:
.incbin ENDLESS_OBJECT
endless_object_end:
.section .note.GNU-stack,"",@progbits
