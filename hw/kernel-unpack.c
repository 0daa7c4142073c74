/* SPDX-License-Identifier: MIT */
/*
 * Decompression on the host. Specs: Linux Documentation/arch/x86/boot.rst (payload_offset,
 * pref_address), System V ABI (ELF). A payload is an ELF file followed by relocations; the
 * decompressor moves its segments to the chosen address, then adds its displacement to the places
 * that the relocations name. Seen from the end they are lists that a zero ends: 32-bit places,
 * on x86-64 (up to 6.14) 32-bit places to subtract from, on x86-64 64-bit places.
 * The substitute is an ELF file of optionrom/vmlinux.S with one relocation, which catches the
 * displacement. Anything unusual is left to the guest.
 */
#include "hw/kernel-unpack.h"

#include <elf.h>
#include <string.h>

#include "hw/kernel-payload.h"
#include "hw/optionrom/roms.h"

#define MAX_SEGMENTS  16
#define PAGE          0x1000
#define HEAD_OFFSET   PAGE     /* of the stub's head in its ELF file */
#define MAX_HEAD      PAGE     /* and how long it may be at most */
#define SEGMENT_ALIGN 0x200000 /* what decompressors demand */
#define MAX_OUT_SIZE  (1u << 29)
#define MIN_PAYLOAD   PAGE

/* In the stub's head. */
enum { HEAD_TO_TAIL = 4, HEAD_DELTA = 8, HEAD_ENTRY = 12, HEAD_PUSHED_ENTRY = 13 };

/* All addresses are relative to the kernel's start. */
typedef struct Segment {
    uint32_t from, to, size; /* in the file, in memory */
    uint32_t stored;         /* without the zeros it ends in */
} Segment;

typedef enum PlaceKind { ADD32, ADD64, SUB32, PLACE_KINDS } PlaceKind;

typedef struct Vmlinux {
    uint8_t *data;
    uint32_t size;
    bool is64;
    uint64_t pref_address;
    uint64_t vaddr; /* of the kernel's start */
    uint32_t entry;
    uint32_t elf_size;
    unsigned segments;
    Segment segment[MAX_SEGMENTS];
    uint32_t memory_size; /* where the last segment ends */
    GArray *places[PLACE_KINDS];
} Vmlinux;

/* What a later boot needs to unpack once more. */
typedef struct Source {
    GBytes *code;
    KernelPayload payload;
} Source;

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return GUINT32_FROM_LE(v);
}

static void append32(GByteArray *a, uint32_t v)
{
    v = GUINT32_TO_LE(v);
    g_byte_array_append(a, (const uint8_t *)&v, sizeof(v));
}

/* ---- The ELF file --------------------------------------------------------------------------- */

/* The facts wanted of both kinds of headers. */
typedef struct ElfFile {
    uint64_t entry, phoff, shoff;
    unsigned phnum, phentsize, shnum, shentsize, type, machine;
} ElfFile;

typedef struct ElfSegment {
    uint64_t type, offset, vaddr, paddr, filesz, align;
} ElfSegment;

#define ELF_FILE(h)                                                                             \
    {                                                                                           \
        .entry = (h).e_entry, .phoff = (h).e_phoff, .shoff = (h).e_shoff, .phnum = (h).e_phnum, \
        .phentsize = (h).e_phentsize, .shnum = (h).e_shnum, .shentsize = (h).e_shentsize,       \
        .type = (h).e_type, .machine = (h).e_machine,                                           \
    }
#define ELF_SEGMENT(p)                                                                          \
    {                                                                                           \
        .type = (p).p_type, .offset = (p).p_offset, .vaddr = (p).p_vaddr, .paddr = (p).p_paddr, \
        .filesz = (p).p_filesz, .align = (p).p_align,                                           \
    }

static bool read_file_header(Vmlinux *v, ElfFile *f)
{
    if (v->size < PAGE || memcmp(v->data, ELFMAG, SELFMAG) || v->data[EI_DATA] != ELFDATA2LSB)
        return false;
    v->is64 = v->data[EI_CLASS] == ELFCLASS64;
    if (v->is64) {
        Elf64_Ehdr h;
        memcpy(&h, v->data, sizeof(h));
        *f = (ElfFile)ELF_FILE(h);
        return f->machine == EM_X86_64 && f->phentsize == sizeof(Elf64_Phdr);
    }
    Elf32_Ehdr h;
    memcpy(&h, v->data, sizeof(h));
    *f = (ElfFile)ELF_FILE(h);
    return v->data[EI_CLASS] == ELFCLASS32 && f->machine == EM_386 &&
           f->phentsize == sizeof(Elf32_Phdr);
}

