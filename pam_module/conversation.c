/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/conversation.h"

#include <errno.h>
#include <string.h>

enum {
        ANSWER_MAX = 512 /* PAM_MAX_RESP_SIZE */
};

static int converse(pam_handle_t *pamh, int style, const char *prompt, struct pam_response **ret) {
        const struct pam_message message = {.msg_style = style, .msg = prompt}, *messages = &message;
        const struct pam_conv *conversation = NULL;

        *ret = NULL;
        if (pam_get_item(pamh, PAM_CONV, (const void **)&conversation) != PAM_SUCCESS || !conversation ||
            !conversation->conv)
                return -ENOTCONN;
        return conversation->conv(1, &messages, ret, conversation->appdata_ptr) == PAM_SUCCESS ? 0 : -EIO;
}

static void scope_response(struct pam_response **response) {
        if (!*response)
                return;
        secret_wipe((*response)->resp);
        free(*response);
}

static int ask(pam_handle_t *pamh, int style, const char *prompt, Secret *ret) {
        CLEANUP(scope_response) struct pam_response *response = NULL;
        int r = converse(pamh, style, prompt, &response);
        size_t length;

        if (r < 0)
                return r;
        if (!response || !response->resp || !*response->resp)
                return -ENODATA;
        length = strnlen(response->resp, ANSWER_MAX);
        return length == ANSWER_MAX ? -E2BIG : secret_from(response->resp, length, ret);
}

int conversation_ask_secret(pam_handle_t *pamh, const char *prompt, Secret *ret) {
        return ask(pamh, PAM_PROMPT_ECHO_OFF, prompt, ret);
}

int conversation_ask(pam_handle_t *pamh, const char *prompt, Secret *ret) {
        return ask(pamh, PAM_PROMPT_ECHO_ON, prompt, ret);
}

int conversation_tell(pam_handle_t *pamh, int flags, const char *text) {
        CLEANUP(scope_response) struct pam_response *response = NULL;

        return flags & PAM_SILENT ? 0 : converse(pamh, PAM_TEXT_INFO, text, &response);
}
