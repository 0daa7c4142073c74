/* SPDX-License-Identifier: MIT */
/* Made-up kernels decompressed on the host: what the guest is given instead, and what is left
 * alone. */
#include "tests/hw/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "hw/elf-le.h"
#include "hw/kernel-payload.h"
#include "hw/kernel-unpack.h"
#include "hw/optionrom/roms.h"
#include "tests/fuzz/seeded.h"

#define PREF        0x1000000
#define ENTRY       0x123
#define VADDR64     0xffffffff81000000
#define VADDR32     0xc1000000
#define TEXT_OFFSET 0x8000 /* of the first segment in its file */
#define TEXT_SIZE   0x3000
#define DATA_OFFSET (TEXT_OFFSET + 0x8000)
#define DATA_SIZE   0x2345
#define DATA_ZEROS  0x1000 /* at its end */
#define DATA_AT     0x4000 /* in memory, from the start */
#define MEMORY_END  (DATA_AT + DATA_SIZE)
#define ELF_SIZE    (DATA_OFFSET + DATA_SIZE + 0x80)
#define MAX_RELOCS  16
#define PAYLOAD_AT  0x2c8
#define BEHIND      0x5000 /* bytes of decompressor behind the payload */
#define INIT_SIZE   0x1000000

/* Magic numbers of the formats that may have been built in. */
static const struct {
    const char *name;
    uint8_t bytes[8];
    bool built_in;
} formats[] = {
    { "xz", { 0xfd, '7', 'z', 'X', 'Z', 0, 0 }, HAVE_LZMA },
    { "gzip", { 0x1f, 0x8b, 8, 0 }, HAVE_ZLIB },
    { "zstd", { 0x28, 0xb5, 0x2f, 0xfd, 0 }, HAVE_ZSTD },
};

typedef struct MadeUp {
    bool is64;
    uint8_t *file; /* ELF and relocations */
    uint32_t size;
    GBytes *code;
    KernelPayload payload;
} MadeUp;

static const uint32_t relocs_none[] = { 1 };
static const uint32_t relocs_64[] = { 0, 0x81000100, 0, 0x81000200, 0, 0x81000300, 0x81004000, 1 };
static const uint32_t relocs_64_new[] = { 0, 0x81000100, 0, 0x81000300, 0x81004000, 1 };
static const uint32_t relocs_32[] = { 0, 0xc1000010, 0xc1000020, 1 };

static void put(uint8_t *p, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = v >> (8 * i);
}

