/* SPDX-License-Identifier: MIT */
/*
 * What back ends that make host code keep for faults: where the guest instruction is, and how to
 * make the flags record from what registers (as dumped) and memory hold. The fault map behind a
 * block's code holds it packed.
 */
#ifndef TCG_NATIVE_RECORD_H
#define TCG_NATIVE_RECORD_H

#include <glib.h>
#include <string.h>

#include "tcg/flags.h"
#include "tcg/tcg.h"

/* Where something is found at run time: what stubs and fault maps keep. */
enum { SRC_CONST, SRC_REG, SRC_MEM };
typedef struct Src { /* without padding: compared as bytes */
    uint8_t kind;    /* SRC_* */
    int8_t reg;
    uint16_t unused;
    int32_t off; /* MEM */
    uint64_t value;
} Src;

/* What a record is made of. CF, OF: the flag. */
enum { REC_A, REC_B, REC_C, REC_INC, REC_ROT, REC_CF, REC_OF, RECORD_SRCS };

/* A flags record to be: kind 0 means the main part in env stays, and what is on top of it but for
 * what is said here. No kind and no sources: env is right. */
typedef struct Record {
    uint8_t kind, inc_kind, rot_kind;
    uint8_t has; /* 1 << REC_*: these sources; the others are not set, which would take longer */
    Src src[RECORD_SRCS];
} Record;

static inline bool record_is_env(const Record *r)
{
    return !(r->kind | r->has);
}

static inline bool record_has(const Record *r, unsigned n)
{
    return r->has >> n & 1;
}

/* Is there something on top of the main part? */
static inline bool record_has_top(const Record *r)
{
    return r->has >> REC_INC;
}

static inline bool record_equal(const Record *x, const Record *y)
{
    bool equal = !memcmp(x, y, offsetof(Record, has) + sizeof(x->has));

    for (unsigned left = x->has; equal && left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctz(left);
        equal = !memcmp(&x->src[i], &y->src[i], sizeof(Src));
    }
    return equal;
}

typedef struct FaultPoint {
    uint32_t host; /* offset from the start of the block's code */
    uint32_t guest;
    uint16_t index;
    uint16_t record; /* number in FaultNotes.records */
} FaultPoint;

/* Those of the block that is being emitted, in order of host addresses. All 0 at first. */
typedef struct FaultNotes {
    Record *records; /* number 0: env is right */
    FaultPoint *points;
    unsigned nrecords, records_size, npoints, points_size;
} FaultNotes;

void fault_notes_begin(FaultNotes *n); /* a block */
void fault_notes_free(FaultNotes *n);
void fault_notes_grow(FaultNotes *n);

static inline unsigned fault_notes_record(FaultNotes *n, const Record *r) /* its number */
{
    if (record_is_env(r)) {
        return 0;
    }
    if (!record_equal(&n->records[n->nrecords - 1], r)) {
        if (G_UNLIKELY(n->nrecords == n->records_size)) {
            fault_notes_grow(n);
        }
        n->records[n->nrecords++] = *r;
    }
    return n->nrecords - 1;
}

static inline void fault_notes_point(FaultNotes *n, FaultPoint p)
{
    if (G_UNLIKELY(n->npoints == n->points_size)) {
        fault_notes_grow(n);
    }
    n->points[n->npoints++] = p;
}

/* What a register's content, or an offset that the back end uses, is as an offset from env. */
typedef struct FaultPlaces {
    const int32_t *reg_home; /* by register, without bias */
    int32_t bias;            /* to be added to both */
} FaultPlaces;

enum { FAULT_POINT_MAX = 112 }; /* bytes of an entry at most */
static inline size_t fault_map_room(const FaultNotes *n)
{
    return (n->npoints + 1) * (size_t)FAULT_POINT_MAX;
}
/* To @to, where there is room. Its end. */
uint8_t *fault_map_encode(const FaultNotes *n, const FaultPlaces *places, uint8_t *to);
/* @host as points have it. Makes the record at @flags in @env. False: no such point. */
bool fault_map_find(const TcgCode *code, uint64_t host, void *env, int32_t flags, uint32_t *offset,
                    uint32_t *index);
/* The same in two steps: the record, packed, which is there as long as @code is (NULL: no such
 * point), and what it makes. */
const uint8_t *fault_map_record(const TcgCode *code, uint64_t host);
void fault_map_apply(const uint8_t *record, void *env, int32_t flags); /* general registers only */
uint8_t fault_map_kind(const uint8_t *record); /* of the main part; 0: it stays */
bool fault_map_is_env(const uint8_t *record);  /* it changes nothing */

#endif
