/* SPDX-License-Identifier: MIT */
/* `x` and `xp`, dumps of virtual and physical memory as numbers or instructions, and `print`. */
#include <string.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

#define MAX_UNITS      65536
#define MAX_INSN_BYTES 15

typedef struct Format {
    unsigned count, size;
    char letter;
} Format;

/* ---- Arguments ------------------------------------------------------------------------------- */

static bool take_format_letter(Format *f, char c)
{
    static const char sizes[] = "bhwg";
    const char *size = strchr(sizes, c);

    if (size)
        f->size = 1u << (size - sizes);
    else if (strchr("xduoci", c))
        f->letter = c;
    else
        return false;
    return true;
}

/* "/10xw", or nothing: then as the last time; *@text is left behind it. */
static bool take_format(Monitor *mon, const char **text, Format *f, GError **error)
{
    const char *p = *text;
    char *end;

    *f = (Format){ .count = 1, .size = 0, .letter = mon->format_letter };
    if (*p == '/') {
        p++;
        if (g_ascii_isdigit(*p)) {
            f->count = MIN(g_ascii_strtoull(p, &end, 10), MAX_UNITS);
            p = end;
        }
        for (; *p && *p != ' ' && *p != '\t'; p++) {
            if (!take_format_letter(f, *p)) {
                error_set(error, "invalid char in format: '%c'", *p);
                return false;
            }
        }
    }
    mon->format_letter = f->letter;
    *text = p + strspn(p, " \t");
    return true;
}

static void settle_size(Monitor *mon, Format *f)
{
    if (!f->size)
        f->size = mon->format_size;
    else
        mon->format_size = f->size;
}

