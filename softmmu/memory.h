/* SPDX-License-Identifier: MIT */
/*
 * Address spaces: system memory and port I/O as trees of regions.
 *
 * A MemRegion is RAM, ROM, MMIO (callbacks), an alias of part of another region, or a container.
 * A region is placed inside a container at an offset with a priority; where regions overlap the
 * higher priority wins, and among equals the later one. An AddressSpace flattens a root
 * region into a sorted list of FlatRange, recomputed at each change (or once for several changes
 * between memory_begin() and memory_commit()). Holes read all-ones and are logged under
 * -d guest_errors; so are writes to them, which are dropped.
 *
 * Regions are owned by whoever embeds them (a device, the board) and must outlive their placement.
 * All functions are called on the machine thread under the machine lock.
 */
#ifndef SOFTMMU_MEMORY_H
#define SOFTMMU_MEMORY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AddressSpace AddressSpace;
typedef struct MemRegion MemRegion;

typedef struct RamSet RamSet;

/* Host memory behind RAM and ROM regions. Several regions may show parts of one block. */
typedef struct RamBlock {
    RamSet *set;
    char *name;
    char *place;         /* of the device that it belongs to on its bus, or NULL */
    uint8_t *host;       /* page aligned; @size bytes, zeroed */
    uint64_t size;       /* bytes, a multiple of 4096 */
    uint64_t ram_offset; /* start of this block in the machine's single numbering of RAM */
    bool backed;         /* by more than memory of this process */
} RamBlock;

/* What a part of a block is made of, where it is not memory of this process alone. */
typedef struct RamBacking {
    char *path;  /* a file, made if there is none; a directory: a file there without a name; NULL */
    bool memfd;  /* … one that is nowhere but in memory */
    bool share;  /* others who have it open see what is written */
    bool sealed; /* memfd: it has this size for good */
    bool prealloc; /* the host is to have it ready */
    bool merge;    /* it may keep equal pages once */
    bool dump;     /* part of its dump of this process, should there be one */
} RamBacking;

typedef struct MemOps {
    /* @addr is relative to the region; @size is 1, 2, 4 or 8 within the limits below. */
    uint64_t (*read)(void *opaque, uint64_t addr, unsigned size);
    void (*write)(void *opaque, uint64_t addr, uint64_t value, unsigned size);
    /* Sizes the callbacks understand (0: 1 and 4). Wider guest accesses are split, narrower ones
     * are widened for reads (and a narrow write is passed on with its own size). */
    uint8_t min_size, max_size;
} MemOps;

/* A stretch of a region that has a name of its own: for `info mtree`, which shows what is where. */
typedef struct MemPart {
    uint32_t start, size; /* in the region; size 0 ends a list */
    const char *name;
    int priority; /* above the region's: it lies in front of other parts */
} MemPart;

typedef enum MemKind { MEM_CONTAINER, MEM_RAM, MEM_ROM, MEM_IO, MEM_ALIAS } MemKind;

struct MemRegion {
    const char *name; /* as `info mtree` shows it; not owned */
    MemKind kind;
    bool enabled;
    uint64_t size;
    const MemOps *ops; /* MEM_IO; MEM_ROM: hears of writes, NULL: they are dropped */
    void *opaque;
    RamBlock *ram;      /* MEM_RAM, MEM_ROM */
    uint64_t ram_start; /* offset of this region in @ram */
    MemRegion *target;  /* MEM_ALIAS */
    uint64_t target_start;
    bool is_solid; /* where the target has nothing, nothing shows, not what is behind the alias */
    const MemPart *parts; /* by start; NULL: it is one thing */
    bool is_around;       /* … and is shown around them: else they are shown in its place */
    /* placement */
    MemRegion *parent;
    uint64_t addr;
    int priority;
    unsigned tie;        /* among equal priorities the greater wins, then the later */
    GPtrArray *children; /* borrowed, in order of placement */
    /* who can see this region: kept by memory.c */
    GPtrArray *aliases; /* alias regions whose target it is */
    GPtrArray *spaces;  /* address spaces rooted at it */
};