static ElfSegment read_segment_header(const Vmlinux *v, const ElfFile *f, unsigned n)
{
    const uint8_t *at = v->data + f->phoff + n * f->phentsize;

    if (v->is64) {
        Elf64_Phdr p;
        memcpy(&p, at, sizeof(p));
        return (ElfSegment)ELF_SEGMENT(p);
    }
    Elf32_Phdr p;
    memcpy(&p, at, sizeof(p));
    return (ElfSegment)ELF_SEGMENT(p);
}

static uint32_t without_last_zeros(const uint8_t *data, uint32_t size)
{
    while (size && !data[size - 1])
        size--;
    return size;
}

/* Segments in ascending order, in the file as in memory, none of them moved upwards: then moving
 * one after the other in place, as decompressors do, equals copying. */
static bool add_segment(Vmlinux *v, const ElfSegment *p, uint32_t *file_end)
{
    Segment *s = &v->segment[v->segments];
    uint64_t to = p->paddr - v->pref_address;

    if (v->segments == MAX_SEGMENTS || p->paddr < v->pref_address || p->offset < *file_end ||
        p->offset > v->size || p->filesz > v->size - p->offset || to < v->memory_size ||
        to > p->offset || (v->is64 && p->align % SEGMENT_ALIGN))
        return false;
    s->from = p->offset;
    s->to = to;
    s->size = p->filesz;
    s->stored = without_last_zeros(v->data + s->from, s->size);
    if (!v->segments)
        v->vaddr = p->vaddr;
    *file_end = s->from + s->size;
    v->memory_size = s->to + s->size;
    v->segments++;
    return true;
}

static bool read_elf(Vmlinux *v)
{
    uint32_t file_end = 0;
    ElfFile f;

    if (!read_file_header(v, &f) || f.type != ET_EXEC || f.entry < v->pref_address ||
        f.phoff > v->size || (uint64_t)f.phnum * f.phentsize > v->size - f.phoff ||
        f.shoff > v->size || (uint64_t)f.shnum * f.shentsize > v->size - f.shoff)
        return false;
    for (unsigned i = 0; i < f.phnum; i++) {
        ElfSegment p = read_segment_header(v, &f, i);
        if (p.type == PT_LOAD && !add_segment(v, &p, &file_end))
            return false;
    }
    v->elf_size = f.shoff + f.shnum * f.shentsize;
    v->entry = f.entry - v->pref_address;
    /* The stub's head is overwritten by what comes first. */
    return v->segments && v->segment[0].to == 0 && v->elf_size >= file_end &&
           f.entry - v->pref_address < v->memory_size &&
           v->segment[0].stored >= HEAD_OFFSET + MAX_HEAD;
}

/* ---- Relocations ---------------------------------------------------------------------------- */

static bool add_place(Vmlinux *v, PlaceKind kind, uint32_t reloc)
{
    /* Addresses of x86-64 kernels are sign-extended. */
    uint64_t vaddr = v->is64 ? (uint64_t)(int32_t)reloc : reloc;
    uint32_t place = vaddr - v->vaddr, width = kind == ADD64 ? 8 : 4;

    if (vaddr < v->vaddr || vaddr - v->vaddr + width > v->memory_size)
        return false;
    g_array_append_val(v->places[kind], place);
    return true;
}

/* Which lists there are is known by their number. */
static bool read_relocations(Vmlinux *v)
{
    static const PlaceKind new64[] = { ADD32, ADD64 }, old64[] = { ADD32, SUB32, ADD64 };
    const uint8_t *begin = v->data + v->elf_size;
    uint32_t words = (v->size - v->elf_size) / 4, lists = 0, list = 0;

    if ((v->size - v->elf_size) % 4 || (words && get32(begin)))
        return false;
    for (uint32_t i = 0; i < words; i++)
        lists += !get32(begin + 4 * i);
    if (lists > (v->is64 ? 3 : 1) || (v->is64 && lists == 1))
        return false;
    for (uint32_t i = words; i--;) {
        uint32_t reloc = get32(begin + 4 * i);
        if (!reloc)
            list++;
        else if (!add_place(v, (lists == 3 ? old64 : new64)[list], reloc))
            return false;
    }
    return true;
}

/* ---- The kernel ----------------------------------------------------------------------------- */

