/* SPDX-License-Identifier: MIT */
/*
 * The driver makes pictures, says where in its memory their pixels are, has them copied into the
 * device, and chooses which is seen. Spec: VIRTIO 1.2, 5.7.
 *
 * Pictures, and the lists of where their pixels come from, lie in a RAM block of the device's own,
 * which is saved and hashed as all RAM is; the rows that say what is where are its state. What is
 * seen is looked at when somebody looks: flushing does nothing, nor does moving the pointer.
 * Missing: 3D, blobs, UUIDs, several screens.
 */
#include "hw/virtio-gpu.h"

#include <string.h>

#include "hw/edid.h"
#include "softmmu/bytes.h"
#include "softmmu/log.h"

enum { PICTURES = 64, PAGE = 4096, MAX_SIDE = 8192, MAX_PIECES = 16384, PIECE_BYTES = 16 };
enum { BLANK_WIDTH = 640, BLANK_HEIGHT = 480 };
enum { CONTROL_QUEUE, CURSOR_QUEUE, QUEUES };
enum { CONFIG_SCREENS = 8, CONFIG_BYTES = 16 };
enum { HEADER_BYTES = 24, COMMAND_BYTES = 64, SCREENS_TOLD = 16, SCREEN_BYTES = 24 };
enum { FLAG_FENCE = 1 };
enum { F_EDID = 1 << 1, EDID_TOLD = 8 + 1024 }; /* size, nothing, room for more blocks */

typedef enum Answer {
    OK_NODATA = 0x1100,
    OK_DISPLAY_INFO,
    OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200,
    ERR_OUT_OF_MEMORY,
    ERR_INVALID_SCANOUT_ID,
    ERR_INVALID_RESOURCE_ID,
    ERR_INVALID_CONTEXT_ID,
    ERR_INVALID_PARAMETER,
} Answer;

/* Bytes [@at, +@len) of the store; @len is a multiple of a page, 0: none. */
typedef struct Extent {
    uint32_t at, len;
} Extent;

typedef struct Picture {
    uint32_t id; /* 0: the row is free */
    uint32_t format, width, height;
    Extent pixels;
    Extent pieces; /* u64 address, u32 length, u32 nothing: where pixels come from */
    uint32_t n_pieces;
} Picture;

typedef struct Rect {
    uint32_t x, y, width, height;
} Rect;

typedef struct VirtioGpu {
    VirtioDevice virtio;
    VirtioKind kind;
    VirtioGpuWiring w;
    /* state */
    Picture pictures[PICTURES];
    uint32_t seen; /* id of the picture, 0: none */
    Rect seen_part;
    uint32_t pointer; /* id of its picture, 0: none */
    uint32_t pointer_x, pointer_y, hot_x, hot_y;
} VirtioGpu;

/* Which byte of a pixel is which colour. */
typedef struct Format {
    uint32_t number;
    uint8_t red, green, blue, alpha; /* alpha 4: there is none */
} Format;

static const Format formats[] = {
    { 1, 2, 1, 0, 3 },  { 2, 2, 1, 0, 4 },  { 3, 1, 2, 3, 0 },   { 4, 1, 2, 3, 4 },
    { 67, 0, 1, 2, 3 }, { 68, 3, 2, 1, 4 }, { 121, 3, 2, 1, 0 }, { 134, 0, 1, 2, 4 },
};

static const Format *find_format(uint32_t number)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i].number == number)
            return &formats[i];
    }
    return NULL;
}

/* ---- The store ------------------------------------------------------------------------------- */

/* The end of what is in the way of @e; 0: nothing is. */
static uint32_t obstacle_end(const VirtioGpu *s, Extent e)
{
    for (unsigned i = 0; i < 2 * PICTURES; i++) {
        const Picture *p = &s->pictures[i / 2];
        Extent other = i % 2 ? p->pieces : p->pixels;

        if (p->id && other.len && e.at < other.at + other.len && other.at < e.at + e.len)
            return other.at + other.len;
    }
    return 0;
}

/* The first place that is free; its bytes become zero. False: there is none. */
static bool allocate(VirtioGpu *s, uint64_t bytes, Extent *e)
{
    uint64_t len = (bytes + PAGE - 1) / PAGE * PAGE;
    uint32_t end;

    if (!len || len > s->w.store->size)
        return false;
    *e = (Extent){ 0, len };
    while ((end = obstacle_end(s, *e))) {
        if (end > s->w.store->size - len)
            return false;
        e->at = end;
    }
    memset(s->w.store->host + e->at, 0, len);
    ram_block_written(s->w.store, e->at, len);
    return true;
}

