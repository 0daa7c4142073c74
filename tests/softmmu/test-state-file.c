/* SPDX-License-Identifier: MIT */
/* Streams of saved states: what was put comes back; nothing that was damaged does. */
#include "softmmu/state-file.h"

#include <string.h>

#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"

#define SECTIONS 4

static GByteArray *section(unsigned n)
{
    GByteArray *data = g_byte_array_new();

    g_byte_array_set_size(data, n * n * 50000);
    for (guint i = 0; i < data->len; i++)
        data->data[i] = n == 2 ? g_random_int() : i / 1000;
    return data;
}

static GPtrArray *write_stream(GByteArray *sections[SECTIONS], bool compress)
{
    GPtrArray *pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    StateSink sink = state_sink_pieces(pieces);
    StateWriter *w = state_writer_new(&sink, compress);

    for (unsigned i = 0; i < SECTIONS; i++) {
        char name[5] = { 'S', 'E', 'C', '0' + i, 0 };
        assert_true(state_writer_put(w, name, sections[i]->data, sections[i]->len, NULL));
    }
    assert_true(state_writer_end(w, NULL));
    state_writer_free(w);
    return pieces;
}

/* How many sections come back whole; *@ended: the end did, too. */
static unsigned read_stream(const GPtrArray *pieces, GByteArray *sections[SECTIONS], bool *ended)
{
    StatePieces from = { .pieces = pieces };
    StateSource source = state_source_pieces(&from);
    StateReader *r = state_reader_new(&source);
    g_autoptr(GError) error = NULL;
    const uint8_t *data;
    char name[5];
    unsigned n = 0;
    size_t len;

    while (state_reader_next(r, name, &data, &len, &error) && *name) {
        assert_true(n < SECTIONS && name[3] == '0' + (char)n && len == sections[n]->len);
        if (len)
            assert_memory_equal(data, sections[n]->data, len);
        n++;
    }
    *ended = !error;
    state_reader_free(r);
    return n;
}

static GByteArray *join(const GPtrArray *pieces)
{
    GByteArray *all = g_byte_array_new();

    for (guint i = 0; i < pieces->len; i++) {
        gsize len;
        const uint8_t *p = g_bytes_get_data(pieces->pdata[i], &len);
        g_byte_array_append(all, p, len);
    }
    return all;
}

static bool reads_whole(const uint8_t *data, size_t len, GByteArray *sections[SECTIONS])
{
    g_autoptr(GPtrArray) one = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    bool ended;

    g_ptr_array_add(one, g_bytes_new(data, len));
    return read_stream(one, sections, &ended) == SECTIONS && ended;
}

static void test_stream(void **state)
{
    GByteArray *sections[SECTIONS];

    for (unsigned i = 0; i < SECTIONS; i++)
        sections[i] = section(i);
    for (int compress = 0; compress < 2; compress++) {
        g_autoptr(GPtrArray) pieces = write_stream(sections, compress);
        g_autoptr(GByteArray) all = join(pieces);
        bool ended;

        assert_int_equal(read_stream(pieces, sections, &ended), SECTIONS);
        assert_true(ended);
        assert_true(reads_whole(all->data, all->len, sections));
        for (guint at = 0; at < all->len; at += at < 200 ? 1 : 9973) { /* a bit of each part */
            all->data[at] ^= 1 << at % 8;
            if (reads_whole(all->data, all->len, sections) && (at < 12 || at >= 16))
                fail_msg("a wrong bit at %u is not noticed", at);
            all->data[at] ^= 1 << at % 8;
        }
        for (guint len = 0; len < all->len; len += len < 200 ? 1 : 9973)
            assert_false(reads_whole(all->data, len, sections));
    }
    for (unsigned i = 0; i < SECTIONS; i++)
        g_byte_array_unref(sections[i]);
}

/* A section left out is noticed although each of the others is whole. */
static void test_order(void **state)
{
    GByteArray *sections[SECTIONS];
    GPtrArray *pieces;
    bool ended;

    for (unsigned i = 0; i < SECTIONS; i++)
        sections[i] = section(i + 1);
    pieces = write_stream(sections, false);
    assert_int_equal(pieces->len, 1 + 2 * SECTIONS + 1);
    g_ptr_array_remove_range(pieces, 3, 2);
    assert_int_equal(read_stream(pieces, sections, &ended), 1);
    assert_false(ended);
    g_ptr_array_unref(pieces);
    for (unsigned i = 0; i < SECTIONS; i++)
        g_byte_array_unref(sections[i]);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *head, *error;
    } rows[] = {
        { "QFI\xfb............", "this is no saved state of Mimus" },
        { "MIMUSVM\n\2\0\0\0\0\0\0\0",
          "the saved state is of version 2, this Mimus knows version 1" },
        { "MIMUS", "the saved state is not whole" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GPtrArray) pieces = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
        StatePieces from = { .pieces = pieces };
        StateSource source = state_source_pieces(&from);
        StateReader *r = state_reader_new(&source);
        g_autoptr(GError) error = NULL;
        const uint8_t *data;
        char name[5];
        size_t len;

        g_ptr_array_add(pieces, g_bytes_new(rows[i].head, i == 2 ? 5 : 16));
        assert_false(state_reader_next(r, name, &data, &len, &error));
        assert_string_equal(error->message, rows[i].error);
        state_reader_free(r);
    }
}

/* Bytes of a stream changed, left out or put in: it is read as far as it makes sense. */
static void test_mutated(void **state)
{
    g_autoptr(GRand) rand = fuzz_rand(1);
    const unsigned rounds = fuzz_rounds(2000);
    GByteArray *sections[SECTIONS];

    for (unsigned i = 0; i < SECTIONS; i++) {
        sections[i] = g_byte_array_new();
        g_byte_array_set_size(sections[i], 100 * (i + 1));
        memset(sections[i]->data, i, sections[i]->len);
    }
    for (unsigned n = 0; n < rounds; n++) {
        g_autoptr(GPtrArray) pieces = write_stream(sections, n & 1);
        g_autoptr(GByteArray) all = join(pieces);
        StatePieces from = { .pieces = pieces };
        StateSource source = state_source_pieces(&from);
        const uint8_t *data;
        StateReader *r;
        char name[5];
        size_t len;

        for (int k = g_rand_int_range(rand, 1, 5); k > 0; k--) {
            guint at = g_rand_int_range(rand, 0, all->len - 1);

            if (g_rand_int_range(rand, 0, 4))
                all->data[at] = g_rand_int(rand);
            else
                g_byte_array_remove_range(all, at, MIN(all->len - at - 1, 4));
        }
        g_ptr_array_set_size(pieces, 0);
        g_ptr_array_add(pieces, g_bytes_new(all->data, all->len));
        r = state_reader_new(&source);
        while (state_reader_next(r, name, &data, &len, NULL) && *name)
            ;
        state_reader_free(r);
    }
    for (unsigned i = 0; i < SECTIONS; i++)
        g_byte_array_unref(sections[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_mutated),
    };

    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