static void vmlinux_free(Vmlinux *v)
{
    g_free(v->data);
    for (int k = 0; k < PLACE_KINDS; k++)
        g_array_free(v->places[k], true);
    g_free(v);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Vmlinux, vmlinux_free)

/* The stream, without the size of what it decodes to, which the kernel's build appends. */
static const uint8_t *payload_data(const Source *s, gsize *size)
{
    *size = s->payload.size - 4;
    return (const uint8_t *)g_bytes_get_data(s->code, NULL) + s->payload.offset;
}

static Vmlinux *read_vmlinux(const Source *s, const char **reason)
{
    g_autoptr(Vmlinux) v = g_new0(Vmlinux, 1);
    gsize size;
    const uint8_t *data = payload_data(s, &size);
    const PayloadFormat *format = payload_format(data, size);

    for (int k = 0; k < PLACE_KINDS; k++)
        v->places[k] = g_array_new(false, false, sizeof(uint32_t));
    v->size = get32(data + size);
    v->pref_address = s->payload.pref_address;
    *reason = "its compression is not supported";
    if (!format)
        return NULL;
    *reason = "its size is odd";
    if (v->size > MIN(s->payload.init_size, MAX_OUT_SIZE))
        return NULL;
    *reason = "it is damaged";
    if (!(v->data = payload_decode(format, data, size, v->size)))
        return NULL;
    *reason = "its layout is unusual";
    if (!read_elf(v))
        return NULL;
    *reason = "its relocations are unusual";
    if (!read_relocations(v))
        return NULL;
    return g_steal_pointer(&v);
}

static uint32_t places_size(const Vmlinux *v)
{
    return 4 * (v->places[ADD32]->len + v->places[ADD64]->len + v->places[SUB32]->len);
}

/* What the guest fetches: the segments, then the places. */
static GBytes *pack(const Vmlinux *v)
{
    GByteArray *item = g_byte_array_new();

    for (unsigned i = 0; i < v->segments; i++)
        g_byte_array_append(item, v->data + v->segment[i].from, v->segment[i].stored);
    for (int k = 0; k < PLACE_KINDS; k++) {
        for (guint i = 0; i < v->places[k]->len; i++)
            append32(item, g_array_index(v->places[k], uint32_t, i));
    }
    return g_byte_array_free_to_bytes(item);
}

/* ---- The substitute ------------------------------------------------------------------------- */

/* The kernel's own ELF header, but with one segment. */
#define STUB_HEADERS(Ehdr, Phdr, file, v, size)     \
    do {                                            \
        Ehdr h;                                     \
        Phdr p = { .p_type = PT_LOAD,               \
                   .p_flags = PF_R | PF_W | PF_X,   \
                   .p_offset = HEAD_OFFSET,         \
                   .p_vaddr = (v)->vaddr,           \
                   .p_paddr = (v)->pref_address,    \
                   .p_filesz = (size),              \
                   .p_memsz = (size),               \
                   .p_align = SEGMENT_ALIGN };      \
        memcpy(&h, (v)->data, sizeof(h));           \
        h.e_entry = (v)->pref_address + HEAD_ENTRY; \
        h.e_phoff = sizeof(h);                      \
        h.e_phnum = 1;                              \
        h.e_shoff = h.e_shnum = h.e_shstrndx = 0;   \
        memcpy((file), &h, sizeof(h));              \
        memcpy((file) + sizeof(h), &p, sizeof(p));  \
    } while (0)

/* An ELF file of one segment, the stub's head. */
static GBytes *make_head(const Vmlinux *v, const uint8_t *stub, uint32_t tail_offset)
{
    uint32_t size = get32(stub + HEAD_TO_TAIL);
    uint32_t to_tail = GUINT32_TO_LE(tail_offset), entry = GUINT32_TO_LE(v->entry);
    uint8_t *file = g_malloc0(HEAD_OFFSET + size);

    g_assert(size <= MAX_HEAD);
    memcpy(file + HEAD_OFFSET, stub, size);
    memcpy(file + HEAD_OFFSET + HEAD_TO_TAIL, &to_tail, sizeof(to_tail));
    memcpy(file + HEAD_OFFSET + HEAD_PUSHED_ENTRY, &entry, sizeof(entry));
    if (v->is64)
        STUB_HEADERS(Elf64_Ehdr, Elf64_Phdr, file, v, size);
    else
        STUB_HEADERS(Elf32_Ehdr, Elf32_Phdr, file, v, size);
    return g_bytes_new_take(file, HEAD_OFFSET + size);
}

