/* SPDX-License-Identifier: MIT */
/*
 * The device model: a device is a struct that begins with Device and a const DeviceClass that says
 * how big it is, which registers and state fields it has and what to do at each stage of its life.
 *
 * Life: device_new() -> wiring fields set by the board (clock, irqs, spaces) -> device_realize()
 * -> device_reset() of the whole tree -> use -> device_unrealize() -> device_free().
 *
 * Reset has three phases, each walking the whole tree before the next starts (children first):
 *   enter  forget: set the device's own state to its reset values, touch nobody else;
 *   hold   drive outputs to their reset levels;
 *   exit   let go: start counting, fetch the first instruction.
 * Registers described by .regs are set to their reset values before the enter hook runs.
 *
 * State: .state lists every field that the guest can observe, once. It drives save, load, dump and
 * hash. Pointers, wiring and caches are not state; .post_load rebuilds caches and timers.
 */
#ifndef SOFTMMU_DEVICE_H
#define SOFTMMU_DEVICE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "softmmu/memory.h"

typedef struct Device Device;
typedef struct DeviceClass DeviceClass;

/* ---- State lists ---------------------------------------------------------------------------- */

typedef enum StateType {
    STATE_T_END,
    STATE_T_BOOL,
    STATE_T_U8,
    STATE_T_U16,
    STATE_T_U32,
    STATE_T_U64,    /* also int64_t */
    STATE_T_BYTES,  /* .count bytes, opaque */
    STATE_T_STRUCT, /* .count elements of .elem_size, each described by .sub */
    STATE_T_TIMER,  /* Timer *: its deadline */
} StateType;

typedef struct StateField StateField;
struct StateField {
    const char *name;
    StateType type;
    size_t offset;
    size_t count;     /* array length; 1 for a plain field */
    size_t elem_size; /* bytes per element */
    const StateField *sub;
    uint16_t since; /* version of the list that introduced the field */
};

#define STATE_FIELD_(T, f, type_, n)                                         \
    {                                                                        \
        .name = #f, .type = (type_), .offset = offsetof(T, f), .count = (n), \
        .elem_size = sizeof(((T *)0)->f) / (n)                               \
    }
#define STATE_BOOL(T, f) STATE_FIELD_(T, f, STATE_T_BOOL, 1)
#define STATE_U8(T, f)   STATE_FIELD_(T, f, STATE_T_U8, 1)
#define STATE_U16(T, f)  STATE_FIELD_(T, f, STATE_T_U16, 1)
#define STATE_U32(T, f)  STATE_FIELD_(T, f, STATE_T_U32, 1)
#define STATE_U64(T, f)  STATE_FIELD_(T, f, STATE_T_U64, 1)
/* Of version @n of the list and later ones. */
#define STATE_SINCE_(T, f, type_, n)                                       \
    {                                                                      \
        .name = #f, .type = (type_), .offset = offsetof(T, f), .count = 1, \
        .elem_size = sizeof(((T *)0)->f), .since = (n)                     \
    }
#define STATE_BOOL_SINCE(T, f, n) STATE_SINCE_(T, f, STATE_T_BOOL, n)
#define STATE_U16_SINCE(T, f, n)  STATE_SINCE_(T, f, STATE_T_U16, n)
#define STATE_TIMER(T, f)         STATE_FIELD_(T, f, STATE_T_TIMER, 1)
#define STATE_ARRAY(T, f, type_) \
    STATE_FIELD_(T, f, type_, sizeof(((T *)0)->f) / sizeof(((T *)0)->f[0]))
#define STATE_BYTES(T, f)                                                                          \
    {                                                                                              \
        .name = #f, .type = STATE_T_BYTES, .offset = offsetof(T, f), .count = sizeof(((T *)0)->f), \
        .elem_size = 1                                                                             \
    }
#define STATE_STRUCT(T, f, sub_)                                                  \
    {                                                                             \
        .name = #f, .type = STATE_T_STRUCT, .offset = offsetof(T, f), .count = 1, \
        .elem_size = sizeof(((T *)0)->f), .sub = (sub_)                           \
    }
#define STATE_STRUCT_ARRAY(T, f, sub_)                                \
    {                                                                 \
        .name = #f, .type = STATE_T_STRUCT, .offset = offsetof(T, f), \
        .count = sizeof(((T *)0)->f) / sizeof(((T *)0)->f[0]),        \
        .elem_size = sizeof(((T *)0)->f[0]), .sub = (sub_)            \
    }
#define STATE_END           \
    {                       \
        .type = STATE_T_END \
    }

/* Append the fields of @object to @out, little-endian, in list order. */
void state_save(const StateField *list, const void *object, GByteArray *out);
/* Read them back from @data at *@pos; false (with @error, object unchanged) if it is too short. */
bool state_load(const StateField *list, void *object, const uint8_t *data, size_t len, size_t *pos,
                GError **error);
