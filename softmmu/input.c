/* SPDX-License-Identifier: MIT */
#include "softmmu/input.h"

#include <string.h>

#include "softmmu/clock.h"

typedef struct Channel {
    char *name;
    bool control;
    InputFunc *func;
    void *opaque;
} Channel;

typedef struct Event {
    int channel;
    GBytes *data;
} Event;

struct InputQueue {
    GArray *channels; /* Channel; fixed once posting starts */
    GMutex lock;
    GCond posted;
    GQueue incoming; /* Event *; under the lock */
    int pending;     /* atomic: events in incoming */
    GQueue aside;    /* Event *; machine thread: what waits for the machine to run */
    InputTap *tap;
    void *tap_opaque;
    void (*wake_hook)(void *opaque);
    void *wake_opaque;
    int replaying; /* atomic */
};

static void event_free(void *p)
{
    Event *event = p;

    g_bytes_unref(event->data);
    g_free(event);
}

static void channel_clear(void *p)
{
    g_free(((Channel *)p)->name);
}

InputQueue *input_queue_new(void)
{
    InputQueue *q = g_new0(InputQueue, 1);

    q->channels = g_array_new(FALSE, FALSE, sizeof(Channel));
    g_array_set_clear_func(q->channels, channel_clear);
    g_mutex_init(&q->lock);
    g_cond_init(&q->posted);
    g_queue_init(&q->incoming);
    g_queue_init(&q->aside);
    return q;
}

void input_queue_free(InputQueue *q)
{
    if (!q)
        return;
    g_queue_clear_full(&q->incoming, event_free);
    g_queue_clear_full(&q->aside, event_free);
    g_array_free(q->channels, TRUE);
    g_mutex_clear(&q->lock);
    g_cond_clear(&q->posted);
    g_free(q);
}

int input_add_channel(InputQueue *q, const char *name, bool control, InputFunc *func, void *opaque)
{
    Channel channel = { g_strdup(name), control, func, opaque };

    g_mutex_lock(&q->lock); /* others may be posting */
    g_array_append_val(q->channels, channel);
    g_mutex_unlock(&q->lock);
    return q->channels->len - 1;
}

static void hear_nothing(void *opaque, const void *data, size_t len)
{
}

void input_close_channel(InputQueue *q, int channel)
{
    Channel *c = &g_array_index(q->channels, Channel, channel);

    g_mutex_lock(&q->lock);
    c->func = hear_nothing;
    c->control = true; /* no recording has what nobody hears */
    g_mutex_unlock(&q->lock);
}

void input_post(InputQueue *q, int channel, const void *data, size_t len)
{
    Event *event;
    bool control;

    g_mutex_lock(&q->lock);
    g_assert(channel >= 0 && (unsigned)channel < q->channels->len);
    control = g_array_index(q->channels, Channel, channel).control;
    g_mutex_unlock(&q->lock);
    if (input_is_replaying(q) && !control)
        return;
    event = g_new(Event, 1);
    event->channel = channel;
    event->data = g_bytes_new(data, len);
    g_mutex_lock(&q->lock);
    g_queue_push_tail(&q->incoming, event);
    g_atomic_int_inc(&q->pending);
    g_cond_signal(&q->posted);
    g_mutex_unlock(&q->lock);
    if (q->wake_hook)
        q->wake_hook(q->wake_opaque);
}

static const Channel *event_channel(const InputQueue *q, const Event *event)
{
    return &g_array_index(q->channels, Channel, event->channel);
}

static void hand_over(InputQueue *q, Event *event, uint64_t count)
{
    const Channel *channel = event_channel(q, event);
    size_t len;
    const void *data = g_bytes_get_data(event->data, &len);

    if (q->tap && !channel->control)
        q->tap(q->tap_opaque, count, event->channel, data, len);
    channel->func(channel->opaque, data, len);
    event_free(event);
}

bool input_act(InputQueue *q, int channel, const void *data, size_t len, uint64_t count)
{
    Event *event;

    g_assert(channel >= 0 && (unsigned)channel < q->channels->len);
    if (input_is_replaying(q))
        return false;
    event = g_new(Event, 1);
    *event = (Event){ channel, g_bytes_new(data, len) };
    hand_over(q, event, count);
    return true;
}

static void take_incoming(InputQueue *q, GQueue *taken)
{
    g_mutex_lock(&q->lock);
    *taken = q->incoming;
    g_queue_init(&q->incoming);
    g_atomic_int_set(&q->pending, 0);
    g_mutex_unlock(&q->lock);
}

bool input_deliver(InputQueue *q, bool running, uint64_t count)
{
    GQueue taken;
    Event *event;
    bool any = false;

    if (!input_pending(q) && (!running || g_queue_is_empty(&q->aside)))
        return false;
    take_incoming(q, &taken);
    while (running && (event = g_queue_pop_head(&q->aside))) {
        hand_over(q, event, count);
        any = true;
    }
    while ((event = g_queue_pop_head(&taken))) {
        if (running || event_channel(q, event)->control) {
            hand_over(q, event, count);
            any = true;
        } else {
            g_queue_push_tail(&q->aside, event);
        }
    }
    return any;
}

bool input_pending(InputQueue *q)
{
    return __atomic_load_n(&q->pending, __ATOMIC_RELAXED) != 0;
}

void input_resume(InputQueue *q)
{
    if (!g_queue_is_empty(&q->aside))
        g_atomic_int_inc(&q->pending);
}

void input_wait(InputQueue *q, int64_t timeout_ns)
{
    bool forever = timeout_ns == CLOCK_NEVER;
    int64_t until_us;

    if (timeout_ns <= 0)
        return;
    timeout_ns = MIN(timeout_ns, 3600 * NS_PER_SEC);
    until_us = g_get_monotonic_time() + (timeout_ns + 999) / 1000;
    g_mutex_lock(&q->lock);
    while (!input_pending(q)) {
        if (forever)
            g_cond_wait(&q->posted, &q->lock);
        else if (!g_cond_wait_until(&q->posted, &q->lock, until_us))
            break;
    }
    g_mutex_unlock(&q->lock);
}

void input_set_tap(InputQueue *q, InputTap *tap, void *opaque)
{
    q->tap = tap;
    q->tap_opaque = opaque;
}

/* ---- Replaying ------------------------------------------------------------------------------- */

void input_set_replaying(InputQueue *q, bool replaying)
{
    g_atomic_int_set(&q->replaying, replaying);
}

bool input_is_replaying(const InputQueue *q)
{
    return g_atomic_int_get(&q->replaying);
}

void input_replay(InputQueue *q, int channel, const void *data, size_t len)
{
    const Channel *c = &g_array_index(q->channels, Channel, channel);

    c->func(c->opaque, data, len);
}

void input_name_channel(InputQueue *q, int channel, const char *name)
{
    Channel *c = &g_array_index(q->channels, Channel, channel);

    g_free(c->name);
    c->name = g_strdup(name);
}

const char **input_channel_names(const InputQueue *q)
{
    const char **names = g_new0(const char *, q->channels->len + 1);

    for (unsigned i = 0; i < q->channels->len; i++) {
        const Channel *c = &g_array_index(q->channels, Channel, i);

        names[i] = c->control ? "" : c->name;
    }
    return names;
}

void input_set_wake_hook(InputQueue *q, void (*hook)(void *opaque), void *opaque)
{
    q->wake_hook = hook;
    q->wake_opaque = opaque;
}
