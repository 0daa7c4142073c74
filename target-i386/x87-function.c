/* SPDX-License-Identifier: MIT */
/*
 * Transcendental instructions where the guest's x87 is the host's (x87-host.c): ordinary operands,
 * everything else goes the way of help-x87-math.c. The functions are computed as for every host
 * (tcg/softfloat-wide.h) and given in two parts, whose sum the host's x87 rounds to the result: so
 * rounding, C1 and exceptions are its own. Keeps to general registers.
 */
#include "target-i386/help-fp.h"
#include "tcg/softfloat-wide.h"

enum {
    F2XM1 = 0xf0,
    FYL2X,
    FPTAN,
    FPATAN,
    FPREM1 = 0xf5,
    FPREM = 0xf8,
    FYL2XP1,
    FSINCOS = 0xfb,
    FSIN = 0xfe,
    FCOS
};
enum { ENV_FSW = 2, ENV_TAGS = 4, FCW_MASKED = 0x3f, FCW_EXTENDED = 0x300, FCW_RC = 0xc00 };

_Static_assert(sizeof(X87Frame) <= sizeof(((CpuX86 *)0)->vtmp), "it lies in vtmp");

static X87Frame *frame_of(CpuX86 *c)
{
    return (X87Frame *)c->vtmp;
}

static bool is_trigonometric(unsigned modrm)
{
    return modrm == FPTAN || modrm == FSINCOS || modrm == FSIN || modrm == FCOS;
}

static bool is_empty(const X87Frame *f, unsigned i)
{
    unsigned physical = ((f->env[ENV_FSW] >> 11) + i) & 7;

    return (f->env[ENV_TAGS] >> (2 * physical) & 3) == 3;
}

static bool take(const X87Frame *f, unsigned i, SfFinite *x)
{
    unsigned biased = f->op[i].se & 0x7fff;

    *x = (SfFinite){ f->op[i].se >> 15, (int32_t)biased - 16383, f->op[i].frac };
    return biased && biased != 0x7fff && x->frac >> 63;
}

/* @w as 64 bits and a double that is not 0. False: it may be no normal number when rounded. */
static bool give(X87Frame *f, unsigned i, uint64_t *rest, SfBig w)
{
    uint64_t low = (uint64_t)w.frac | 1;
    unsigned shift = (unsigned)__builtin_clzll(low);
    int exp = w.exp - 64 - (int)shift;

    if (exp < -1000 || w.exp > 1000)
        return false;
    f->op[i].frac = (uint64_t)(w.frac >> 64);
    f->op[i].se = (uint16_t)((w.exp + 16383) | w.sign << 15);
    low <<= shift;
    low = (low & INT64_MAX) >> 11 | ((low & 0x7ff) != 0);
    *rest = (uint64_t)w.sign << 63 | (uint64_t)(exp + 1023) << 52 | low;
    return true;
}

static bool rounds_away(SfBig w, unsigned rc)
{
    switch (rc) {
    case SF_NEAREST: return (uint64_t)w.frac >> 63;
    case SF_DOWN: return w.sign;
    case SF_UP: return !w.sign;
    default: return false;
    }
}

/* FPTAN's 1, made in such a way that C1 is the tangent's. */
static void give_1(X87Frame *f, bool c1)
{
    f->op[1].frac = 1ull << 63;
    f->op[1].se = 0x3fff;
    f->op[1].fcw = FCW_MASKED | FCW_EXTENDED; /* nearest */
    f->rest[1] = c1 ? 0xbb90000000000000 /* -2^-70 */ : 0;
}

static bool compute(CpuX86 *c, X87Frame *f, unsigned modrm)
{
    SfFinite x, y;
    SfBig w;

    if (!take(f, 0, &x))
        return false;
    switch (modrm) {
    case F2XM1:
        if (x.exp >= 0)
            return false;
        w = sf_wide_2xm1(x);
        break;
    case FYL2X:
        if (!take(f, 1, &y) || x.sign || !(x.frac << 1))
            return false;
        w = sf_wide_yl2x(y, x);
        break;
    case FYL2XP1:
        if (!take(f, 1, &y) || (x.sign && x.exp >= 0) || sf_next_is_power_of_2(x))
            return false;
        w = sf_wide_yl2xp1(y, x);
        break;
    case FPATAN:
        if (!take(f, 1, &y))
            return false;
        w = sf_wide_atan(y, x);
        break;
    case FSIN:
    case FSINCOS: w = sf_wide_sine(x, false); break;
    case FCOS: w = sf_wide_sine(x, true); break;
    default: w = sf_wide_tan(x); break;
    }
    if (modrm == FSINCOS && !give(f, 1, &f->rest[1], sf_wide_sine(x, true)))
        return false;
    if (modrm == FPTAN)
        give_1(f, rounds_away(w, c->fcw >> 10 & 3));
    return give(f, 2, &f->rest[0], w);
}

uint32_t help_x87_function(CpuX86 *c, uint32_t how)
{
    X87Frame *f = frame_of(c);
    unsigned modrm = how & 0xff;
    bool pushes = modrm == FPTAN || modrm == FSINCOS;
    bool pops = modrm == FYL2X || modrm == FPATAN || modrm == FYL2XP1;

    if (modrm == FPREM || modrm == FPREM1) /* the operands' tags are asked for */
        return !is_empty(f, 0) && !is_empty(f, 1);
    f->op[0].how = how;
    f->op[0].fcw = f->op[1].fcw = (c->fcw & FCW_RC) | FCW_EXTENDED | FCW_MASKED;
    f->op[2].fcw = (c->fcw & 0xf3f) | FCW_MASKED;
    if (is_trigonometric(modrm) &&
        (f->env[ENV_FSW] & FSW_C2 || (f->op[0].se & 0x7fff) >= 16383 + 63))
        return false; /* C2 is to become 0; or 1 */
    if ((how & X87_CHECKS_TAGS) &&
        (is_empty(f, 0) || (pops && is_empty(f, 1)) || (pushes && !is_empty(f, 7))))
        return false;
    return compute(c, f, modrm);
}

void x87_undo(CpuX86 *c, uint32_t reason)
{
    const X87Frame *f = frame_of(c);
    unsigned pops = reason == X86_EXIT_X87_UNDO2 ? 2 : 1;

    if (reason == X86_EXIT_X87_REDO) {
        x87_put(c, 0, (Float80){ f->op[0].frac, f->op[0].se });
        return;
    }
    for (unsigned i = pops; i-- > 0;) {
        if ((f->op[0].how & X87_CHECKS_TAGS) && is_empty(f, i))
            c->fpstt = (c->fpstt - 1) & 7;
        else
            x87_push(c, (Float80){ f->op[i].frac, f->op[i].se });
    }
}
