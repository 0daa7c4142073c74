/* SPDX-License-Identifier: MIT */
#include "softmmu/machine.h"

void machine_request(Machine *m, RunRequest r)
{
    m->requests |= r;
    if (m->request_hook)
        m->request_hook(m->request_opaque);
}

/* The first to quit decides the status. */
void machine_request_quit(Machine *m, int exit_status)
{
    if (!(m->requests & REQUEST_QUIT))
        m->exit_status = exit_status;
    machine_request(m, REQUEST_QUIT);
}
