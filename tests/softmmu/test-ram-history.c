/* SPDX-License-Identifier: MIT */
/* Versions of RAM against whole copies of it: moments of a run kept, gone to, forgotten. */
#include "softmmu/ram-history.h"

#include <string.h>

#include "tests/softmmu/test.h"

enum { PAGES = 24, BYTES = PAGES * 4096, MOMENTS = 12, ROUNDS = 6000, TIMES = 400 };

/* A run that is always the same, from time 0 to TIMES. */
typedef struct Model {
    RamSet *set;
    RamBlock *block[2]; /* half of the pages each */
    RamHistory *history;
    RamMoment *moment[MOMENTS];
    unsigned time_of[MOMENTS];
    unsigned count, time;
    uint8_t (*copy)[BYTES]; /* by time */
    uint8_t told[BYTES / 64];
    uint32_t random;
} Model;

static unsigned next_random(uint32_t *random, unsigned below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % below;
}

static unsigned any(Model *m, unsigned below)
{
    return next_random(&m->random, below);
}

static uint8_t *host(Model *m, unsigned at)
{
    return m->block[at / (BYTES / 2)]->host + at % (BYTES / 2);
}

static void read_all(Model *m, uint8_t *out)
{
    memcpy(out, m->block[0]->host, BYTES / 2);
    memcpy(out + BYTES / 2, m->block[1]->host, BYTES / 2);
}

/* What happens at a time. */
static void run_once(Model *m)
{
    uint32_t random = ++m->time;

    for (unsigned n = next_random(&random, 5); n; n--) {
        unsigned at = next_random(&random, BYTES), page = at & ~4095u;

        if (next_random(&random, 4)) {
            *host(m, at) = next_random(&random, 3);
            ram_block_written(m->block[at / (BYTES / 2)], at % (BYTES / 2), 1);
        } else {
            memset(host(m, page), 0, 4096);
            ram_block_written(m->block[page / (BYTES / 2)], page % (BYTES / 2), 4096);
        }
    }
}

static void note(void *opaque, uint64_t ram, uint64_t len)
{
    Model *m = opaque;

    assert_true(ram % 64 == 0 && len % 64 == 0 && ram + len <= BYTES);
    memset(m->told + ram / 64, 1, len / 64);
}

/* Exactly what was told of has changed. */
static void go(Model *m, unsigned to)
{
    g_autofree uint8_t *before = g_malloc(BYTES), *after = g_malloc(BYTES);

    read_all(m, before);
    memset(m->told, 0, sizeof(m->told));
    ram_history_go(m->history, m->moment[to], note, m);
    read_all(m, after);
    m->time = m->time_of[to];
    assert_memory_equal(after, m->copy[m->time], BYTES);
    for (unsigned i = 0; i < BYTES; i += 64)
        assert_int_equal(!!memcmp(before + i, after + i, 64), m->told[i / 64]);
}

/* The number of the first moment that is not before the time. */
static unsigned number_at(const Model *m)
{
    unsigned n = 0;

    while (n < m->count && m->time_of[n] < m->time)
        n++;
    return n;
}

/* A moment that the run comes by is where it comes from then. */
static void run_on(Model *m, unsigned times)
{
    for (; times && m->time < TIMES; times--) {
        unsigned n;

        run_once(m);
        n = number_at(m);
        if (n < m->count && m->time_of[n] == m->time)
            go(m, n);
    }
}

static void keep(Model *m)
{
    unsigned n = number_at(m);

    if (m->count == MOMENTS || (n < m->count && m->time_of[n] == m->time))
        return;
    memmove(m->moment + n + 1, m->moment + n, (m->count - n) * sizeof(m->moment[0]));
    memmove(m->time_of + n + 1, m->time_of + n, (m->count - n) * sizeof(m->time_of[0]));
    m->moment[n] = ram_history_keep(m->history);
    m->time_of[n] = m->time;
    m->count++;
}

static void forget(Model *m, unsigned n)
{
    if (n >= m->count)
        return;
    ram_history_forget(m->history, m->moment[n]);
    m->count--;
    memmove(m->moment + n, m->moment + n + 1, (m->count - n) * sizeof(m->moment[0]));
    memmove(m->time_of + n, m->time_of + n + 1, (m->count - n) * sizeof(m->time_of[0]));
}

static Model *model_new(void)
{
    Model *m = g_new0(Model, 1);

    m->copy = g_malloc((size_t)(TIMES + 1) * BYTES);
    m->set = ram_set_new();
    m->block[0] = ram_block_new(m->set, "a", BYTES / 2, NULL);
    m->block[1] = ram_block_new(m->set, "b", BYTES / 2, NULL);
    m->history = ram_history_new(m->set);
    run_once(m);
    m->time = 0;
    keep(m);
    read_all(m, m->copy[0]);
    while (m->time < TIMES) {
        run_once(m);
        read_all(m, m->copy[m->time]);
    }
    go(m, 0);
    return m;
}

static void test_model(void **state)
{
    Model *m = model_new();

    for (unsigned i = 0; i < ROUNDS; i++) {
        run_on(m, any(m, 30));
        switch (any(m, 4)) {
        case 0: keep(m); break;
        case 1: go(m, any(m, m->count)); break;
        case 2: forget(m, 1 + any(m, MOMENTS)); break;
        }
    }
    while (m->count > 1)
        forget(m, 1);
    assert_true(ram_history_bytes(m->history) <= 5 * (4096 + 32)); /* of the first */
    go(m, 0);
    ram_history_free(m->history);
    ram_set_free(m->set);
    g_free(m->copy);
    g_free(m);
}

/* Pages that are zero, or not written again, take no room. */
static void test_room(void **state)
{
    RamSet *set = ram_set_new();
    RamBlock *block = ram_block_new(set, "a", UINT64_C(64) << 20, NULL);
    RamHistory *h = ram_history_new(set);

    ram_block_written(block, 0, block->size);
    block->host[5 * 4096] = 1;
    ram_history_keep(h);
    assert_in_range(ram_history_bytes(h), 4096, 4096 + 16384 * 24);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t before = ram_history_bytes(h);

        block->host[4096] = i;
        ram_block_written(block, 4095, 2); /* touches two */
        ram_history_keep(h);
        assert_in_range(ram_history_bytes(h) - before, 32, 2 * 4096);
    }
    ram_history_free(h);
    ram_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
