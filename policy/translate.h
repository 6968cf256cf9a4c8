/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * translate.h: texts of this library that reach people. They are written in English; N_() marks those that
 * stand alone for the catalogs of translations, and who shows them hands in what looks them up. This library
 * knows of no language.
 */
#pragma once

#define N_(text) text

/* The text in the reader's language, or TEXT itself. Never NULL; not the caller's to free. */
typedef const char *(*Translate)(const char *text);