static uint32_t get(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

#define ELF_HEADERS(Ehdr, Phdr, class, mach, base, file)                      \
    do {                                                                      \
        Ehdr h = { .e_ident = { 0x7f, 'E', 'L', 'F', class, ELFDATA2LSB, 1 }, \
                   .e_type = ET_EXEC,                                         \
                   .e_machine = (mach),                                       \
                   .e_entry = PREF + ENTRY,                                   \
                   .e_phoff = sizeof(h),                                      \
                   .e_phnum = 3,                                              \
                   .e_phentsize = sizeof(Phdr),                               \
                   .e_shoff = ELF_SIZE - 0x80,                                \
                   .e_shnum = 2,                                              \
                   .e_shentsize = 0x40 };                                     \
        Phdr p[3] = { { .p_type = PT_LOAD,                                    \
                        .p_offset = TEXT_OFFSET,                              \
                        .p_vaddr = (base),                                    \
                        .p_paddr = PREF,                                      \
                        .p_filesz = TEXT_SIZE,                                \
                        .p_align = 0x200000 },                                \
                      { .p_type = PT_NOTE },                                  \
                      { .p_type = PT_LOAD,                                    \
                        .p_offset = DATA_OFFSET,                              \
                        .p_vaddr = (base) + DATA_AT,                          \
                        .p_paddr = PREF + DATA_AT,                            \
                        .p_filesz = DATA_SIZE,                                \
                        .p_align = 0x200000 } };                              \
        memcpy((file), &h, sizeof(h));                                        \
        memcpy((file) + sizeof(h), p, sizeof(p));                             \
    } while (0)

/* @relocs end with 1. */
static void make_file(MadeUp *k, bool is64, const uint32_t *relocs)
{
    unsigned count = 0;

    while (relocs[count] != 1)
        count++;
    k->is64 = is64;
    k->size = ELF_SIZE + 4 * count;
    k->file = g_malloc0(k->size);
    if (is64)
        ELF_HEADERS(Elf64_Ehdr, Elf64_Phdr, ELFCLASS64, EM_X86_64, VADDR64, k->file);
    else
        ELF_HEADERS(Elf32_Ehdr, Elf32_Phdr, ELFCLASS32, EM_386, VADDR32, k->file);
    memset(k->file + TEXT_OFFSET, 0x90, TEXT_SIZE);
    memset(k->file + DATA_OFFSET, 0xda, DATA_SIZE - DATA_ZEROS);
    for (unsigned i = 0; i < count; i++)
        put(k->file + ELF_SIZE + 4 * i, relocs[i], 4);
}

/* A protected-mode part with the file as its payload. */
static void make_code(MadeUp *k, int format)
{
    const PayloadFormat *f = payload_format(formats[format].bytes, 8);
    GByteArray *code = g_byte_array_new();
    uint8_t filler[BEHIND], size[4];
    gsize len;

    g_autoptr(GBytes) stream = payload_make(f, k->file, k->size);
    const uint8_t *data = g_bytes_get_data(stream, &len);
    memset(filler, 0xcc, sizeof(filler));
    put(size, k->size, 4);
    g_byte_array_append(code, filler, PAYLOAD_AT);
    g_byte_array_append(code, data, len);
    g_byte_array_append(code, size, 4);
    g_byte_array_append(code, filler, BEHIND);
    k->code = g_byte_array_free_to_bytes(code);
    k->payload = (KernelPayload){ PAYLOAD_AT, len + 4, PREF, INIT_SIZE };
}

static void free_kernel(MadeUp *k)
{
    g_free(k->file);
    g_bytes_unref(k->code);
}

static const char *declined;

static void note_reason(const char *name, const char *reason)
{
    assert_string_equal(name, "it");
    assert_null(declined); /* told once */
    declined = reason;
}

/* What the guest is given as code, once asked for that and once for the kernel first. NULL: the
 * kernel was declined. */
static GBytes *unpack(FwCfg *fw, const MadeUp *k, const char **reason)
{
    static bool kernel_first;

    declined = NULL;
    kernel_unpack(fw, k->code, &k->payload, note_reason, "it");
    assert_null(declined); /* nobody has looked yet */
    kernel_first = !kernel_first;
    if (kernel_first)
        fw_cfg_find(fw, FW_CFG_VMLINUX_DATA);
    GBytes *code = fw_cfg_find(fw, FW_CFG_KERNEL_DATA);
    *reason = declined;
    if (declined)
        assert_true(g_bytes_equal(code, k->code));
    return declined ? NULL : g_bytes_ref(code);
}

/* The places of all lists, in the order of the plan: add 32, subtract 32, add 64. */
typedef struct Expected {
    bool is64;
    const uint32_t *relocs;
    uint32_t count[3], places[4];
} Expected;

static const Expected expected[] = {
    { true, relocs_none, { 0, 0, 0 }, { 0 } },
    { true, relocs_64, { 2, 1, 1 }, { 0x4000, 0x300, 0x200, 0x100 } },
    { true, relocs_64_new, { 2, 0, 1 }, { 0x4000, 0x300, 0x100 } },
    { false, relocs_none, { 0, 0, 0 }, { 0 } },
    { false, relocs_32, { 2, 0, 0 }, { 0x20, 0x10 } },
};

static void check_item(FwCfg *fw, const MadeUp *k, const Expected *e)
{
    unsigned places = e->count[0] + e->count[1] + e->count[2];
    gsize size;
    const uint8_t *item = g_bytes_get_data(fw_cfg_find(fw, FW_CFG_VMLINUX_DATA), &size);

    assert_int_equal(size, k->size);
    assert_memory_equal(item, k->file, ELF_SIZE);
    for (unsigned i = 0; i < places; i++)
        assert_int_equal(get(item + ELF_SIZE + 4 * i), e->places[i]);
}

typedef struct Moved {
    uint64_t type, from, vaddr, paddr, size, align;
} Moved;

static Moved segment(const MadeUp *k, const uint8_t *elf, unsigned n)
{
    if (k->is64) {
        Elf64_Phdr p;
        memcpy(&p, elf + sizeof(Elf64_Ehdr) + n * sizeof(p), sizeof(p));
        return (Moved){ p.p_type, p.p_offset, p.p_vaddr, p.p_paddr, p.p_filesz, p.p_align };
    }
    Elf32_Phdr p;
    memcpy(&p, elf + sizeof(Elf32_Ehdr) + n * sizeof(p), sizeof(p));
    return (Moved){ p.p_type, p.p_offset, p.p_vaddr, p.p_paddr, p.p_filesz, p.p_align };
}

/* As decompressors do: @memory is where the ELF file is and where its segments go. */
static void move_segments(const MadeUp *k, uint8_t *memory, gsize memory_size)
{
    unsigned count = get(memory + (k->is64 ? 56 : 44)) & 0xffff;
    g_autofree uint8_t *headers = g_memdup2(memory, 0x1000);

    for (unsigned i = 0; i < count; i++) {
        Moved m = segment(k, headers, i);
        uint64_t to = m.paddr - PREF;

        assert_int_equal(m.type, PT_LOAD);
        assert_int_equal(m.align, 0x200000);
        assert_int_equal(m.vaddr, (k->is64 ? VADDR64 : VADDR32) + to);
        assert_true(to + m.size <= memory_size);
        memmove(memory + to, memory + m.from, m.size);
    }
}

/* As vmlinux.S does, but for the relocations. */
static void run_plan(const MadeUp *k, const uint8_t *plan, const uint8_t *item, uint8_t *memory)
{
    uint32_t at = 0;

    for (unsigned i = 0; i < get(plan); i++) {
        const uint8_t *copy = plan + 36 + 12 * i;
        uint32_t to = get(copy + 4), size = get(copy + 8);

        at += get(copy);
        for (uint32_t n = 0; n < size; n++, at++)
            memory[to + n] = at < k->size ? item[at] : 0;
    }
}

/* What the decompressor makes of the substitute, and the stub of that. */
static void check_substitute(FwCfg *fw, const MadeUp *k, GBytes *code, const Expected *e)
{
    const uint8_t *stub = k->is64 ? rom_vmlinux64 : rom_vmlinux32;
    uint32_t stub_size = k->is64 ? rom_vmlinux64_size : rom_vmlinux32_size;
    uint32_t head_size = get(stub + 4);
    gsize size, out_size = 0x1000;
    const uint8_t *new = g_bytes_get_data(code, &size), *old = g_bytes_get_data(k->code, NULL);
    uint32_t behind = PAYLOAD_AT + k->payload.size - 4;
    g_autofree uint8_t *memory = g_malloc(k->size);
    uint8_t *out = NULL;

    assert_int_equal(size, g_bytes_get_size(k->code));
    assert_memory_equal(new, old, PAYLOAD_AT);
    assert_memory_equal(new + behind, old + behind, size - behind);
    const PayloadFormat *f = payload_format(new + PAYLOAD_AT, k->payload.size);
    while (!out && out_size < 0x2000)
        out = payload_decode(f, new + PAYLOAD_AT, k->payload.size - 4, out_size += 1);
    assert_non_null(out);
    memset(memory, 0xee, k->size);
    memcpy(memory, out, out_size);
    free(out);
    assert_memory_equal(memory, ELFMAG, SELFMAG);
    assert_int_equal(get(memory + 24), PREF + 12); /* e_entry */
    move_segments(k, memory, k->size);
    assert_memory_equal(memory, stub, 4);
    assert_memory_equal(memory + 8, stub + 8, 5);
    assert_int_equal(get(memory + 13), ENTRY);
    assert_memory_equal(memory + 17, stub + 17, head_size - 17);
    uint32_t tail = get(memory + 4);
    assert_int_equal(tail % 16, 0);
    assert_memory_equal(memory + tail, stub + head_size, stub_size - head_size);
    /* The lists, from the end: the displacement's 32-bit place, then nothing more. */
    assert_int_equal(get(memory + k->size - 4), (uint32_t)(k->is64 ? VADDR64 : VADDR32) + 8);
    for (int i = 2; i <= 4; i++)
        assert_int_equal(get(memory + k->size - 4 * i), 0);

    uint32_t plan_at = tail + stub_size - head_size;
    g_autofree uint8_t *plan = g_memdup2(memory + plan_at, MIN(k->size - plan_at, 256));
    for (int i = 0; i < 3; i++)
        assert_int_equal(get(plan + 4 + 4 * i), e->count[i]);
    uint32_t places = 4 * (e->count[0] + e->count[1] + e->count[2]), at = get(plan + 16);
    assert_in_range(at, MEMORY_END, tail - places);
    run_plan(k, plan, g_bytes_get_data(fw_cfg_find(fw, FW_CFG_VMLINUX_DATA), NULL), memory);
    assert_memory_equal(memory, k->file + TEXT_OFFSET, TEXT_SIZE);
    assert_memory_equal(memory + DATA_AT, k->file + DATA_OFFSET, DATA_SIZE);
    for (unsigned i = 0; i < places / 4; i++)
        assert_int_equal(get(memory + at + 4 * i), e->places[i]);
    assert_memory_equal(memory + tail, stub + head_size, stub_size - head_size);
}

static int first_format(void)
{
    for (int i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i].built_in)
            return i;
    }
    return -1;
}

