/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qr.h: a QR code in characters that a terminal has: two rows of modules to a line.
 */
#pragma once

#include <stdio.h>

/* Prints TEXT as a QR code, dark on light whatever the terminal's colours are, with its quiet zone. 0, or
 * -errno (-ERANGE: too long). */
int qr_print(const char *text, FILE *to);