/* A piece of the flattened address space. Never an alias or a container. */
typedef struct FlatRange {
    uint64_t start, size; /* in the address space */
    MemRegion *region;
    uint64_t region_start; /* offset of @start in @region */
} FlatRange;

typedef struct MemListener MemListener;
struct MemListener {
    /* The flat view changed: forget every translation of an address to a range or host pointer. */
    void (*changed)(MemListener *l);
    /* RAM or ROM contents [@ram_offset, +@len) were written other than by a vCPU's own store
     * (DMA, firmware loading): translated code there is stale. */
    void (*ram_written)(MemListener *l, uint64_t ram_offset, uint64_t len);
};

/* Somebody who wants to see accesses: of whatever to devices, of devices to RAM. */
typedef struct MemWatch {
    void (*io)(void *opaque, const FlatRange *range, uint64_t addr, uint64_t value, unsigned size,
               bool write); /* read: after it; write: before */
    void (*dma)(void *opaque, uint64_t addr, uint64_t len, bool write); /* may be NULL */
    void *opaque;
} MemWatch;

/* RAM blocks. Numbered and found by the set they belong to; a machine has one. */
RamSet *ram_set_new(void);
void ram_set_free(RamSet *set); /* frees its blocks */
/* @size is rounded up to 4096. Returns NULL with @error when the host cannot give that much. */
RamBlock *ram_block_new(RamSet *set, const char *name, uint64_t size, GError **error);
/* Makes bytes [@at, @at + @size) of a block that nobody has used yet of something else. What a file
 * holds is what the guest finds there. */
bool ram_block_back(RamBlock *block, uint64_t at, uint64_t size, const RamBacking *backing,
                    GError **error);
/* A descriptor of such a file or memfd of @size bytes, which is made if need be; -1 with @error. */
int ram_backing_open(const RamBacking *backing, uint64_t size, GError **error);
/* The blocks in order of ram_offset, and the end of the numbering. */
const GPtrArray *ram_set_blocks(const RamSet *set);
uint64_t ram_set_end(const RamSet *set);
bool ram_page_is_zero(const uint8_t *page); /* 4096 bytes, aligned */
/* A byte for each page of 4096 in that numbering, that whoever writes to the page makes 1 (accesses
 * below do) and who keeps versions of pages (ram-history.h) makes 0. Moves when a block is
 * added. */
uint8_t *ram_set_written(const RamSet *set);
/* To be said after bytes [@at, +@len) of @block->host were written directly. */
void ram_block_written(const RamBlock *block, uint64_t at, uint64_t len);
/* The same, and code that was translated from there is stale. */
void ram_block_changed(const RamBlock *block, uint64_t at, uint64_t len);
/* The host may have the memory of those zeros back, where it has pages of that size or less. */
void ram_give_back(void *zeros, size_t len);

/* Regions. The struct is the caller's; *_init fills it in, disabled pieces stay invisible. */
void memory_init_container(MemRegion *r, const char *name, uint64_t size);
void memory_init_ram(MemRegion *r, const char *name, RamBlock *ram, uint64_t start, uint64_t size);
void memory_init_rom(MemRegion *r, const char *name, RamBlock *ram, uint64_t start, uint64_t size);
void memory_init_io(MemRegion *r, const char *name, const MemOps *ops, void *opaque, uint64_t size);
/* The whole of @ram as flash: in its ROM state reads come from there and writes go to @ops, else
 * both go to @ops. */
void memory_init_romd(MemRegion *r, const char *name, RamBlock *ram, const MemOps *ops,
                      void *opaque);
void memory_set_romd(MemRegion *r, bool rom);
void memory_init_alias(MemRegion *r, const char *name, MemRegion *target, uint64_t start,
                       uint64_t size);