/* Memory of an x86-64 decompressor is mapped by 2 MiB when it is touched. */
static void test_touches(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    static uint32_t relocs[(5 * 0x200000 - ELF_SIZE) / 4 + 4];
    const uint32_t size = ELF_SIZE + 4 * (G_N_ELEMENTS(relocs) - 1);
    g_autofree uint8_t *memory = g_malloc0(size);
    const char *reason;
    MadeUp k;

    fixture_start(f);
    if (first_format() < 0)
        skip();
    for (uint32_t i = 1; i < G_N_ELEMENTS(relocs) - 1; i++)
        relocs[i] = 0x81000000;
    relocs[10] = 0;
    relocs[G_N_ELEMENTS(relocs) - 1] = 1;
    make_file(&k, true, relocs);
    assert_int_equal(k.size, size);
    make_code(&k, first_format());
    g_autoptr(GBytes) code = unpack(fw, &k, &reason);
    assert_non_null(code);
    gsize out_size = 0x1000;
    const uint8_t *new = g_bytes_get_data(code, NULL);
    const PayloadFormat *format = payload_format(new + PAYLOAD_AT, k.payload.size);
    uint8_t *out = NULL;
    while (!out && out_size < 0x2000)
        out = payload_decode(format, new + PAYLOAD_AT, k.payload.size - 4, out_size += 1);
    assert_non_null(out);
    memcpy(memory, out, out_size);
    free(out);
    move_segments(&k, memory, size);
    for (uint32_t at = 0x200000; at < size; at += 0x200000)
        assert_true(memory[at] || at > get(memory + 4));
    free_kernel(&k);
}

