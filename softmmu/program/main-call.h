/* SPDX-License-Identifier: MIT */
/* From the machine thread: have the main thread do something, and wait until it has. */
#ifndef SOFTMMU_PROGRAM_MAIN_CALL_H
#define SOFTMMU_PROGRAM_MAIN_CALL_H

/* @func must not wait for the machine thread. On the main thread itself it is called at once. */
void main_call(void (*func)(void *opaque), void *opaque);

#endif
