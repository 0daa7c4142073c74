/* SPDX-License-Identifier: MIT */
/* The memory map: who wins, aliases, split accesses, holes, listeners, bulk access. */
#include "softmmu/memory.h"

#include <string.h>

#include "tests/softmmu/test.h"

/* A device that answers with its tag and the offset, and remembers what was done to it. */
typedef struct Spy {
    uint8_t tag;
    GString *log;
} Spy;

static uint64_t spy_read(void *opaque, uint64_t addr, unsigned size)
{
    Spy *spy = opaque;
    uint64_t value = 0;

    g_string_append_printf(spy->log, "r%u@%x ", size, (unsigned)addr);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)(uint8_t)(spy->tag + addr + i) << 8 * i;
    return value;
}

static void spy_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Spy *spy = opaque;

    g_string_append_printf(spy->log, "w%u@%x=%" G_GINT64_MODIFIER "x ", size, (unsigned)addr,
                           value);
}

static const MemOps ops_1_4 = { spy_read, spy_write, 0, 0 };
static const MemOps ops_1_8 = { spy_read, spy_write, 1, 8 };
static const MemOps ops_4_4 = { spy_read, spy_write, 4, 4 };
static const MemOps ops_1_1 = { spy_read, spy_write, 1, 1 };

typedef struct Bench {
    RamSet *set;
    RamBlock *ram;
    MemRegion root, ram_region, io;
    AddressSpace *as;
    Spy spy;
} Bench;

static void bench_init(Bench *b, const MemOps *ops)
{
    b->set = ram_set_new();
    b->ram = ram_block_new(b->set, "ram", 0x4000, NULL);
    assert_non_null(b->ram);
    memory_init_container(&b->root, "root", 0x100000);
    memory_init_ram(&b->ram_region, "ram", b->ram, 0, 0x4000);
    b->spy = (Spy){ 0x10, g_string_new("") };
    memory_init_io(&b->io, "io", ops, &b->spy, 0x1000);
    memory_add(&b->root, 0, 0, &b->ram_region);
    b->as = address_space_new("test", &b->root, b->set);
}

static void bench_free(Bench *b)
{
    address_space_free(b->as);
    memory_destroy(&b->io);
    memory_destroy(&b->ram_region);
    memory_destroy(&b->root);
    ram_set_free(b->set);
    g_string_free(b->spy.log, TRUE);
}

/* The flat view as "start+size name@offset;…" */
static char *flat_text(AddressSpace *as)
{
    GString *s = g_string_new("");
    size_t n;
    const FlatRange *ranges = address_space_ranges(as, &n);

    for (size_t i = 0; i < n; i++)
        g_string_append_printf(s, "%x+%x %s@%x;", (unsigned)ranges[i].start,
                               (unsigned)ranges[i].size, ranges[i].region->name,
                               (unsigned)ranges[i].region_start);
    return g_string_free(s, FALSE);
}

#define assert_flat(as, text)                   \
    do {                                        \
        g_autofree char *flat_ = flat_text(as); \
        assert_string_equal(flat_, text);       \
    } while (0)

/* Two regions of @size at @addr with @prio, placed a then b; c is placed in b's middle if it has a
 * size. */
typedef struct Place {
    unsigned addr, size;
    int prio;
} Place;

static const struct {
    Place a, b, c;
    const char *flat;
} overlap_rows[] = {
    { { 0, 0x100, 0 }, { 0x100, 0x100, 0 }, { 0 }, "0+100 a@0;100+100 b@0;" },
    { { 0, 0x100, 0 }, { 0x80, 0x100, 0 }, { 0 }, "0+80 a@0;80+100 b@0;" },   /* later wins */
    { { 0, 0x100, 1 }, { 0x80, 0x100, 0 }, { 0 }, "0+100 a@0;100+80 b@80;" }, /* priority wins */
    { { 0, 0x100, 0 }, { 0x40, 0x40, 1 }, { 0 }, "0+40 a@0;40+40 b@0;80+80 a@80;" },
    { { 0, 0x100, 2 }, { 0x40, 0x40, 1 }, { 0 }, "0+100 a@0;" }, /* hidden */
    { { 0x40, 0x40, 1 },
      { 0, 0x100, 0 },
      { 0x60, 0x80, 2 },
      "0+40 b@0;40+20 a@0;60+80 c@0;e0+20 b@e0;" },
    { { 0, 0x40, 0 }, { 0x80, 0x40, 0 }, { 0x20, 0x80, -1 }, "0+40 a@0;40+40 c@20;80+40 b@0;" },
    { { 0xff0, 0x20, 0 }, { 0, 0x10, 0 }, { 0 }, "0+10 b@0;ff0+10 a@0;" }, /* clipped by the root */
    { { 0, 0x100, 0 }, { 0, 0x100, 0 }, { 0 }, "0+100 b@0;" },
};

