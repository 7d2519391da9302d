// SPDX-License-Identifier: MIT
/*
 * The processor's own data. There is one processor, so this is a plain variable: entry.S reaches
 * each field relative to the instruction pointer and needs neither GS nor a spare register.
 */
#include <hv/percpu.h>

struct cpu cpu;
