/* SPDX-License-Identifier: MIT */
/*
 * enter32(const Regs *): load all registers and IRET into the code under test. Whatever exception
 * or INT ends it is written to trap_frame, and enter32 returns.
 */
#include "layout.h"

    .text
    .code32
    .globl enter32, trap_vectors, trap_return
enter32:
    push %ebx
    push %esi
    push %edi
    push %ebp
    mov 20(%esp), %ebp          /* Regs: see bare.h */
    mov %esp, supervisor_esp
    testl $0x20000, 36(%ebp)
    jnz to_vm86
    testb $3, 40(%ebp)
    jz same_ring
    pushl 44(%ebp)              /* ss */
    pushl 28(%ebp)              /* esp */
    jmp frame
to_vm86:
    pushl 60(%ebp)              /* gs fs ds es */
    pushl 56(%ebp)
    pushl 48(%ebp)
    pushl 52(%ebp)
    pushl 44(%ebp)
    pushl 28(%ebp)
    jmp frame
same_ring:
    mov 28(%ebp), %eax
    mov 44(%ebp), %ss
    mov %eax, %esp
frame:                          /* SS may have a base by now */
    pushl %ds:36(%ebp)          /* eflags */
    pushl %ds:40(%ebp)          /* cs */
    pushl %ds:32(%ebp)          /* eip */
    mov %ds:0(%ebp), %eax
    mov %ds:4(%ebp), %ebx
    mov %ds:8(%ebp), %ecx
    mov %ds:12(%ebp), %edx
    mov %ds:16(%ebp), %esi
    mov %ds:20(%ebp), %edi
    testl $0x20000, %ds:36(%ebp)
    jnz 1f
    mov %ds:52(%ebp), %es
    mov %ds:56(%ebp), %fs
    mov %ds:60(%ebp), %gs
    pushl %ds:24(%ebp)
    mov %ds:48(%ebp), %ds
    pop %ebp
    iret
1:  mov %ds:24(%ebp), %ebp
    iret

trap_common:                    /* the stack: error code, vector pushed by the stub */
    pusha
    push %ds
    push %es
    push %fs
    push %gs
    mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    pushl $2
    popf
    mov %esp, %esi
    mov $trap_frame, %edi
    mov $17, %ecx
    testl $0x20000, %ss:64(%esp)
    jnz 1f
    testb $3, %ss:60(%esp)
    jz 2f
1:  mov $TRAP_DWORDS, %ecx
2:  rep movsl %ss:(%esi), %es:(%edi)
    mov %ss, trap_ss
trap_return:
    mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    xor %eax, %eax
    xchg %eax, supervisor_esp
    test %eax, %eax
    jz bare_panic               /* the supervisor itself */
    mov %eax, %esp
    pushl $2
    popf
    cld
    pop %ebp
    pop %edi
    pop %esi
    pop %ebx
    ret

    .balign 16
trap_vectors:                   /* 256 stubs of 16 bytes */
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    push $0
    .endif
    pushl $vector
    jmp trap_common
    .set vector, vector + 1
    .endr

    .bss
    .globl trap_frame, trap_ss, supervisor_esp
    .balign 4
supervisor_esp: .long 0
trap_ss: .long 0
trap_frame: .skip TRAP_DWORDS * 4

    .section .note.GNU-stack, "", @progbits