bool monitor_take_size(Monitor *mon, const char **args, unsigned *size, GError **error)
{
    Format f;

    if (!take_format(mon, args, &f, error))
        return false;
    settle_size(mon, &f);
    *size = f.size;
    return true;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* Physical reads touch plain memory only: looking at a device would change it. */
static bool read_memory(Monitor *mon, bool physical, uint64_t addr, void *buf, size_t len)
{
    const void *host;

    if (!physical)
        return mon->cpus.peek(mon->cpus.opaque, mon->cpu, addr, buf, len);
    host = address_space_map(mon->m->memory, addr, len, false);
    if (!host)
        return false;
    memcpy(buf, host, len);
    return true;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static void print_char(uint8_t c, GString *out)
{
    if (c == '\'' || c == '\\')
        g_string_append_printf(out, "'\\%c'", c);
    else if (c == '\n' || c == '\r')
        g_string_append_printf(out, "'\\%c'", c == '\n' ? 'n' : 'r');
    else if (g_ascii_isprint(c))
        g_string_append_printf(out, "'%c'", c);
    else
        g_string_append_printf(out, "'\\x%02x'", c);
}

static void print_unit(const Format *f, uint64_t v, GString *out)
{
    int bits = 8 * f->size;
    int64_t sv = (int64_t)(v << (64 - bits)) >> (64 - bits);

    switch (f->letter) {
    case 'x': g_string_append_printf(out, " 0x%0*" G_GINT64_MODIFIER "x", bits / 4, v); break;
    case 'o': g_string_append_printf(out, " 0%0*" G_GINT64_MODIFIER "o", (bits + 2) / 3, v); break;
    case 'u':
        g_string_append_printf(out, " %*" G_GINT64_MODIFIER "u", (bits * 10 + 32) / 33, v);
        break;
    case 'd':
        g_string_append_printf(out, " %*" G_GINT64_MODIFIER "d", (bits * 10 + 32) / 33, sv);
        break;
    case 'c':
        g_string_append_c(out, ' ');
        print_char(v, out);
        break;
    }
}

static void dump_numbers(Monitor *mon, const Format *f, bool physical, uint64_t addr, GString *out)
{
    unsigned per_line = (f->size == 1 ? 8 : 16) / f->size;

    for (unsigned i = 0; i < f->count; i++, addr += f->size) {
        uint64_t value = 0;

        if (i % per_line == 0)
            g_string_append_printf(out, "%s%016" G_GINT64_MODIFIER "x:", i ? "\n" : "", addr);
        if (!read_memory(mon, physical, addr, &value, f->size)) {
            g_string_append(out, " Cannot access memory");
            break;
        }
        print_unit(f, GUINT64_FROM_LE(value), out);
    }
    g_string_append_c(out, '\n');
}

/* ---- Instructions ---------------------------------------------------------------------------- */

#ifdef HAVE_CAPSTONE
/* As many bytes as can be read, up to the longest instruction. */
static size_t read_code(Monitor *mon, bool physical, uint64_t addr, uint8_t *buf)
{
    size_t n = 0;

    while (n < MAX_INSN_BYTES && read_memory(mon, physical, addr + n, buf + n, 1))
        n++;
    return n;
}

static void print_insn(uint64_t addr, const uint8_t *bytes, size_t len, const char *text,
                       GString *out)
{
    size_t start = out->len;

    g_string_append_printf(out, "0x%08" G_GINT64_MODIFIER "x: ", addr);
    for (size_t i = 0; i < len; i++)
        g_string_append_printf(out, " %02x", bytes[i]);
    g_string_append_printf(out, "%*s %s\n", (int)MAX(0, 37 - (int)(out->len - start)), "", text);
}

/* One instruction; how long it is, 0 if memory ends. */
static size_t dump_insn(Monitor *mon, csh cs, bool physical, uint64_t addr, GString *out)
{
    uint8_t buf[MAX_INSN_BYTES];
    size_t len = read_code(mon, physical, addr, buf);
    g_autofree char *text = NULL;
    cs_insn *insn;

    if (!len) {
        g_string_append_printf(out, "0x%08" G_GINT64_MODIFIER "x:  Cannot access memory\n", addr);
        return 0;
    }
    if (!cs_disasm(cs, buf, len, addr, 1, &insn)) {
        print_insn(addr, buf, 1, "(bad)", out);
        return 1;
    }
    len = insn->size;
    text = g_strdup_printf("%-8s %s", insn->mnemonic, insn->op_str);
    print_insn(addr, buf, len, text, out);
    cs_free(insn, 1);
    return len;
}

static void dump_instructions(Monitor *mon, const Format *f, bool physical, uint64_t addr,
                              GString *out)
{
    unsigned bits = mon->cpus.code_bits(mon->cpus.opaque, mon->cpu);
    cs_mode mode = bits == 64 ? CS_MODE_64 : bits == 32 ? CS_MODE_32 : CS_MODE_16;
    csh cs;

    if (cs_open(CS_ARCH_X86, mode, &cs) != CS_ERR_OK) {
        g_string_append(out, "the disassembler cannot be opened\n");
        return;
    }
    cs_option(cs, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
    for (unsigned i = 0; i < f->count; i++) {
        size_t len = dump_insn(mon, cs, physical, addr, out);

        if (!len)
            break;
        addr += len;
    }
    cs_close(&cs);
}
#else
static void dump_instructions(Monitor *mon, const Format *f, bool physical, uint64_t addr,
                              GString *out)
{
    g_string_append(out, "this Mimus was built without a disassembler\n");
}
#endif

void monitor_dump_memory(Monitor *mon, const char *args, bool physical, GString *out)
{
    g_autoptr(GError) error = NULL;
    uint64_t addr;
    Format f;

    if (!take_format(mon, &args, &f, &error) || !monitor_evaluate(mon, args, &addr, &error)) {
        monitor_explain(mon, out, error->message);
        return;
    }
    if (f.letter == 'c')
        f.size = 1;
    else
        settle_size(mon, &f);
    if (f.letter == 'i')
        dump_instructions(mon, &f, physical, addr, out);
    else
        dump_numbers(mon, &f, physical, addr, out);
}

void monitor_print(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    uint64_t value;
    Format f;

    if (!take_format(mon, &args, &f, &error) || !monitor_evaluate(mon, args, &value, &error)) {
        monitor_explain(mon, out, error->message);
        return;
    }
    switch (f.letter) {
    case 'o': g_string_append_printf(out, "%#" G_GINT64_MODIFIER "o", value); break;
    case 'u': g_string_append_printf(out, "%" G_GINT64_MODIFIER "u", value); break;
    case 'd': g_string_append_printf(out, "%" G_GINT64_MODIFIER "d", value); break;
    case 'c': print_char(value, out); break;
    default: g_string_append_printf(out, "%#" G_GINT64_MODIFIER "x", value);
    }
    g_string_append_c(out, '\n');
}