static Picture *find_picture(VirtioGpu *s, uint32_t id)
{
    for (unsigned i = 0; id && i < PICTURES; i++) {
        if (s->pictures[i].id == id)
            return &s->pictures[i];
    }
    return NULL;
}

static Picture *free_row(VirtioGpu *s)
{
    for (unsigned i = 0; i < PICTURES; i++) {
        if (!s->pictures[i].id)
            return &s->pictures[i];
    }
    return NULL;
}

static bool is_within(const Rect *r, const Picture *p)
{
    return r->x <= p->width && r->width <= p->width - r->x && r->y <= p->height &&
           r->height <= p->height - r->y;
}

/* ---- Pixels from the guest's memory ---------------------------------------------------------- */

typedef struct Source {
    const VirtioGpu *s;
    const Picture *p;
    uint32_t piece; /* that begins at byte @start of all */
    uint64_t start;
} Source;

static uint64_t piece_addr(const Source *src)
{
    return get_le(src->s->w.store->host + src->p->pieces.at + src->piece * PIECE_BYTES, 8);
}

static uint32_t piece_len(const Source *src)
{
    return get_le(src->s->w.store->host + src->p->pieces.at + src->piece * PIECE_BYTES + 8, 4);
}

/* Offsets only grow from call to call. What is beyond the last piece is left as it is. */
static void fetch(Source *src, uint64_t offset, uint8_t *to, uint64_t len)
{
    while (len && src->piece < src->p->n_pieces) {
        uint64_t end = src->start + piece_len(src);

        if (offset < end) {
            uint64_t n = MIN(len, end - offset);

            address_space_read_bytes(src->s->w.memory, piece_addr(src) + (offset - src->start), to,
                                     n);
            offset += n;
            to += n;
            len -= n;
        } else {
            src->start = end;
            src->piece++;
        }
    }
}

static void copy_rows(VirtioGpu *s, const Picture *p, const Rect *r, uint64_t offset)
{
    Source src = { .s = s, .p = p };
    uint64_t stride = 4ull * p->width;

    for (uint32_t y = 0; y < r->height; y++) {
        uint64_t at = p->pixels.at + (r->y + y) * stride + 4ull * r->x;

        fetch(&src, offset + y * stride, s->w.store->host + at, 4ull * r->width);
        ram_block_written(s->w.store, at, 4ull * r->width);
    }
}

/* ---- Commands -------------------------------------------------------------------------------- */

/* @c: after the header, COMMAND_BYTES of them, zero beyond the end. */
typedef Answer RunCommand(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain);

static Rect get_rect(const uint8_t *c)
{
    return (Rect){ get_le(c, 4), get_le(c + 4, 4), get_le(c + 8, 4), get_le(c + 12, 4) };
}

static Answer tell_screens(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    return OK_DISPLAY_INFO;
}

static Answer create(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Picture p = { get_le(c, 4), get_le(c + 4, 4), get_le(c + 8, 4), get_le(c + 12, 4) };
    Picture *row = free_row(s);

    if (!p.id || find_picture(s, p.id))
        return ERR_INVALID_RESOURCE_ID;
    if (!find_format(p.format) || !p.width || !p.height || p.width > MAX_SIDE ||
        p.height > MAX_SIDE)
        return ERR_INVALID_PARAMETER;
    if (!row || !allocate(s, 4ull * p.width * p.height, &p.pixels))
        return ERR_OUT_OF_MEMORY;
    *row = p;
    return OK_NODATA;
}

static Answer unref(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Picture *p = find_picture(s, get_le(c, 4));

    if (!p)
        return ERR_INVALID_RESOURCE_ID;
    if (s->seen == p->id)
        s->seen = 0;
    if (s->pointer == p->id)
        s->pointer = 0;
    *p = (Picture){ 0 };
    return OK_NODATA;
}

static Answer set_scanout(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Rect r = get_rect(c);
    uint32_t screen = get_le(c + 16, 4), id = get_le(c + 20, 4);
    const Picture *p = find_picture(s, id);

    if (screen)
        return ERR_INVALID_SCANOUT_ID;
    if (id && !p)
        return ERR_INVALID_RESOURCE_ID;
    if (p && (!is_within(&r, p) || !r.width || !r.height))
        return ERR_INVALID_PARAMETER;
    s->seen = id;
    s->seen_part = r;
    return OK_NODATA;
}