static void test_overlap(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(overlap_rows); i++) {
        const Place *places[3] = { &overlap_rows[i].a, &overlap_rows[i].b, &overlap_rows[i].c };
        static const char *const names[3] = { "a", "b", "c" };
        MemRegion root, r[3];
        AddressSpace *as;

        memory_init_container(&root, "root", 0x1000);
        as = address_space_new("t", &root, NULL);
        for (int k = 0; k < 3; k++) {
            memory_init_io(&r[k], names[k], &ops_1_4, NULL, places[k]->size);
            if (places[k]->size)
                memory_add(&root, places[k]->addr, places[k]->prio, &r[k]);
        }
        assert_flat(as, overlap_rows[i].flat);
        address_space_free(as);
        for (int k = 0; k < 3; k++)
            memory_destroy(&r[k]);
        memory_destroy(&root);
    }
}

static void test_aliases(void **state)
{
    Bench b;
    MemRegion low, high, bus, window;

    bench_init(&b, &ops_1_4);
    memory_remove(&b.ram_region);
    /* RAM shown in two places, and a bus with its own tree seen through a window */
    memory_init_alias(&low, "low", &b.ram_region, 0, 0x3000);
    memory_init_alias(&high, "high", &b.ram_region, 0x3000, 0x1000);
    memory_init_container(&bus, "bus", 0x100000);
    memory_init_alias(&window, "window", &bus, 0x20000, 0x10000);
    memory_add(&b.root, 0, 0, &low);
    memory_add(&b.root, 0x10000, 0, &high);
    memory_add(&b.root, 0x20000, -1, &window);
    assert_flat(b.as, "0+3000 ram@0;10000+1000 ram@3000;");
    memory_add(&bus, 0x28000, 1, &b.io); /* a change behind the alias shows */
    assert_flat(b.as, "0+3000 ram@0;10000+1000 ram@3000;28000+1000 io@0;");
    memory_set_address(&b.io, 0x2f800); /* half outside the window */
    assert_flat(b.as, "0+3000 ram@0;10000+1000 ram@3000;2f800+800 io@0;");
    memory_set_alias_start(&window, 0x27800); /* unfolds below 0 of the bus's own base */
    assert_flat(b.as, "0+3000 ram@0;10000+1000 ram@3000;28000+1000 io@0;");
    memory_set_enabled(&window, false);
    assert_flat(b.as, "0+3000 ram@0;10000+1000 ram@3000;");
    address_space_write(b.as, 0x10008, 0x1234, 4);
    assert_int_equal(b.ram->host[0x3008], 0x34);
    memory_destroy(&low);
    memory_destroy(&high);
    memory_destroy(&window);
    memory_remove(&b.io);
    memory_destroy(&bus);
    bench_free(&b);
}

