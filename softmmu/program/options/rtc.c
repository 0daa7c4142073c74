/* SPDX-License-Identifier: MIT */
/* -rtc: the guest's wall clock. */
#include <string.h>
#include <time.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

static int64_t local_now_s(void)
{
    time_t now = time(NULL);
    struct tm tm;

    localtime_r(&now, &tm);
    return now + tm.tm_gmtoff;
}

/* "2006-06-17T16:01:21" or "2006-06-17", as UTC. */
static bool parse_date(const char *text, int64_t *seconds)
{
    struct tm tm = { 0 }, back;
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!end) {
        tm = (struct tm){ 0 };
        end = strptime(text, "%Y-%m-%d", &tm);
    }
    if (!end || *end)
        return false;
    back = tm;
    *seconds = timegm(&back);
    return back.tm_mday == tm.tm_mday; /* refuses the 31st of February */
}

static bool set_rtc_base(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    o->rtc_base_given = true;
    if (!strcmp(value, "utc")) {
        o->config.rtc_base_s = time(NULL);
        return true;
    }
    if (!strcmp(value, "localtime")) {
        o->config.rtc_base_s = local_now_s();
        return true;
    }
    if (parse_date(value, &o->config.rtc_base_s))
        return true;
    error_set(error,
              "'%s' is not a date; valid are utc, localtime, 2006-06-17T16:01:21 and "
              "2006-06-17",
              value);
    return false;
}

static bool set_rtc_clock(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    o->config.rtc_vm_clock = !strcmp(value, "vm");
    if (o->config.rtc_vm_clock || !strcmp(value, "host"))
        return true;
    error_set(error, "'%s' is not supported; use host or vm", value);
    return false;
}

static bool set_drift_fix(void *ctx, const char *value, GError **error)
{
    if (!strcmp(value, "slew"))
        options_warn("driftfix=slew: ticks that the guest has missed are not made up for");
    else if (strcmp(value, "none"))
        error_set(error, "'%s' is not none or slew", value);
    return !strcmp(value, "none") || !strcmp(value, "slew");
}

static const KeyRow rtc_keys[] = {
    { "base", set_rtc_base }, { "clock", set_rtc_clock }, { "driftfix", set_drift_fix }, { NULL }
};

bool opt_rtc(Options *o, const char *arg, GError **error)
{
    return keyval_apply(arg, NULL, rtc_keys, o, error);
}
