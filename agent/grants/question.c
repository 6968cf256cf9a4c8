/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/question.h"

#include <string.h>

DEFINE_ENUM_STRINGS(GrantMethod, grant_method, GRANT_METHOD_LIST)
DEFINE_ENUM_STRINGS(GrantRefusal, grant_refusal, GRANT_REFUSAL_LIST)

const char *grant_argument(const GrantQuestion *question, const char *name) {
        for (size_t i = 0; i < question->n; i++)
                if (strcmp(question->arguments[i].name, name) == 0)
                        return question->arguments[i].value;
        return "";
}
