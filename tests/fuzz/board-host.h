/* SPDX-License-Identifier: MIT */
/*
 * What the host gives a board that is fuzzed: images of disks, networks that remember what they
 * were sent, a character device. It stays as it is while the board is built anew.
 */
#ifndef TESTS_FUZZ_BOARD_HOST_H
#define TESTS_FUZZ_BOARD_HOST_H

#include "softmmu/machine.h"
#include "softmmu/net/net.h"

enum { HOST_NETS = 4, HOST_IMAGES = 7 };

typedef struct HostNet {
    NetBackend backend;
    char *id;
    uint64_t frames, hash; /* of all that were sent */
} HostNet;

typedef struct BoardHost {
    char *images[HOST_IMAGES];
    GPtrArray *drives; /* DriveOption * */
    HostNet nets[HOST_NETS];
    Chardev *port;
    GByteArray *port_out;
} BoardHost;

/* Files are made in @dir. */
void board_host_init(BoardHost *h, const char *dir);
void board_host_clear(BoardHost *h);
/* Before each board_create(): what it may have. */
void board_host_offer(BoardHost *h, Machine *m);
void board_host_take_back(BoardHost *h, Machine *m);

/* A frame for card @n, made of @seed. */
void board_host_frame(BoardHost *h, Machine *m, unsigned n, uint64_t seed);
/* The medium of a removable drive comes or goes, by @what; the same for each board. */
void board_host_medium(BoardHost *h, Machine *m, unsigned n, unsigned what);

/* What two of them have seen that is not the same; NULL: nothing. */
const char *board_host_difference(const BoardHost *a, const BoardHost *b);
/* Do disks of two machines read the same? */
bool board_host_same_disks(Machine *a, Machine *b);

#endif
