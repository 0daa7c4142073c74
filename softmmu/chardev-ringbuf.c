/* SPDX-License-Identifier: MIT */
/* The latest output in a buffer of the process, for the monitor's ringbuf_read. Nothing is typed.
 */
#include "softmmu/chardev-internal.h"

#include "softmmu/error.h"

#define SIZE_MAX_BYTES (64u << 20)

typedef struct RingChardev {
    Chardev chr;
    GMutex lock; /* monitors of several threads may read */
    uint8_t *data;
    uint64_t size, produced, consumed; /* size: a power of two */
} RingChardev;

static void ring_write(Chardev *chr, const uint8_t *data, size_t len)
{
    RingChardev *r = (RingChardev *)chr;

    g_mutex_lock(&r->lock);
    for (size_t i = 0; i < len; i++)
        r->data[r->produced++ & (r->size - 1)] = data[i];
    if (r->produced - r->consumed > r->size)
        r->consumed = r->produced - r->size;
    g_mutex_unlock(&r->lock);
}

static void ring_close(Chardev *chr)
{
    RingChardev *r = (RingChardev *)chr;

    g_free(r->data);
    g_mutex_clear(&r->lock);
}

static const ChardevClass ring_class = { "ringbuf", .write = ring_write, .close = ring_close };

GBytes *chardev_ringbuf_read(Chardev *chr, size_t len)
{
    RingChardev *r = (RingChardev *)chr;
    GByteArray *out;

    if (!chr || chr->klass != &ring_class)
        return NULL;
    out = g_byte_array_new();
    g_mutex_lock(&r->lock);
    for (; len && r->consumed < r->produced; len--)
        g_byte_array_append(out, &r->data[r->consumed++ & (r->size - 1)], 1);
    g_mutex_unlock(&r->lock);
    return g_byte_array_free_to_bytes(out);
}

Chardev *chardev_new_ringbuf(InputQueue *queue, const char *size, GError **error)
{
    guint64 bytes;
    RingChardev *r;

    if (!g_ascii_string_to_unsigned(size, 10, 1, SIZE_MAX_BYTES, &bytes, NULL) ||
        (bytes & (bytes - 1))) {
        error_set(error, "ringbuf: the size of a buffer is a power of two up to %u, not '%s'",
                  SIZE_MAX_BYTES, size);
        return NULL;
    }
    r = chardev_alloc(sizeof(RingChardev), &ring_class, queue);
    g_mutex_init(&r->lock);
    r->size = bytes;
    r->data = g_malloc(bytes);
    return &r->chr;
}