/* The plan, as vmlinux.S reads it; @places: where their list goes. */
static void append_plan(GByteArray *tail, const Vmlinux *v, uint32_t places)
{
    append32(tail, v->segments + (places_size(v) != 0));
    append32(tail, v->places[ADD32]->len);
    append32(tail, v->places[ADD64]->len);
    append32(tail, v->places[SUB32]->len);
    append32(tail, places);
    for (int i = 0; i < 4; i++)
        append32(tail, 0); /* room for the DMA request */
    for (unsigned i = 0; i < v->segments; i++) {
        append32(tail, v->segment[i].to);
        append32(tail, v->segment[i].stored);
    }
    if (places_size(v)) {
        append32(tail, places);
        append32(tail, places_size(v));
    }
}

/* The stub's code, its plan, and the relocation that catches the displacement: one 32-bit place,
 * the other lists empty. NULL: no room behind the kernel. */
static GBytes *make_tail(const Vmlinux *v, const uint8_t *stub, size_t stub_size)
{
    static const uint8_t zeros[16];
    uint32_t code = get32(stub + HEAD_TO_TAIL);
    g_autoptr(GByteArray) tail = g_byte_array_new();
    uint32_t plan_size = 36 + 8 * (v->segments + 1);
    uint32_t size = stub_size - code + plan_size + 16;

    size += (v->size - size) % 16; /* so that the code is aligned */
    if ((uint64_t)v->memory_size + places_size(v) + size + 16 > v->size)
        return NULL;
    g_byte_array_append(tail, stub + code, stub_size - code);
    append_plan(tail, v, (v->size - size - places_size(v)) & ~3u);
    while (tail->len < size - 16)
        g_byte_array_append(tail, zeros, 1);
    g_byte_array_append(tail, zeros, 12);
    append32(tail, v->vaddr + HEAD_DELTA);
    g_assert(tail->len == size);
    return g_byte_array_free_to_bytes(g_steal_pointer(&tail));
}

static GBytes *make_payload(const Source *s, const Vmlinux *v)
{
    const uint8_t *stub = v->is64 ? rom_vmlinux64 : rom_vmlinux32;
    size_t stub_size = v->is64 ? rom_vmlinux64_size : rom_vmlinux32_size;
    g_autoptr(GBytes) tail = make_tail(v, stub, stub_size);
    gsize size;
    const uint8_t *data = payload_data(s, &size);

    if (!tail)
        return NULL;
    g_autoptr(GBytes) head = make_head(v, stub, v->size - g_bytes_get_size(tail));
    return payload_make(payload_format(data, size), head, tail, v->size, size);
}

static GBytes *with_payload(const Source *s, GBytes *payload)
{
    gsize size, payload_size;
    const uint8_t *old = g_bytes_get_data(s->code, &size);
    const uint8_t *new = g_bytes_get_data(payload, &payload_size);
    uint8_t *code = g_memdup2(old, size);

    memcpy(code + s->payload.offset, new, payload_size);
    memset(code + s->payload.offset + payload_size, 0, s->payload.size - 4 - payload_size);
    return g_bytes_new_take(code, size);
}

/* ---- fw_cfg --------------------------------------------------------------------------------- */

static void source_free(gpointer opaque)
{
    Source *s = opaque;

    g_bytes_unref(s->code);
    g_free(s);
}

static GBytes *unpack_again(void *opaque)
{
    const char *reason;
    g_autoptr(Vmlinux) v = read_vmlinux(opaque, &reason);

    g_assert(v); /* it could be read before */
    return pack(v);
}

GBytes *kernel_unpack(FwCfg *fw, GBytes *code, const KernelPayload *p, const char **reason)
{
    gsize size = g_bytes_get_size(code);
    g_autoptr(Vmlinux) v = NULL;
    Source *s;

    *reason = "it has no payload";
    if (p->offset > size || p->size > size - p->offset || p->size < MIN_PAYLOAD)
        return NULL;
    s = g_new(Source, 1);
    s->code = g_bytes_ref(code);
    s->payload = *p;
    v = read_vmlinux(s, reason);
    g_autoptr(GBytes) payload = v ? make_payload(s, v) : NULL;
    if (!payload) {
        if (v)
            *reason = "there is no room for a substitute";
        source_free(s);
        return NULL;
    }
    GBytes *result = with_payload(s, payload);
    g_autoptr(GBytes) item = pack(v);
    fw_cfg_add_made(fw, FW_CFG_VMLINUX_DATA, unpack_again, s, source_free, item);
    return result;
}
