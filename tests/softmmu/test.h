/* SPDX-License-Identifier: MIT */
/* cmocka wants these in this order; every test of this folder includes this last. */
#ifndef TESTS_SOFTMMU_TEST_H
#define TESTS_SOFTMMU_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#endif
