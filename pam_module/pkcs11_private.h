/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pkcs11_private.h: calling a module. Every call of one goes through here. */
#pragma once

#include "pam_module/pkcs11.h"

/* Takes the environment away, and gives it back. */
char **environment_hide(void);
void environment_show(char **environment);

#define CALL(functions, name, ...)                                                                          \
        __extension__({                                                                                     \
                char **environment_ = environment_hide();                                                   \
                CK_RV answer_ = (functions)->name(__VA_ARGS__);                                             \
                environment_show(environment_);                                                             \
                answer_;                                                                                    \
        })

/* The -errno of pkcs11.h for an answer. */
int card_error(CK_RV answer);

/* Objects that have all of the N attributes, at most MAX. How many, or -errno. */
int card_objects(const Card *card, CK_ATTRIBUTE *attributes, CK_ULONG n, CK_OBJECT_HANDLE *ret,
                 CK_ULONG max);

/* One attribute of an object, which fits into SIZE. 0 with its length, -EBADMSG or -errno. */
int card_attribute(const Card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *ret, size_t size,
                   size_t *ret_length);