static Answer flush(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Rect r = get_rect(c);
    const Picture *p = find_picture(s, get_le(c + 16, 4));

    return !p ? ERR_INVALID_RESOURCE_ID : is_within(&r, p) ? OK_NODATA : ERR_INVALID_PARAMETER;
}

static Answer transfer(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Rect r = get_rect(c);
    const Picture *p = find_picture(s, get_le(c + 24, 4));

    if (!p)
        return ERR_INVALID_RESOURCE_ID;
    if (!is_within(&r, p) || !p->n_pieces)
        return ERR_INVALID_PARAMETER;
    copy_rows(s, p, &r, get_le(c + 16, 8));
    return OK_NODATA;
}

static Answer attach(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Picture *p = find_picture(s, get_le(c, 4));
    uint32_t n = get_le(c + 4, 4);
    uint64_t bytes = (uint64_t)n * PIECE_BYTES;
    Extent room = { 0 };

    if (!p)
        return ERR_INVALID_RESOURCE_ID;
    if (p->n_pieces || n > MAX_PIECES || chain->out_len < HEADER_BYTES + 8 + bytes)
        return ERR_UNSPEC;
    if (n && !allocate(s, bytes, &room))
        return ERR_OUT_OF_MEMORY;
    virtio_read(&s->virtio, chain, HEADER_BYTES + 8, s->w.store->host + room.at, bytes);
    ram_block_written(s->w.store, room.at, bytes);
    p->pieces = room;
    p->n_pieces = n;
    return OK_NODATA;
}

static Answer detach(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    Picture *p = find_picture(s, get_le(c, 4));

    if (!p || !p->n_pieces)
        return ERR_INVALID_RESOURCE_ID;
    p->n_pieces = 0;
    p->pieces = (Extent){ 0 };
    return OK_NODATA;
}

static Answer tell_edid(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    if (!s->w.edid)
        return ERR_UNSPEC;
    return get_le(c, 4) ? ERR_INVALID_SCANOUT_ID : OK_EDID;
}

static Answer move_pointer(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    s->pointer_x = get_le(c + 4, 4);
    s->pointer_y = get_le(c + 8, 4);
    return get_le(c, 4) ? ERR_INVALID_SCANOUT_ID : OK_NODATA;
}

static Answer set_pointer(VirtioGpu *s, const uint8_t *c, const VirtioChain *chain)
{
    uint32_t id = get_le(c + 16, 4);

    if (id && !find_picture(s, id))
        return ERR_INVALID_RESOURCE_ID;
    s->pointer = id;
    s->hot_x = get_le(c + 20, 4);
    s->hot_y = get_le(c + 24, 4);
    return move_pointer(s, c, chain);
}

static const struct {
    uint16_t type;
    uint8_t queue;
    RunCommand *run;
} commands[] = {
    { 0x0100, CONTROL_QUEUE, tell_screens }, { 0x0101, CONTROL_QUEUE, create },
    { 0x0102, CONTROL_QUEUE, unref },        { 0x0103, CONTROL_QUEUE, set_scanout },
    { 0x0104, CONTROL_QUEUE, flush },        { 0x0105, CONTROL_QUEUE, transfer },
    { 0x0106, CONTROL_QUEUE, attach },       { 0x0107, CONTROL_QUEUE, detach },
    { 0x010a, CONTROL_QUEUE, tell_edid },    { 0x0300, CURSOR_QUEUE, set_pointer },
    { 0x0301, CURSOR_QUEUE, move_pointer },
};

static Answer run(VirtioGpu *s, unsigned queue, const uint8_t *command, const VirtioChain *chain)
{
    uint32_t type = get_le(command, 4);

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].type == type && commands[i].queue == queue)
            return commands[i].run(s, command + HEADER_BYTES, chain);
    }
    log_unimp("virtio-gpu: command %04x of queue %u\n", type, queue);
    return ERR_UNSPEC;
}

