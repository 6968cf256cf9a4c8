/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i18n.h: what people read goes through _(), translated by gettext's domain "sekisho". N_() marks a text
 * that is translated where it is used. What programs read (JSON keys, event words) never comes through here.
 */
#pragma once

#include <libintl.h>

#define _(text)  gettext(text)
#define N_(text) text