/* JSON object of the fields, for -dump-vmstate and debugging. */
void state_print(const StateField *list, const void *object, GString *out);

/* ---- Register tables ------------------------------------------------------------------------ */

typedef struct RegDesc RegDesc;
struct RegDesc {
    uint32_t off;     /* byte offset in the device's first region */
    const char *name; /* NULL ends the table */
    uint8_t size;     /* 1, 2, 4 or 8 bytes */
    size_t field;     /* offsetof the backing field (REG_FIELD), of that size; 0: none */
    uint64_t reset;
    uint64_t writable; /* bits that a guest write changes */
    uint64_t w1c;      /* bits that writing one clears */
    uint64_t (*read)(Device *dev, const RegDesc *r);
    void (*write)(Device *dev, const RegDesc *r, uint64_t value); /* instead of storing */
    void (*wrote)(Device *dev, const RegDesc *r, uint64_t old);   /* after storing */
};

#define REG_FIELD(T, f) offsetof(T, f)

/* MemOps that serve a register table: pass the Device as opaque. Accesses to offsets without a row
 * read 0, drop writes and are logged as unimplemented. Accesses wider or narrower than a row are
 * composed from / confined to the bytes that they name. */
extern const MemOps reg_table_ops;
/* The fields of .regs to their reset values, for a reset that the guest asks of one device. */
void regs_reset(Device *dev);

/* ---- Devices -------------------------------------------------------------------------------- */

struct DeviceClass {
    const char *name; /* as -device and `info qtree` spell it */
    const char *desc; /* one line for -device help */
    size_t size;      /* of the whole struct, which begins with Device */
    const RegDesc *regs;
    const StateField *state;
    uint16_t state_version, state_oldest;         /* those before that are refused */
    bool (*realize)(Device *dev, GError **error); /* must clean up after itself when it fails */
    void (*unrealize)(Device *dev);               /* undoes realize */
    /* device_take_out() and device_put_back(): what others know of it by realize. */
    void (*plug)(Device *dev, bool in);
    void (*finalize)(Device *dev); /* frees what is not realize's: it may never have come */
    void (*reset_enter)(Device *dev);
    void (*reset_hold)(Device *dev);
    void (*reset_exit)(Device *dev);
    void (*post_load)(Device *dev);
    /* The object that .state describes, brought into the form it describes, where that is not the
     * Device itself (a CPU, whose state the engine owns). */
    void *(*state_of)(Device *dev);
};

struct Device {
    const DeviceClass *klass;
    char *id;       /* unique path component: class name or class name + instance */
    bool named;     /* .id is what the user calls it */
    bool anonymous; /* the user made it and gave it no name */
    Device *parent;
    GPtrArray *children; /* owned; in order of creation, which is reset and state order */
    bool realized;
    MemRegion io; /* the region of .regs, initialised by device_new when there is a table */
    unsigned unimp_logged; /* offsets without a register that were logged so far */
};

/* A zeroed device of @klass below @parent (NULL: a root). @id may be NULL (class name, made unique
 * among its siblings). The parent owns it. */
Device *device_new(const DeviceClass *klass, Device *parent, const char *id);
/* A name that commands can give and events can tell: a letter, then letters, digits, -, . and _. */
bool device_check_id(const char *id, GError **error);
/* Realize this one device (parents before children is the caller's order). */
bool device_realize(Device *dev, GError **error);
void device_unrealize(Device *dev); /* children first, reverse order */
void device_free(Device *dev);      /* unrealizes, detaches and frees the tree below it */
/* A device with all below it is away from its machine for some time: it remains realized and the
 * caller's. Comes back behind the other children of @parent; its state is to be loaded then. */
void device_take_out(Device *dev);
void device_put_back(Device *dev, Device *parent);
void device_reset(Device *dev); /* three phases over the tree below and including @dev */

/* State of the whole tree. Each device is written as path, version, length, fields, so that a
 * mismatch is named. */
void device_tree_save(Device *root, GByteArray *out);
bool device_tree_load(Device *root, const uint8_t *data, size_t len, GError **error);
/* Would it? Changes nothing. */
bool device_tree_check(Device *root, const uint8_t *data, size_t len, GError **error);
/* What the state consists of, by device: "PATH VERSION HASH" with a hash of the list's fields. Two
 * trees of the same shape can load each other's state. Free with g_strfreev(). */
char **device_tree_shape(Device *root);
void device_tree_print(Device *root, GString *out);
/* What such a state consists of, as JSON: for each class of devices there, its fields. */
void device_tree_describe(Device *root, GString *out);
uint64_t device_tree_hash(Device *root, uint64_t seed);
/* 64-bit hash of memory, for state hashes; the same on every host. */
uint64_t state_hash_bytes(const void *data, size_t len, uint64_t seed);

#endif