static void test_kernels(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);

    fixture_start(f);
    for (int i = 0; i < G_N_ELEMENTS(expected); i++) {
        for (int format = 0; format < G_N_ELEMENTS(formats); format++) {
            const char *reason;
            MadeUp k;

            if (!formats[format].built_in)
                continue;
            make_file(&k, expected[i].is64, expected[i].relocs);
            make_code(&k, format);
            g_autoptr(GBytes) code = unpack(fw, &k, &reason);
            if (!code)
                fail_msg("row %d, %s: %s", i, formats[format].name, reason);
            check_item(fw, &k, &expected[i]);
            check_substitute(fw, &k, code, &expected[i]);
            free_kernel(&k);
        }
    }
}

/* ---- What is left to the guest ----------------------------------------------------------------
 */

#define HEADER(field, v)                                                 \
    {                                                                    \
        offsetof(Elf64_Ehdr, field), sizeof(((Elf64_Ehdr *)0)->field), v \
    }
#define SEGMENT(n, field, v)                                                         \
    {                                                                                \
        sizeof(Elf64_Ehdr) + (n) * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, field), \
            sizeof(((Elf64_Phdr *)0)->field), v                                      \
    }
#define RELOC(n, v)              \
    {                            \
        ELF_SIZE + 4 * (n), 4, v \
    }

typedef struct Oddity {
    const char *what;
    struct {
        uint32_t off, size;
        uint64_t value;
    } edit;
    const char *reason;
} Oddity;