/* The header goes back with what came of it, and its fence. */
static uint32_t answer(VirtioGpu *s, const uint8_t *command, Answer a, const VirtioChain *chain)
{
    uint8_t out[HEADER_BYTES + EDID_TOLD] = { 0 };
    uint32_t len = HEADER_BYTES;

    put_le(out, 4, a);
    if (command[4] & FLAG_FENCE) {
        put_le(out + 4, 4, FLAG_FENCE);
        memcpy(out + 8, command + 8, 12);
    }
    if (a == OK_EDID) {
        put_le(out + HEADER_BYTES, 4, EDID_BYTES);
        edid_make(out + HEADER_BYTES + 8, s->w.xres, s->w.yres);
        len += EDID_TOLD;
    } else if (a == OK_DISPLAY_INFO) {
        len += SCREENS_TOLD * SCREEN_BYTES;
        put_le(out + HEADER_BYTES + 8, 4, s->w.xres);
        put_le(out + HEADER_BYTES + 12, 4, s->w.yres);
        put_le(out + HEADER_BYTES + 16, 4, 1);
    }
    return virtio_write(&s->virtio, chain, 0, out, len);
}

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioGpu *s = (VirtioGpu *)v;
    VirtioChain c;

    while (virtio_take(v, queue, &c)) {
        uint8_t command[HEADER_BYTES + COMMAND_BYTES] = { 0 };
        Answer a;

        virtio_read(v, &c, 0, command, sizeof(command));
        a = run(s, queue, command, &c);
        virtio_give(v, queue, c.head, answer(s, command, a, &c));
    }
}

/* ---- What is seen ---------------------------------------------------------------------------- */

static const uint8_t *pixels_of(const VirtioGpu *s, const Picture *p, uint32_t x, uint32_t y)
{
    return s->w.store->host + p->pixels.at + 4ull * ((uint64_t)y * p->width + x);
}

static uint32_t color_of(const Format *f, const uint8_t *pixel)
{
    return (uint32_t)pixel[f->red] << 16 | pixel[f->green] << 8 | pixel[f->blue];
}

static unsigned blend_byte(unsigned over, unsigned under, unsigned alpha)
{
    return MIN(over + under * (255 - alpha) / 255, 255); /* colours are multiplied already */
}

static uint32_t blend(const Format *f, const uint8_t *over, uint32_t under)
{
    unsigned alpha = f->alpha < 4 ? over[f->alpha] : 255;

    return blend_byte(over[f->red], under >> 16 & 255, alpha) << 16 |
           blend_byte(over[f->green], under >> 8 & 255, alpha) << 8 |
           blend_byte(over[f->blue], under & 255, alpha);
}

static void draw_pointer(VirtioGpu *s, Surface *out)
{
    const Picture *p = find_picture(s, s->pointer);
    const Format *f;

    if (!p)
        return;
    f = find_format(p->format);
    for (uint32_t y = 0; y < p->height; y++) {
        uint32_t to_y = s->pointer_y - s->hot_y + y;

        for (uint32_t x = 0; x < p->width && to_y < out->height; x++) {
            uint32_t to_x = s->pointer_x - s->hot_x + x;
            uint32_t *to = out->pixels + (size_t)to_y * out->width + to_x;

            if (to_x < out->width)
                *to = blend(f, pixels_of(s, p, x, y), *to);
        }
    }
}

static void draw(void *opaque, Surface *out, bool lit)
{
    VirtioGpu *s = opaque;
    const Picture *p = find_picture(s, s->seen);
    const Rect *r = &s->seen_part;
    const Format *f;

    if (!p) {
        surface_resize(out, BLANK_WIDTH, BLANK_HEIGHT);
        surface_fill(out, 0);
        return;
    }
    f = find_format(p->format);
    surface_resize(out, r->width, r->height);
    for (uint32_t y = 0; y < r->height; y++) {
        const uint8_t *from = pixels_of(s, p, r->x, r->y + y);

        for (uint32_t x = 0; x < r->width; x++)
            out->pixels[(size_t)y * r->width + x] = color_of(f, from + 4 * x);
    }
    draw_pointer(s, out);
}

static const DisplayOps display_ops = { .draw = draw };

/* ---- Life ------------------------------------------------------------------------------------ */

static void config(VirtioDevice *v, uint8_t *out)
{
    put_le(out + CONFIG_SCREENS, 4, 1);
}

static void forget(VirtioDevice *v)
{
    VirtioGpu *s = (VirtioGpu *)v;

    memset(s->pictures, 0, sizeof(s->pictures));
    s->seen = s->pointer = 0;
    s->seen_part = (Rect){ 0 };
    s->pointer_x = s->pointer_y = s->hot_x = s->hot_y = 0;
}

