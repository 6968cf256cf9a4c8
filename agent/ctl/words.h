/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.h: the vocabulary of the journal, the status file and the policy in the words of the reader. In
 * English a word stands for itself. A word that is not in the vocabulary (a newer agent's, a forged
 * record's) is shown as it is.
 */
#pragma once

/* Each takes a word as programs write it, or NULL, which it returns. Not the caller's to free. */
const char *word_event(const char *word);
const char *word_access(const char *word);
const char *word_guard(const char *word);
const char *word_zone(const char *word);
const char *word_mode(const char *word);
const char *word_lock_reason(const char *word);

/* A whole text that the agent or the policy library wrote in English, or the system's word for an error. */
const char *word_text(const char *text);

/* What the agent says of a mechanism or a failure: "WORD", or "WORD: WHY". A new string, NULL if memory is
 * short or TEXT is NULL. */
char *word_state(const char *text);