static const Oddity oddities[] = {
    { "no ELF", { 0, 4, 0 }, "layout" },
    { "big endian", { EI_DATA, 1, ELFDATA2MSB }, "layout" },
    { "odd class", { EI_CLASS, 1, 7 }, "layout" },
    { "another machine", HEADER(e_machine, EM_AARCH64), "layout" },
    { "a library", HEADER(e_type, ET_DYN), "layout" },
    { "entry below", HEADER(e_entry, PREF - 1), "layout" },
    { "entry outside", HEADER(e_entry, PREF + MEMORY_END), "layout" },
    { "odd segment headers", HEADER(e_phentsize, 8), "layout" },
    { "segment headers outside", HEADER(e_phoff, UINT64_MAX), "layout" },
    { "segment headers past the end", HEADER(e_phoff, ELF_SIZE), "layout" },
    { "no segments", HEADER(e_phnum, 0), "layout" },
    { "sections outside", HEADER(e_shoff, UINT64_MAX - 10), "layout" },
    { "more sections than file", HEADER(e_shnum, 65535), "layout" },
    { "fewer sections than segments", HEADER(e_shoff, 0x1000), "layout" },
    { "segment below the kernel", SEGMENT(0, p_paddr, PREF - 1), "layout" },
    { "nothing at the start", SEGMENT(0, p_paddr, PREF + 0x100), "layout" },
    { "segment moved upwards", SEGMENT(2, p_paddr, PREF + DATA_OFFSET + 1), "layout" },
    { "segments overlap", SEGMENT(2, p_paddr, PREF + TEXT_SIZE - 1), "layout" },
    { "segment outside the file", SEGMENT(2, p_offset, ELF_SIZE + 100), "layout" },
    { "segment with a huge offset", SEGMENT(2, p_offset, UINT64_MAX), "layout" },
    { "segment larger than the file", SEGMENT(2, p_filesz, DATA_SIZE + 0x10000), "layout" },
    { "huge segment", SEGMENT(2, p_filesz, UINT64_MAX), "layout" },
    { "odd alignment", SEGMENT(2, p_align, 0x1000), "layout" },
    { "another start", SEGMENT(0, p_vaddr, 0), "relocations" },
    { "relocations begin with none", RELOC(0, 0x81000000), "relocations" },
    { "too many lists", RELOC(1, 0), "relocations" },
    { "place outside", RELOC(3, 0x82000000), "relocations" },
    { "place just outside", RELOC(5, 0x81000000 + MEMORY_END - 3), "relocations" },
    { "64-bit place just outside", RELOC(1, 0x81000000 + MEMORY_END - 7), "relocations" },
    { "place below", RELOC(5, 0x80ffffff), "relocations" },
};

static void expect_reason(FwCfg *fw, const MadeUp *k, const char *what, const char *wanted)
{
    const char *reason = NULL;

    if (unpack(fw, k, &reason))
        fail_msg("%s: taken", what);
    if (!strstr(reason, wanted))
        fail_msg("%s: %s", what, reason);
    assert_null(fw_cfg_find(fw, FW_CFG_VMLINUX_DATA));
}

static void test_oddities(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);

    fixture_start(f);
    if (first_format() < 0)
        skip();
    for (int i = 0; i < G_N_ELEMENTS(oddities); i++) {
        const Oddity *o = &oddities[i];
        MadeUp k;

        make_file(&k, true, relocs_64);
        put(k.file + o->edit.off, o->edit.value, o->edit.size);
        make_code(&k, first_format());
        expect_reason(fw, &k, o->what, o->reason);
        free_kernel(&k);
    }
}

static void test_odd_payloads(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    MadeUp k;

    fixture_start(f);
    if (first_format() < 0)
        skip();
    make_file(&k, true, relocs_64);
    make_code(&k, first_format());
    const KernelPayload good = k.payload;

    k.payload.offset = UINT32_MAX;
    expect_reason(fw, &k, "outside", "no payload");
    k.payload.offset = good.offset;
    k.payload.size = UINT32_MAX;
    expect_reason(fw, &k, "too long", "no payload");
    k.payload.size = 4;
    expect_reason(fw, &k, "too short", "no payload");
    k.payload.size = good.size + 0x1000;
    expect_reason(fw, &k, "0xcccccccc bytes", "size is odd");
    k.payload.size = good.size;
    k.payload.init_size = k.size - 1;
    expect_reason(fw, &k, "needs more than it says", "size is odd");
    k.payload.init_size = good.init_size;
    k.payload.offset++;
    k.payload.size--;
    expect_reason(fw, &k, "no magic number", "not supported");
    k.payload = good;
    k.payload.pref_address += 0x1000;
    expect_reason(fw, &k, "made for another address", "layout");
    free_kernel(&k);
}

