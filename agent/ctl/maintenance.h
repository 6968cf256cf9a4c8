/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maintenance.h: asking the guard for a maintenance, for other commands that need one. */
#pragma once

/* 0, or 2 after one line on stderr. */
int maintenance_begin(const char *reason, unsigned minutes);