static bool gpu_realize(Device *dev, GError **error)
{
    VirtioGpu *s = (VirtioGpu *)dev;

    s->kind = (VirtioKind){ .id = 16,
                            .class_code = 0x038000,
                            .queues = QUEUES,
                            .vectors = QUEUES + 1,
                            .features = s->w.edid ? F_EDID : 0,
                            .config_size = CONFIG_BYTES,
                            .config = config,
                            .notified = notified,
                            .reset = forget };
    s->virtio.kind = &s->kind;
    s->virtio.no_legacy = true; /* there was none before version 1 */
    if (!virtio_realize(&s->virtio, error))
        return false;
    display_add(s->w.display, "virtio-gpu", &display_ops, s);
    return true;
}

static void gpu_unrealize(Device *dev)
{
    VirtioGpu *s = (VirtioGpu *)dev;

    display_remove(s->w.display, s);
    virtio_unrealize(dev);
}

/* State may come from a file that somebody has tampered with. */
static bool is_sound(const VirtioGpu *s, const Picture *p)
{
    uint64_t size = s->w.store->size;

    return find_format(p->format) && p->width && p->width <= MAX_SIDE && p->height &&
           p->height <= MAX_SIDE && p->pixels.len >= 4ull * p->width * p->height &&
           (uint64_t)p->pixels.at + p->pixels.len <= size && p->n_pieces <= MAX_PIECES &&
           p->pieces.len >= p->n_pieces * PIECE_BYTES &&
           (uint64_t)p->pieces.at + p->pieces.len <= size;
}

static void gpu_post_load(Device *dev)
{
    VirtioGpu *s = (VirtioGpu *)dev;
    const Picture *p;

    virtio_post_load(dev);
    for (unsigned i = 0; i < PICTURES; i++) {
        if (s->pictures[i].id && !is_sound(s, &s->pictures[i]))
            s->pictures[i] = (Picture){ 0 };
    }
    p = find_picture(s, s->seen);
    if (!p || !is_within(&s->seen_part, p) || !s->seen_part.width || !s->seen_part.height)
        s->seen = 0;
}

static const StateField extent_state[] = {
    STATE_U32(Extent, at),
    STATE_U32(Extent, len),
    STATE_END,
};

static const StateField picture_state[] = {
    STATE_U32(Picture, id),
    STATE_U32(Picture, format),
    STATE_U32(Picture, width),
    STATE_U32(Picture, height),
    STATE_STRUCT(Picture, pixels, extent_state),
    STATE_STRUCT(Picture, pieces, extent_state),
    STATE_U32(Picture, n_pieces),
    STATE_END,
};

static const StateField rect_state[] = {
    STATE_U32(Rect, x),      STATE_U32(Rect, y), STATE_U32(Rect, width),
    STATE_U32(Rect, height), STATE_END,
};

static const StateField gpu_state[] = {
    STATE_STRUCT(VirtioGpu, virtio, virtio_state),
    STATE_STRUCT_ARRAY(VirtioGpu, pictures, picture_state),
    STATE_U32(VirtioGpu, seen),
    STATE_STRUCT(VirtioGpu, seen_part, rect_state),
    STATE_U32(VirtioGpu, pointer),
    STATE_U32(VirtioGpu, pointer_x),
    STATE_U32(VirtioGpu, pointer_y),
    STATE_U32(VirtioGpu, hot_x),
    STATE_U32(VirtioGpu, hot_y),
    STATE_END,
};

const DeviceClass virtio_gpu_class = {
    .name = "virtio-gpu-pci",
    .desc = "screen behind virtio",
    .size = sizeof(VirtioGpu),
    .state = gpu_state,
    .state_version = 2,
    .state_oldest = 2, /* its registers were elsewhere */
    .realize = gpu_realize,
    .unrealize = gpu_unrealize,
    .reset_enter = virtio_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = gpu_post_load,
};

Device *virtio_gpu_new(PciBus *bus, int devfn, const VirtioGpuWiring *w)
{
    VirtioGpu *s = (VirtioGpu *)pci_device_new(&virtio_gpu_class, bus, devfn, NULL);

    s->w = *w;
    s->virtio.memory = w->memory;
    return &s->virtio.pci.dev;
}
