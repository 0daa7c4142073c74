/* SPDX-License-Identifier: MIT */
/*
 * Decompression on the host. Specs: Linux Documentation/arch/x86/boot.rst (payload_offset,
 * pref_address), System V ABI (ELF). A payload is an ELF file followed by relocations; the
 * decompressor moves its segments to the chosen address, then adds its displacement to the places
 * that the relocations name. Seen from the end they are lists that a zero ends: 32-bit places,
 * on x86-64 (up to 6.14) 32-bit places to subtract from, on x86-64 64-bit places.
 * The substitute is an ELF file of optionrom/vmlinux.S that takes the place of the file's end, with
 * one relocation, which catches the displacement. Anything unusual is left to the guest.
 */
#include "hw/kernel-unpack.h"

#include <stdlib.h>
#include <string.h>

#include "hw/elf-le.h"
#include "hw/kernel-payload.h"
#include "hw/optionrom/roms.h"

#define MAX_SEGMENTS  16
#define PAGE          0x1000
#define HEAD_OFFSET   PAGE       /* of the stub's head in its ELF file */
#define SEGMENT_ALIGN (2u << 20) /* what decompressors demand; they map memory by as much */
#define MAX_OUT_SIZE  (64 * SEGMENT_ALIGN)

/* In the stub's head. */
enum { HEAD_TO_TAIL = 4, HEAD_DELTA = 8, HEAD_ENTRY = 12, HEAD_PUSHED_ENTRY = 13 };

/* All addresses are relative to the kernel's start. */
typedef struct Segment {
    uint32_t from, to, size; /* in the file, in memory */
    uint32_t stored;         /* without the zeros it ends in */
} Segment;

/* In the order of their lists, seen from the end. */
typedef enum PlaceKind { ADD32, SUB32, ADD64, PLACE_KINDS } PlaceKind;

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
    uint32_t memory_size;         /* where the last segment ends */
    uint32_t places[PLACE_KINDS]; /* how many; they lie behind the ELF file, in their order */
} Vmlinux;

/* A bzImage's protected-mode part and what became of it. */
typedef struct Source {
    GBytes *code;
    KernelPayload payload;
    KernelUnpackDeclined *declined;
    char *name;
    bool looked_at;
    GBytes *substitute; /* a payload for @code; NULL: none can be made */
    GBytes *ahead;      /* the kernel, from the first look to when it is fetched */
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
    return v->segments && v->segment[0].to == 0 && v->elf_size >= file_end &&
           v->entry < v->memory_size;
}

/* ---- Relocations ---------------------------------------------------------------------------- */

/* Which place of the kernel @reloc names. */
static bool find_place(const Vmlinux *v, PlaceKind kind, uint32_t reloc, uint32_t *place)
{
    /* Addresses of x86-64 kernels are sign-extended. */
    uint64_t vaddr = v->is64 ? (uint64_t)(int32_t)reloc : reloc;

    *place = vaddr - v->vaddr;
    return vaddr >= v->vaddr && vaddr - v->vaddr + (kind == ADD64 ? 8 : 4) <= v->memory_size;
}

/* Which lists there are is known by their number. Places take the place of relocations. */
static bool read_relocations(Vmlinux *v)
{
    static const PlaceKind new64[] = { ADD32, ADD64 }, old64[] = { ADD32, SUB32, ADD64 };
    uint8_t *begin = v->data + v->elf_size;
    uint32_t words = (v->size - v->elf_size) / 4, lists = 0, list = 0, n = 0;
    g_autofree uint32_t *places = g_new(uint32_t, words + 1);

    if ((v->size - v->elf_size) % 4 || (words && get32(begin)))
        return false;
    for (uint32_t i = 0; i < words; i++)
        lists += !get32(begin + 4 * i);
    if (lists > (v->is64 ? 3 : 1) || (v->is64 && lists == 1))
        return false;
    for (uint32_t i = words; i--;) {
        uint32_t reloc = get32(begin + 4 * i), place;
        PlaceKind kind = (lists == 3 ? old64 : new64)[list];

        if (!reloc) {
            list++;
        } else if (find_place(v, kind, reloc, &place)) {
            places[n++] = GUINT32_TO_LE(place);
            v->places[kind]++;
        } else {
            return false;
        }
    }
    memcpy(begin, places, 4 * n);
    return true;
}

/* ---- The kernel ----------------------------------------------------------------------------- */

static void vmlinux_free(Vmlinux *v)
{
    free(v->data);
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
    return 4 * (v->places[ADD32] + v->places[SUB32] + v->places[ADD64]);
}

/* What the guest fetches from: all of the file. */
static GBytes *take_data(Vmlinux *v)
{
    uint8_t *data = g_steal_pointer(&v->data);

    return g_bytes_new_with_free_func(data, v->size, free, data);
}

