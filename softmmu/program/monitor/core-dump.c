/* SPDX-License-Identifier: MIT */
/*
 * dump-guest-memory: RAM as an ELF core file (gABI; one PT_LOAD for each piece of RAM, by physical
 * address) with an NT_PRSTATUS note of each CPU, and the guest's VMCOREINFO if it has told of it
 * (-device vmcoreinfo), as gdb and crash read it. Virtual addresses are
 * not followed: a debugger has the page tables in the file. Missing: -p, -z and like formats.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/program/monitor/internal.h"

#define CHUNK     (1u << 20)
#define PRSTATUS  336 /* bytes of x86-64's */
#define PR_PID    32
#define PR_REGS   112
#define NOTE_NAME "CORE"
#define NOTE_HEAD 12
#define ROUND4(n) (((uint64_t)(n) + 3) & ~UINT64_C(3))

typedef struct Piece {
    uint64_t addr, size;
} Piece;

/* RAM and ROM as CPUs see them, neighbours joined. */
static GArray *find_pieces(Monitor *mon, uint64_t begin, uint64_t end)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
    size_t count;
    const FlatRange *r = address_space_ranges(mon->m->memory, &count);

    for (size_t i = 0; i < count; i++) {
        uint64_t from = MAX(r[i].start, begin), to = MIN(r[i].start + r[i].size, end);
        Piece *last = pieces->len ? &g_array_index(pieces, Piece, pieces->len - 1) : NULL;
        Piece piece = { from, to - from };

        if (!r[i].region->ram || from >= to)
            continue;
        if (last && last->addr + last->size == from)
            last->size += piece.size;
        else
            g_array_append_val(pieces, piece);
    }
    return pieces;
}

/* In the order of struct user_regs_struct. */
static void put_registers(Monitor *mon, unsigned cpu, uint8_t *out)
{
    static const char *const names[] = { "r15",     "r14",     "r13", "r12", "rbp",    "rbx", "r11",
                                         "r10",     "r9",      "r8",  "rax", "rcx",    "rdx", "rsi",
                                         "rdi",     "rax",     "rip", "cs",  "rflags", "rsp", "ss",
                                         "fs_base", "gs_base", "ds",  "es",  "fs",     "gs" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        uint64_t value = 0;

        mon->cpus.get_register(mon->cpus.opaque, cpu, names[i], &value); /* else 0 */
        put_le(out + 8 * i, 8, value);
    }
}

/* The guest's own, of the crash that it may have had, if it is one: by its name. */
static void add_guest_note(Monitor *mon, GByteArray *notes)
{
    static const char name[] = "VMCOREINFO";
    g_autofree uint8_t *note = NULL;
    uint64_t addr, own;
    uint32_t size;

    if (!mon->board.find_core_note || !mon->board.find_core_note(mon->m, &addr, &size) ||
        size < NOTE_HEAD + sizeof(name) || size > CHUNK)
        return;
    note = g_malloc(size);
    address_space_read_bytes(mon->m->memory, addr, note, size);
    own = NOTE_HEAD + ROUND4(sizeof(name)) + ROUND4(get_le(note + 4, 4));
    if (own <= size && get_le(note, 4) == sizeof(name) &&
        !memcmp(note + NOTE_HEAD, name, sizeof(name)))
        g_byte_array_append(notes, note, own); /* zeros follow it */
}

static GByteArray *make_notes(Monitor *mon)
{
    GByteArray *notes = g_byte_array_new();

    for (unsigned n = 0; n < mon->cpus.count(mon->cpus.opaque); n++) {
        uint8_t note[20 + PRSTATUS] = { 0 };

        put_le(note, 4, sizeof(NOTE_NAME));
        put_le(note + 4, 4, PRSTATUS);
        put_le(note + 8, 4, NT_PRSTATUS);
        memcpy(note + 12, NOTE_NAME, sizeof(NOTE_NAME));
        put_le(note + 20 + PR_PID, 4, n + 1);
        put_registers(mon, n, note + 20 + PR_REGS);
        g_byte_array_append(notes, note, sizeof(note));
    }
    add_guest_note(mon, notes);
    return notes;
}

