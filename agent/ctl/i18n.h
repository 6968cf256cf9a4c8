/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * i18n.h: what people read goes through _(), translated by gettext's domain "sekisho". N_() marks a text
 * that is translated where it is used; C_() says of what a single word is, where that tells how to translate
 * it. What programs read (JSON keys, event words) never comes through here: with --json everything is said
 * in English (commands.c).
 *
 * packaging/po/update collects the texts.
 */
#pragma once

#include <libintl.h>

#include "policy/translate.h"

#define _(text)           gettext(text)
#define C_(context, text) translated_in(context "\004" text, text)

/* gettext's catalogs have a text with context under "CONTEXT\004TEXT". Returns TEXT if it is not there. */
static inline const char *translated_in(const char *key, const char *text) {
        const char *found = gettext(key);

        return found == key ? text : found;
}
