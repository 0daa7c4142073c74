/* SPDX-License-Identifier: MIT */
/*
 * The whole PC board without CPUs, for fuzzing: small RAM, a clock the test moves, disks, networks
 * and character devices that remember, spies where the board meets its CPUs. Several boards live
 * side by side. Time is counted, so that disks answer at the same moment on each.
 */
#ifndef TESTS_FUZZ_BOARD_H
#define TESTS_FUZZ_BOARD_H

#include "hw/pc.h"
#include "tests/fuzz/board-host.h"
#include "tests/hw/fake-cpus.h"

#define BOARD_CPUS     2
#define BOARD_RAM_SIZE (4u << 20)
/* Nobody lives longer: sums of times stay far from overflow. */
#define BOARD_TIME_END (INT64_MAX / 2)

/* Where PCI functions are; cards have networks 0 to 3 in this order. */
enum BoardSlot {
    SLOT_VGA = 2,
    SLOT_E1000,
    SLOT_RTL8139,
    SLOT_NE2K,
    SLOT_VIRTIO_NET,
    SLOT_VIRTIO_BLK,
    SLOT_VIRTIO_RNG,
    SLOT_VIRTIO_SERIAL,
    SLOT_VIRTIO_BALLOON,
    SLOT_VIRTIO_GPU,
    SLOT_EDU,
    SLOT_TESTDEV,
    SLOT_WATCHDOG,
    SLOT_SECOND_VGA,
    SLOT_END
};

typedef struct Board {
    Machine m;
    MachineConfig config;
    BoardHost host;
    Fixture bench; /* only its .frozen: spies look away during round trips */
    FakeCpus cpus;
    int64_t now_ns;
    GByteArray *serial_out[MACHINE_MAX_SERIAL], *debug_out;
} Board;

/* Made-up firmware for every board of this process; removed again by the second call. */
void board_firmware_create(void);
void board_firmware_remove(void);

Board *board_new(const char *vga); /* reset and ready */
void board_free(Board *b);

/* Let @ns pass. On time: every timer at its deadline (the first few thousand of them); else all
 * that are due run at the end, as after a host that slept. False: they never come to rest. */
bool board_advance(Board *b, int64_t ns, bool on_time);

/* Save, reset and load; false: saving again gives something else. */
bool board_round_trip(Board *b);
/* Everything moves to a board built anew. False: it did not arrive as it left. */
bool board_migrate(Board *b);

/* Where two boards differ, for a person to read; NULL when they do not. */
char *board_difference(Board *a, Board *b);
/* The same for memory and disks, which takes longer. */
bool board_same_memory(Board *a, Board *b);

#endif