/* How it is shown. @parts: static. */
void memory_set_parts(MemRegion *r, const MemPart *parts, bool is_around);
void memory_destroy(MemRegion *r); /* after removal; frees what *_init allocated */

void memory_add(MemRegion *parent, uint64_t addr, int priority, MemRegion *r);
/* Where a guest may lay things over each other who wins is not to depend on when it did. */
void memory_add_tied(MemRegion *parent, uint64_t addr, int priority, unsigned tie, MemRegion *r);
void memory_remove(MemRegion *r);
void memory_set_enabled(MemRegion *r, bool enabled);
void memory_set_address(MemRegion *r, uint64_t addr);
void memory_set_readonly(MemRegion *r, bool readonly); /* RAM <-> ROM, for PAM-like registers */
void memory_set_alias_start(MemRegion *r, uint64_t start);

/* Address spaces. @size_bits: 16 for ports, 52 for memory. */
AddressSpace *address_space_new(const char *name, MemRegion *root, RamSet *ram);
void address_space_free(AddressSpace *as);
void memory_begin(AddressSpace *as);
void memory_commit(AddressSpace *as);
void address_space_add_listener(AddressSpace *as, MemListener *l); /* borrowed */
void address_space_watch(AddressSpace *as, const MemWatch *w);     /* borrowed; NULL: nobody */
void address_space_remove_listener(AddressSpace *as, MemListener *l);

/* The range that holds @addr, or NULL for a hole. Valid until the next change. O(log n). */
const FlatRange *address_space_find(AddressSpace *as, uint64_t addr);
const FlatRange *address_space_ranges(AddressSpace *as, size_t *count);

/* Is nothing at all there, and does nobody want to know who looks? It reads as ones. */
bool address_space_is_empty(AddressSpace *as, uint64_t addr, uint64_t len);

/* One access of 1, 2, 4 or 8 bytes, little-endian, as the CPU makes it (MMIO sees it whole).
 * It may span ranges; each part then goes where it belongs. */
uint64_t address_space_read(AddressSpace *as, uint64_t addr, unsigned size);
void address_space_write(AddressSpace *as, uint64_t addr, uint64_t value, unsigned size);
/* Bulk access (DMA, loaders). ROM is written only by address_space_write_rom(). */
void address_space_read_bytes(AddressSpace *as, uint64_t addr, void *buf, uint64_t len);
void address_space_write_bytes(AddressSpace *as, uint64_t addr, const void *buf, uint64_t len);
void address_space_write_rom(AddressSpace *as, uint64_t addr, const void *buf, uint64_t len);
/* Host pointer to [@addr, +@len) if that is all one RAM (or, for reading, ROM) range, else NULL.
 * After writing through it call address_space_written(). */
void *address_space_map(AddressSpace *as, uint64_t addr, uint64_t len, bool write);
void address_space_written(AddressSpace *as, uint64_t addr, uint64_t len);
/* Nobody needs what is there: it reads as zeros from now on, and the host may have its pages back.
 * Where there is no RAM nothing happens. */
void address_space_drop(AddressSpace *as, uint64_t addr, uint64_t len);

/* `info mtree`: what it tells, and what it has told. */
typedef struct MemPrint {
    GString *out;
    bool disabled;    /* with regions that are there but do not show */
    GPtrArray *named; /* of regions and RAM that aliases show parts of; NULL before the first */
    GPtrArray *blocks;
} MemPrint;

/* The tree of regions. @names: of all who see memory so, NULL-terminated; NULL: its own. */
void address_space_print(AddressSpace *as, const char *const *names, MemPrint *p);
/* What aliases in those trees show parts of. Frees what @p has of its own. */
void memory_print_named(MemPrint *p);
/* `info mtree -f`: the flat view, below the line with its number. */
void address_space_print_flat(AddressSpace *as, const char *const *names, GString *out);

#endif
