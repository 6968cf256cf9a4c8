/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grants.h: what the commands of exceptions share. */
#pragma once

#include "agent/ctl/command.h"
#include "agent/ctl/json.h"
#include "agent/grants/question.h"

/* Ask the guard METHOD with the N ARGUMENTS. 0 with what it says, or 2 after telling why not on stderr. */
int grants_ask(GrantMethod method, const GrantArgument *arguments, size_t n, struct json_object **ret);

/* One permit, in lines, for a person. */
void grants_print(const struct json_object *permit);

/* Why it is refused, as a sentence. Never NULL; static. */
const char *grants_refusal_text(GrantRefusal refusal);

/* What the word means that the book has for a state, or for why a grant ended. */
const char *grants_state_text(const char *word);
const char *grants_cause_text(const char *word);
