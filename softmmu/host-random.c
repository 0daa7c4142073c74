/* SPDX-License-Identifier: MIT */
#include "softmmu/host-random.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/log.h"

struct HostRandom {
    InputQueue *input;
    int channel, fd; /* fd -1: a replay */
    char *name;
    void (*got)(void *opaque, const uint8_t *data, size_t len);
    void *opaque;
};

static void hear(void *opaque, const void *data, size_t len)
{
    HostRandom *r = opaque;

    if (r->got && len <= HOST_RANDOM_MAX)
        r->got(r->opaque, data, len);
}

/* One that never blocks for long and never ends. */
static int open_device(const char *file, GError **error)
{
    int fd = host_open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    struct stat st;

    if (fd < 0) {
        error_set(error, "Could not open '%s': %s", file, g_strerror(errno));
        return -1;
    }
    if (!fstat(fd, &st) && S_ISCHR(st.st_mode))
        return fd;
    error_set(error, "'%s' is no character device", file);
    close(fd);
    return -1;
}

HostRandom *host_random_new(InputQueue *input, const char *id, const char *file, GError **error)
{
    int fd = file ? open_device(file, error) : -1;
    HostRandom *r;

    if (file && fd < 0)
        return NULL;
    r = g_new0(HostRandom, 1);
    r->input = input;
    r->fd = fd;
    r->name = g_strdup_printf("rng %s", id);
    r->channel = input_add_channel(input, r->name, false, hear, r);
    return r;
}

void host_random_free(HostRandom *r)
{
    if (!r)
        return;
    if (r->fd >= 0)
        close(r->fd);
    g_free(r->name);
    g_free(r);
}

void host_random_connect(HostRandom *r, void (*got)(void *opaque, const uint8_t *data, size_t len),
                         void *opaque)
{
    r->got = got;
    r->opaque = opaque;
}

void host_random_set_known(HostRandom *r, bool known)
{
    input_name_channel(r->input, r->channel, known ? r->name : "");
}

void host_random_ask(HostRandom *r, size_t len)
{
    uint8_t bytes[HOST_RANDOM_MAX];
    ssize_t done;

    if (r->fd < 0)
        return;
    done = read(r->fd, bytes, MIN(len, sizeof(bytes)));
    if (done > 0)
        input_post(r->input, r->channel, bytes, done);
    else
        log_unimp("%s: the host has no random bytes now; the guest waits\n", r->name);
}
