/* SPDX-License-Identifier: MIT */
/*
 * The one GError domain for the user's mistakes: a sentence, no code to switch on. Nobody prints
 * but main.c and the monitor; everybody else passes the error up, adding a prefix where it helps.
 */
#ifndef SOFTMMU_ERROR_H
#define SOFTMMU_ERROR_H

#include <glib.h>

#define ERROR_USER g_quark_from_static_string("mimus")

#define error_set(error, ...) g_set_error((error), ERROR_USER, 0, __VA_ARGS__)

#endif
