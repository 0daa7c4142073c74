/* SPDX-License-Identifier: MIT */
/* What the writer and the reader of recordings agree on. All numbers are little-endian. */
#ifndef SOFTMMU_RECORDING_FORMAT_H
#define SOFTMMU_RECORDING_FORMAT_H

#include <stdint.h>

/* With the version, of the format and of what is the same in each run: version 2 counts time for
 * accesses to devices and knows REPs by their turns; in version 3 a CPU that lets interrupts in
 * keeps its turn; in version 4 the only CPU's timers wait for a transfer of control. */
#define RECORD_VERSION   4
#define RECORD_MAGIC     "mimusrec\4\0\0\0\0\0\0\0"
#define RECORD_MAGIC_LEN 16

typedef enum FrameType {
    FRAME_CONFIG = 1, /* strings: product version, arguments */
    FRAME_FILE,       /* string: name; a byte: is this the last part? its bytes */
    FRAME_CHANNELS,   /* strings; between those of the stream: all again, and more */
    FRAME_STREAM,     /* items */
    FRAME_BOARD,      /* strings, device_tree_shape(): after the files; older ones have none */
} FrameType;

/* u32 type, u32 bytes, u32 bytes as stored (fewer: zstd), u32 number of the frame from 0, u64 hash
 * of these and the stored bytes. */
#define FRAME_HEAD      24
#define FRAME_HASHED    16
#define FRAME_MAX_BYTES (16u << 20) /* of payload */

/* An item: a byte RecordKind, then variable-length numbers: how far count, time and turn are from
 * those of the item before in this frame (at first: from 0). Event: channel, length; its bytes.
 * Hash and end: 8 bytes. */

#endif