static void put_segment(GByteArray *out, uint32_t type, uint64_t offset, uint64_t addr,
                        uint64_t size)
{
    uint8_t ph[sizeof(Elf64_Phdr)] = { 0 };

    put_le(ph, 4, type);
    put_le(ph + 8, 8, offset);
    put_le(ph + 16, 8, addr); /* virtual addresses are physical ones here */
    put_le(ph + 24, 8, addr);
    put_le(ph + 32, 8, size);
    put_le(ph + 40, 8, size);
    g_byte_array_append(out, ph, sizeof(ph));
}

static GByteArray *make_head(const GArray *pieces, const GByteArray *notes)
{
    static const uint8_t ident[EI_NIDENT] = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, 1 };
    GByteArray *out = g_byte_array_new();
    uint8_t eh[sizeof(Elf64_Ehdr)] = { 0 };
    uint64_t at = sizeof(eh) + (1 + pieces->len) * sizeof(Elf64_Phdr);

    memcpy(eh, ident, sizeof(ident));
    put_le(eh + 16, 2, ET_CORE);
    put_le(eh + 18, 2, EM_X86_64);
    put_le(eh + 20, 4, EV_CURRENT);
    put_le(eh + 32, 8, sizeof(eh));
    put_le(eh + 52, 2, sizeof(eh));
    put_le(eh + 54, 2, sizeof(Elf64_Phdr));
    put_le(eh + 56, 2, 1 + pieces->len);
    g_byte_array_append(out, eh, sizeof(eh));
    put_segment(out, PT_NOTE, at, 0, notes->len);
    at += notes->len;
    for (guint i = 0; i < pieces->len; i++) {
        const Piece *p = &g_array_index(pieces, Piece, i);

        put_segment(out, PT_LOAD, at, p->addr, p->size);
        at += p->size;
    }
    g_byte_array_append(out, notes->data, notes->len);
    return out;
}

static bool write_piece(Monitor *mon, const Piece *p, FILE *file)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);

    for (uint64_t at = 0, n; at < p->size; at += n) {
        n = MIN(p->size - at, CHUNK);
        address_space_read_bytes(mon->m->memory, p->addr + at, buf, n);
        if (fwrite(buf, 1, n, file) != n)
            return false;
    }
    return true;
}

static bool write_core(Monitor *mon, const char *path, uint64_t begin, uint64_t end, GError **error)
{
    g_autoptr(GArray) pieces = find_pieces(mon, begin, end);
    g_autoptr(GByteArray) notes = make_notes(mon), head = make_head(pieces, notes);
    FILE *file = host_fopen(path, "wb");
    bool good = file && fwrite(head->data, 1, head->len, file) == head->len;

    for (guint i = 0; i < pieces->len && good; i++)
        good = write_piece(mon, &g_array_index(pieces, Piece, i), file);
    if (file && fclose(file))
        good = false;
    if (!good)
        error_set(error, "Could not write '%s': %s", path, g_strerror(errno));
    return good;
}

/* FILE [begin length] */
void monitor_dump_guest_memory(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = g_strsplit(args, " ", -1);
    unsigned n = g_strv_length(words);
    uint64_t begin = 0, length = UINT64_MAX;
    g_autoptr(GError) error = NULL;

    if (!*args || *args == '-')
        monitor_fail(mon, out, "usage: dump-guest-memory file [begin length] (an ELF core)");
    else if (n == 2 || n > 3)
        monitor_fail(mon, out, "begin and length are needed, or none of them");
    else if ((n == 3 && (!monitor_evaluate(mon, words[1], &begin, &error) ||
                         !monitor_evaluate(mon, words[2], &length, &error))) ||
             !write_core(mon, words[0], begin,
                         length > UINT64_MAX - begin ? UINT64_MAX : begin + length, &error))
        monitor_fail(mon, out, error->message);
}