/* ---- The substitute ------------------------------------------------------------------------- */

/* The plan, as vmlinux.S reads it. */
typedef struct Plan {
    GByteArray *tail;
    uint32_t read; /* of the item, so far */
} Plan;

static void plan_copy(Plan *p, uint32_t from, uint32_t to, uint32_t size)
{
    append32(p->tail, from - p->read);
    append32(p->tail, to);
    append32(p->tail, size);
    p->read = from + size;
}

/* Zeros are what is read behind the end of the item. */
static void plan_zeros(Plan *p, const Vmlinux *v, uint32_t to, uint32_t size)
{
    plan_copy(p, MAX(v->size, p->read), to, size);
}

static void append_plan(GByteArray *tail, const Vmlinux *v, uint32_t places)
{
    Plan p = { .tail = tail };

    append32(tail, 2 * v->segments + 1);
    for (int k = 0; k < PLACE_KINDS; k++)
        append32(tail, v->places[k]);
    append32(tail, places);
    for (int i = 0; i < 4; i++)
        append32(tail, 0); /* room for the DMA request */
    for (const Segment *s = v->segment; s < v->segment + v->segments; s++)
        plan_copy(&p, s->from, s->to, s->stored);
    plan_copy(&p, v->elf_size, places, places_size(v));
    for (const Segment *s = v->segment; s < v->segment + v->segments; s++)
        plan_zeros(&p, v, s->to + s->stored, s->size - s->stored);
}

/* The stub's code, its plan, and the relocation that catches the displacement: one 32-bit place,
 * the other lists empty. It will end where the file would. */
static GByteArray *make_tail(const Vmlinux *v, const uint8_t *stub, size_t stub_size)
{
    static const uint8_t zeros[32];
    uint32_t code = get32(stub + HEAD_TO_TAIL);
    GByteArray *tail = g_byte_array_new();
    uint32_t size = stub_size - code + 36 + 12 * (2 * v->segments + 1) + 16;

    size += (v->size - size) % 16; /* so that the code is aligned */
    g_byte_array_append(tail, stub + code, stub_size - code);
    append_plan(tail, v, (v->size - size - places_size(v)) & ~3u);
    g_byte_array_append(tail, zeros, size - tail->len - 4);
    append32(tail, v->vaddr + HEAD_DELTA);
    g_assert(tail->len == size);
    return tail;
}

static GByteArray *make_head(const Vmlinux *v, const uint8_t *stub, uint32_t tail_size)
{
    uint32_t to_tail = GUINT32_TO_LE(v->size - tail_size), entry = GUINT32_TO_LE(v->entry);
    GByteArray *head = g_byte_array_new();

    g_byte_array_append(head, stub, get32(stub + HEAD_TO_TAIL));
    memcpy(head->data + HEAD_TO_TAIL, &to_tail, sizeof(to_tail));
    memcpy(head->data + HEAD_PUSHED_ENTRY, &entry, sizeof(entry));
    return head;
}

/* A segment that the decompressor is to move from @from in the ELF file to @to in memory. */
static void append_segment(GByteArray *file, const Vmlinux *v, uint32_t from, uint32_t to,
                           uint32_t size)
{
    Elf64_Phdr p64 = { .p_type = PT_LOAD,
                       .p_flags = PF_R | PF_W | PF_X,
                       .p_offset = from,
                       .p_vaddr = v->vaddr + to,
                       .p_paddr = v->pref_address + to,
                       .p_filesz = size,
                       .p_memsz = size,
                       .p_align = SEGMENT_ALIGN };
    Elf32_Phdr p32 = { .p_type = p64.p_type,
                       .p_flags = p64.p_flags,
                       .p_offset = from,
                       .p_vaddr = p64.p_vaddr,
                       .p_paddr = p64.p_paddr,
                       .p_filesz = size,
                       .p_memsz = size,
                       .p_align = SEGMENT_ALIGN };

    if (v->is64)
        g_byte_array_append(file, (const uint8_t *)&p64, sizeof(p64));
    else
        g_byte_array_append(file, (const uint8_t *)&p32, sizeof(p32));
}

/* The kernel's own, for segments that follow. */
static void append_file_header(GByteArray *file, const Vmlinux *v, unsigned segments)
{
    Elf64_Ehdr h64;
    Elf32_Ehdr h32;

    memcpy(&h64, v->data, sizeof(h64));
    memcpy(&h32, v->data, sizeof(h32));
    h32.e_entry = h64.e_entry = v->pref_address + HEAD_ENTRY;
    h32.e_phnum = h64.e_phnum = segments;
    h32.e_phoff = sizeof(h32);
    h64.e_phoff = sizeof(h64);
    h32.e_shnum = h64.e_shnum = h32.e_shstrndx = h64.e_shstrndx = 0;
    h32.e_shoff = h64.e_shoff = 0;
    if (v->is64)
        g_byte_array_append(file, (const uint8_t *)&h64, sizeof(h64));
    else
        g_byte_array_append(file, (const uint8_t *)&h32, sizeof(h32));
}

