/* SPDX-License-Identifier: MIT */
/*
 * Which privileged entries of the decode tables do the bare-metal guests execute? Reads what they
 * completed, per line an instruction in hexadecimal digits and how often (tests/guest/bare/
 * privileged.py), prints a line per privileged entry and fails if one was never completed. The
 * counts go to the file it is given too, for the report of random-streams.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entries.h"
#include "insn.h"

static unsigned parse(const char *line, uint8_t *bytes, unsigned room)
{
    unsigned n = 0;

    for (; n < room && g_ascii_isxdigit(line[2 * n]) && g_ascii_isxdigit(line[2 * n + 1]); n++)
        bytes[n] = (uint8_t)(g_ascii_xdigit_value(line[2 * n]) << 4 |
                             g_ascii_xdigit_value(line[2 * n + 1]));
    return n;
}

/* The log does not tell the mode: what these bytes are in any. */
static void count(unsigned *executed, const uint8_t *bytes, unsigned len, unsigned times)
{
    static const Mode modes[] = { M64, M32, M16P, M16 };
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (unsigned n = 0; n < G_N_ELEMENTS(modes); n++) {
        DecodeMode m = insn_decode_mode(modes[n]);
        Insn i;
        if (decode_insn(&m, bytes, len, &i) != DECODE_OK || i.len != len)
            continue;
        if (g_hash_table_add(seen, GUINT_TO_POINTER(entry_of(&i) + 1)))
            executed[entry_of(&i)] += times;
    }
}

int main(int argc, char **argv)
{
    g_autofree unsigned *executed = g_new0(unsigned, entry_count());
    unsigned never = 0, all = 0;
    uint8_t bytes[15];
    char line[80];

    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (argc != 2 || !out) {
        fprintf(stderr, "privileged OUT: cannot write it\n");
        return 2;
    }
    while (fgets(line, sizeof(line), stdin)) {
        const char *times = strchr(line, ' ');
        count(executed, bytes, parse(line, bytes, sizeof(bytes)),
              times ? (unsigned)strtoul(times, NULL, 10) : 0);
    }
    for (unsigned n = 0; n < entry_count(); n++) {
        const Entry *e = entry_at(n);
        const char *why = entry_is_privileged(e);
        if (!why)
            continue;
        all++;
        never += !executed[n];
        fprintf(out, "%u %s\n", executed[n], e->id);
        printf("%-28s %-14s %7u  %s%s\n", e->id, e->desc->name, executed[n], why,
               executed[n] ? "" : " NEVER");
    }
    fclose(out);
    printf("%u privileged entries, %u not executed\n", all, never);
    return never ? 1 : 0;
}