/* Accesses to an I/O region at 0x8000 whose byte at offset n reads 0x10 + n. */
static const struct {
    const MemOps *ops;
    unsigned addr, size;
    bool write;
    uint64_t value; /* read, or to write */
    const char *log;
} access_rows[] = {
    { &ops_1_4, 0x8000, 4, false, 0x13121110, "r4@0 " },
    { &ops_1_4, 0x8001, 2, false, 0x1211, "r2@1 " },
    { &ops_1_4, 0x8000, 8, false, 0x1716151413121110, "r4@0 r4@4 " },
    { &ops_1_8, 0x8000, 8, false, 0x1716151413121110, "r8@0 " },
    { &ops_4_4, 0x8002, 1, false, 0x12, "r4@0 " },
    { &ops_4_4, 0x8003, 2, false, 0x1413, "r4@0 r4@4 " },
    { &ops_1_1, 0x8000, 4, false, 0x13121110, "r1@0 r1@1 r1@2 r1@3 " },
    { &ops_1_4, 0x8000, 8, true, 0x1122334455667788, "w4@0=55667788 w4@4=11223344 " },
    { &ops_4_4, 0x8002, 1, true, 0xab, "w1@2=ab " },
    { &ops_1_1, 0x8000, 2, true, 0xabcd, "w1@0=cd w1@1=ab " },
    { &ops_1_4, 0x8000, 1, true, 0xfffff, "w1@0=ff " },
    /* over the end: the rest is a hole */
    { &ops_1_4, 0x8ffe, 4, false, 0xffff0f0e, "r2@ffe " },
    { &ops_1_4, 0x8ffd, 8, false, 0xffffffffff0f0e0d, "r2@ffd r1@fff " },
    { &ops_1_4, 0x8ffe, 4, true, 0x11223344, "w2@ffe=3344 " },
    /* from RAM into the device */
    { &ops_1_4, 0x7ffe, 4, false, 0x1110a5a5, "r2@0 " },
    /* nothing at all */
    { &ops_1_4, 0x9000, 4, false, 0xffffffff, "" },
    { &ops_1_4, 0x9000, 8, false, 0xffffffffffffffff, "" },
    { &ops_1_4, 0x9000, 1, false, 0xff, "" },
    { &ops_1_4, 0x9000, 4, true, 0x1234, "" },
    { &ops_1_4, 0xffffe, 4, false, 0xffffffff, "" }, /* over the end of the root */
};

static void test_access(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(access_rows); i++) {
        Bench b;

        bench_init(&b, access_rows[i].ops);
        memory_set_address(&b.ram_region, 0x4000);
        memset(b.ram->host, 0xa5, b.ram->size);
        memory_add(&b.root, 0x8000, 0, &b.io);
        if (access_rows[i].write)
            address_space_write(b.as, access_rows[i].addr, access_rows[i].value,
                                access_rows[i].size);
        else
            assert_int_equal(address_space_read(b.as, access_rows[i].addr, access_rows[i].size),
                             access_rows[i].value);
        assert_string_equal(b.spy.log->str, access_rows[i].log);
        bench_free(&b);
    }
}

typedef struct Ear {
    MemListener listener;
    unsigned changes;
    GString *written;
} Ear;

static void ear_changed(MemListener *l)
{
    ((Ear *)l)->changes++;
}

static void ear_written(MemListener *l, uint64_t offset, uint64_t len)
{
    g_string_append_printf(((Ear *)l)->written, "%x+%x ", (unsigned)offset, (unsigned)len);
}

static void test_listeners(void **state)
{
    Bench b;
    Ear ear = { { ear_changed, ear_written }, 0, g_string_new("") };
    uint8_t buf[16] = { 0 };

    bench_init(&b, &ops_1_4);
    address_space_add_listener(b.as, &ear.listener);
    memory_add(&b.root, 0x8000, 0, &b.io);
    assert_int_equal(ear.changes, 1);
    memory_set_enabled(&b.io, true); /* no change */
    assert_int_equal(ear.changes, 1);
    memory_begin(b.as);
    memory_set_enabled(&b.io, false);
    memory_set_address(&b.io, 0x9000);
    memory_set_enabled(&b.io, true);
    assert_int_equal(ear.changes, 1);
    memory_commit(b.as);
    assert_int_equal(ear.changes, 2);
    memory_begin(b.as);
    memory_commit(b.as); /* nothing happened */
    assert_int_equal(ear.changes, 2);

    address_space_write_bytes(b.as, 0x3ff8, buf, 16); /* half of it beyond RAM */
    address_space_write(b.as, 0x100, 1, 4);
    address_space_written(b.as, 0x200, 0x10);
    memory_set_readonly(&b.ram_region, true);
    address_space_write_bytes(b.as, 0x300, buf, 16); /* ROM: dropped */
    address_space_write_rom(b.as, 0x400, buf, 16);
    assert_string_equal(ear.written->str, "3ff8+8 100+4 200+10 400+10 ");
    address_space_remove_listener(b.as, &ear.listener);
    g_string_free(ear.written, TRUE);
    bench_free(&b);
}