/* Head and tail. On x86-64 memory is mapped when it is touched: a byte for each unit makes the
 * decompressor do that, as it would by unpacking the kernel there. */
static GByteArray *make_elf(const Vmlinux *v)
{
    const uint8_t *stub = v->is64 ? rom_vmlinux64 : rom_vmlinux32;
    size_t stub_size = v->is64 ? rom_vmlinux64_size : rom_vmlinux32_size;
    g_autoptr(GByteArray) tail = make_tail(v, stub, stub_size);
    g_autoptr(GByteArray) head = make_head(v, stub, tail->len);
    GByteArray *file = g_byte_array_new();
    static const uint8_t zeros[HEAD_OFFSET];
    unsigned touched = v->is64 ? (v->size - 1) / SEGMENT_ALIGN : 0;

    append_file_header(file, v, touched + 2);
    for (unsigned i = 1; i <= touched; i++)
        append_segment(file, v, 0, i * SEGMENT_ALIGN, 1);
    append_segment(file, v, HEAD_OFFSET + head->len, v->size - tail->len, tail->len);
    append_segment(file, v, HEAD_OFFSET, 0, head->len);
    g_assert(file->len <= HEAD_OFFSET);
    g_byte_array_append(file, zeros, HEAD_OFFSET - file->len);
    g_byte_array_append(file, head->data, head->len);
    g_byte_array_append(file, tail->data, tail->len);
    return file;
}

static GBytes *make_payload(const Source *s, const Vmlinux *v, const char **reason)
{
    g_autoptr(GByteArray) file = make_elf(v);
    gsize size;
    const uint8_t *data = payload_data(s, &size);
    g_autoptr(GBytes) payload = payload_make(payload_format(data, size), file->data, file->len);

    /* Behind the kernel there must be room for places and tail, beyond the file before it moves. */
    *reason = "there is no room for a substitute";
    if (g_bytes_get_size(payload) > size ||
        (uint64_t)MAX(v->memory_size, file->len) + places_size(v) + 4 + file->len > v->size)
        return NULL;
    return g_steal_pointer(&payload);
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

static void source_free(Source *s)
{
    g_bytes_unref(s->code);
    g_free(s->name);
    g_clear_pointer(&s->substitute, g_bytes_unref);
    g_clear_pointer(&s->ahead, g_bytes_unref);
}

static void source_unref(gpointer opaque)
{
    g_rc_box_release_full(opaque, (GDestroyNotify)source_free);
}

static bool has_payload(const Source *s)
{
    gsize size = g_bytes_get_size(s->code);

    return s->payload.offset <= size && s->payload.size <= size - s->payload.offset &&
           s->payload.size > 4;
}

/* What this kernel is shows only when it is unpacked. */
static void look_at(Source *s)
{
    const char *reason = "it has no payload";
    g_autoptr(Vmlinux) v = has_payload(s) ? read_vmlinux(s, &reason) : NULL;

    s->looked_at = true;
    s->substitute = v ? make_payload(s, v, &reason) : NULL;
    if (s->substitute)
        s->ahead = take_data(v);
    else
        s->declined(s->name, reason);
}

/* The two items. */
static GBytes *make_code(void *opaque)
{
    Source *s = opaque;

    if (!s->looked_at)
        look_at(s);
    return s->substitute ? with_payload(s, s->substitute) : g_bytes_ref(s->code);
}

static GBytes *make_vmlinux(void *opaque)
{
    Source *s = opaque;
    const char *reason;

    if (!s->looked_at)
        look_at(s);
    if (!s->substitute)
        return NULL;
    if (s->ahead)
        return g_steal_pointer(&s->ahead);
    g_autoptr(Vmlinux) v = read_vmlinux(s, &reason);
    g_assert(v); /* it could be read before */
    return take_data(v);
}

void kernel_unpack(FwCfg *fw, GBytes *code, const KernelPayload *p, KernelUnpackDeclined *declined,
                   const char *name)
{
    Source *s = g_rc_box_new0(Source);

    s->code = g_bytes_ref(code);
    s->payload = *p;
    s->declined = declined;
    s->name = g_strdup(name);
    fw_cfg_add_made(fw, FW_CFG_KERNEL_DATA, make_code, s, source_unref);
    fw_cfg_add_made(fw, FW_CFG_VMLINUX_DATA, make_vmlinux, g_rc_box_acquire(s), source_unref);
}