/* Any bit may be wrong: no crash, and what is accepted keeps its length. */
static void test_damage(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    g_autoptr(GRand) rand = g_rand_new_with_seed(20240101);

    fixture_start(f);
    for (int format = 0; format < G_N_ELEMENTS(formats); format++) {
        MadeUp k;

        if (!formats[format].built_in)
            continue;
        make_file(&k, true, relocs_64);
        for (int i = 0; i < 40; i++) {
            /* In turn: headers and relocations before compression, the stream after it. */
            uint32_t at = i & 1 ? g_rand_int_range(rand, 0, sizeof(Elf64_Ehdr) + 168)
                                : g_rand_int_range(rand, ELF_SIZE, k.size);
            uint8_t old = k.file[at];
            const char *reason;

            k.file[at] = g_rand_int(rand);
            make_code(&k, format);
            g_autoptr(GBytes) code = unpack(fw, &k, &reason);
            if (code)
                assert_int_equal(g_bytes_get_size(code), g_bytes_get_size(k.code));
            k.file[at] = old;

            gsize size;
            uint8_t *bytes = g_bytes_unref_to_data(k.code, &size);
            for (int n = 0; n < 3; n++)
                bytes[PAYLOAD_AT + g_rand_int_range(rand, 0, n ? 64 : k.payload.size)] =
                    g_rand_int(rand);
            k.code = g_bytes_new_take(bytes, size);
            g_autoptr(GBytes) damaged = unpack(fw, &k, &reason);
            if (damaged)
                assert_int_equal(g_bytes_get_size(damaged), size);
            g_bytes_unref(k.code);
        }
        g_free(k.file);
    }
}

/* ---- Streams ----------------------------------------------------------------------------------
 */

static void test_streams(void **state)
{
    static const gsize sizes[] = { 1, 5000, 0x4000, 0x4001, 300000 };

    for (int format = 0; format < G_N_ELEMENTS(formats); format++) {
        for (int i = 0; i < G_N_ELEMENTS(sizes) && formats[format].built_in; i++) {
            const PayloadFormat *f = payload_format(formats[format].bytes, 8);
            g_autofree uint8_t *data = g_malloc(sizes[i]);
            gsize size;

            for (gsize n = 0; n < sizes[i]; n++)
                data[n] = n * 7 + n / 256;
            g_autoptr(GBytes) s = payload_make(f, data, sizes[i]);
            const uint8_t *stream = g_bytes_get_data(s, &size);
            uint8_t *out = payload_decode(f, stream, size, sizes[i]);
            assert_non_null(out);
            assert_memory_equal(out, data, sizes[i]);
            free(out);
            assert_null(payload_decode(f, stream, size, sizes[i] + 1));
            assert_null(payload_decode(f, stream, size, sizes[i] - 1));
            assert_null(payload_decode(f, stream, size - 1, sizes[i]));
        }
    }
}

static void scribble(GRand *rand, uint8_t *p, gsize size)
{
    for (int n = g_rand_int_range(rand, 0, 5); n > 0; n--) {
        uint64_t value = g_rand_int(rand) >> g_rand_int_range(rand, 0, 32);

        put(p + g_rand_int_range(rand, 0, size - 8), g_rand_boolean(rand) ? value : -value,
            g_rand_int_range(rand, 1, 9));
    }
}

/* Files with something changed, before or after they were compressed, or lists of relocations: each
 * is unpacked or left to the guest. */
static void test_mutated(void **state)
{
    g_autoptr(GRand) rand = fuzz_rand(1);
    const unsigned rounds = fuzz_rounds(200);
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    unsigned taken = 0;

    fixture_start(f);
    if (first_format() < 0)
        skip();
    for (unsigned n = 0; n < rounds; n++) {
        const Expected *e = &expected[n % G_N_ELEMENTS(expected)];
        unsigned format = g_rand_int_range(rand, 0, G_N_ELEMENTS(formats));
        const char *reason;
        MadeUp k;

        make_file(&k, e->is64, e->relocs);
        if (n & 8)
            scribble(rand, k.file, e->is64 ? 0x100 : 0xa0);
        if (n & 16 && k.size > ELF_SIZE + 8)
            scribble(rand, k.file + ELF_SIZE, k.size - ELF_SIZE);
        make_code(&k, formats[format].built_in ? format : first_format());
        if (n & 32) {
            gsize size;
            uint8_t *code = g_bytes_unref_to_data(k.code, &size);

            scribble(rand, code + PAYLOAD_AT, k.payload.size);
            k.code = g_bytes_new_take(code, size);
        }
        if (g_rand_int_range(rand, 0, 10) == 0)
            scribble(rand, (uint8_t *)&k.payload, sizeof(k.payload));
        g_autoptr(GBytes) code = unpack(fw, &k, &reason);
        taken += code != NULL;
        free_kernel(&k);
    }
    assert_in_range(taken, rounds / 20, rounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_kernels),      hw_test(test_touches), hw_test(test_oddities),
        hw_test(test_odd_payloads), hw_test(test_damage),  cmocka_unit_test(test_streams),
        hw_test(test_mutated),
    };
    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