static void test_rom(void **state)
{
    Bench b;

    bench_init(&b, &ops_1_4);
    address_space_write(b.as, 0x10, 0x55, 1);
    memory_set_readonly(&b.ram_region, true);
    address_space_write(b.as, 0x10, 0xaa, 1);
    assert_int_equal(address_space_read(b.as, 0x10, 1), 0x55);
    assert_null(address_space_map(b.as, 0x10, 16, true));
    assert_ptr_equal(address_space_map(b.as, 0x10, 16, false), b.ram->host + 0x10);
    assert_null(address_space_map(b.as, 0x3ff8, 16, false)); /* runs over the end */
    bench_free(&b);
}

static void test_bulk(void **state)
{
    Bench b;
    uint8_t buf[12];

    bench_init(&b, &ops_1_4);
    memory_add(&b.root, 0x4000, 0, &b.io);
    memset(b.ram->host, 0x77, b.ram->size);
    address_space_read_bytes(b.as, 0x3ffa, buf, 12);
    assert_memory_equal(buf, "\x77\x77\x77\x77\x77\x77\x10\x11\x12\x13\x14\x15", 12);
    assert_string_equal(b.spy.log->str, "r4@0 r2@4 ");
    address_space_read_bytes(b.as, 0x5000 - 1, buf, 3);
    assert_memory_equal(buf, "\x0f\xff\xff", 3);
    bench_free(&b);
}

static void test_find(void **state)
{
    Bench b;
    const FlatRange *range;

    bench_init(&b, &ops_1_4);
    memory_add(&b.root, 0x1000, 1, &b.io);
    for (int round = 0; round < 2; round++) {
        range = address_space_find(b.as, 0xfff);
        assert_ptr_equal(range->region, &b.ram_region);
        range = address_space_find(b.as, 0x1000);
        assert_ptr_equal(range->region, &b.io);
        range = address_space_find(b.as, 0x2000);
        assert_int_equal(range->region_start, 0x2000);
        assert_null(address_space_find(b.as, 0x4000));
        assert_null(address_space_find(b.as, UINT64_MAX));
    }
    bench_free(&b);
}

static void test_ram_blocks(void **state)
{
    RamSet *set = ram_set_new();
    RamBlock *a = ram_block_new(set, "a", 1, NULL);
    RamBlock *b = ram_block_new(set, "b", 0x400000, NULL);
    g_autoptr(GError) error = NULL;

    assert_int_equal(a->size, 4096);
    assert_int_equal(b->ram_offset, 4096);
    assert_int_equal((uintptr_t)b->host & 0x1fffff, 0); /* huge pages can be used */
    assert_int_equal(b->host[0x3fffff], 0);
    assert_int_equal(ram_set_end(set), 4096 + 0x400000);
    assert_null(ram_block_new(set, "huge", UINT64_C(1) << 60, &error));
    assert_non_null(strstr(error->message, "cannot allocate 1099511627776 MiB"));
    assert_int_equal(ram_set_blocks(set)->len, 2);
    ram_set_free(set);
}

static void test_print(void **state)
{
    Bench b;
    MemRegion alias;
    g_autoptr(GString) out = g_string_new("");
    MemPrint p = { .out = out };

    bench_init(&b, &ops_1_4);
    memory_init_alias(&alias, "view", &b.ram_region, 0x1000, 0x1000);
    memory_add(&b.root, 0x10000, 0, &alias);
    address_space_print(b.as, NULL, &p);
    memory_print_named(&p);
    assert_string_equal(out->str,
                        "address-space: test\n"
                        "  0000000000000000-00000000000fffff (prio 0, i/o): root\n"
                        "    0000000000000000-0000000000003fff (prio 0, ram): ram\n"
                        "    0000000000010000-0000000000010fff (prio 0, ram): alias view @ram "
                        "0000000000001000-0000000000001fff\n\n"
                        "memory-region: ram\n"
                        "  0000000000000000-0000000000003fff (prio 0, ram): ram\n\n");
    g_string_truncate(out, 0);
    address_space_print_flat(b.as, NULL, out);
    assert_string_equal(
        out->str, " AS \"test\", root: root\n Root memory region: root\n"
                  "  0000000000000000-0000000000003fff (prio 0, ram): ram\n"
                  "  0000000000010000-0000000000010fff (prio 0, ram): ram @0000000000001000\n\n");
    memory_destroy(&alias);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overlap), cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_access),  cmocka_unit_test(test_listeners),
        cmocka_unit_test(test_rom),     cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_find),    cmocka_unit_test(test_ram_blocks),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
