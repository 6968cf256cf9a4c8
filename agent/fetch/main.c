/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho-fetch: gets one file over HTTPS, for sekishoctl policy fetch, which runs it as nobody and believes
 * nothing of what it says. Decides nothing; writes nothing but its answer:
 *
 *     ok | same | failed WHY
 *     TAG              the server's ETag, or an empty line
 *     DATE             its Last-Modified, or an empty line
 *     (what was fetched)
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        BODY_MAX = 4 * 1024 * 1024,
        CERTIFICATES_MAX = 1024 * 1024,
        LINE_MAX_ = 256, /* of a validator */
        REDIRECTIONS = 5,
        CONNECT_SECONDS = 15,
        SECONDS = 120,
        SLOW_BYTES = 64, /* a second, for SLOW_SECONDS: nobody is there any more */
        SLOW_SECONDS = 30,
        STATUS_OK = 200,
        STATUS_SAME = 304
};

typedef struct Answer {
        char *body;
        size_t length;
        char tag[LINE_MAX_], modified[LINE_MAX_];
} Answer;

static int failed(const char *why) {
        printf("failed %s\n", why);
        return EXIT_FAILURE;
}

/* Called by libcurl with the body in pieces. What it returns is not what it was given: that ends it. */
static size_t on_body(char *data, size_t size, size_t n, void *userdata) {
        Answer *answer = userdata;

        size *= n;
        if (size > BODY_MAX - answer->length)
                return 0;
        memcpy(answer->body + answer->length, data, size);
        answer->length += size;
        return size;
}

/* The value of header NAME, if DATA is that and its value visible ASCII that fits. */
static void take_header(const char *data, size_t length, const char *name, char ret[static LINE_MAX_]) {
        size_t n = strlen(name);

        if (length < n || strncasecmp(data, name, n) != 0)
                return;
        data += n;
        length -= n;
        while (length > 0 && *data == ' ') {
                data++;
                length--;
        }
        while (length > 0 &&
               (data[length - 1] == '\r' || data[length - 1] == '\n' || data[length - 1] == ' '))
                length--;
        if (length >= LINE_MAX_)
                return;
        for (size_t i = 0; i < length; i++)
                if (data[i] < ' ' || data[i] > '~')
                        return;
        memcpy(ret, data, length);
        ret[length] = '\0';
}

static size_t on_header(char *data, size_t size, size_t n, void *userdata) {
        Answer *answer = userdata;

        size *= n;
        if (size >= 5 && memcmp(data, "HTTP/", 5) == 0) /* of another answer: the one before sent us here */
                answer->tag[0] = answer->modified[0] = '\0', answer->length = 0;
        take_header(data, size, "ETag:", answer->tag);
        take_header(data, size, "Last-Modified:", answer->modified);
        return size;
}

/* All certificates that standard input has, if any: whose word on the server counts. False if that is no
 * file of them. */
static bool set_certificates(CURL *curl) {
        CLEANUP_FREE char *text = malloc(CERTIFICATES_MAX);
        struct curl_blob blob = {.flags = CURL_BLOB_COPY};

        if (!text)
                return false;
        blob.data = text;
        blob.len = fread(text, 1, CERTIFICATES_MAX, stdin);
        if (blob.len == 0 || blob.len == CERTIFICATES_MAX)
                return false;
        return curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK;
}

/* Nothing but TLS from end to end, whoever it is sent on to, and an end in sight. */
static bool set_options(CURL *curl, const char *url, const struct curl_slist *headers, Answer *answer) {
        CURLcode code = CURLE_OK;

#define SET(option, value)                                                                                  \
        (code = code == CURLE_OK ? curl_easy_setopt(curl, CURLOPT_##option, (value)) : code)
        SET(URL, url);
        SET(PROTOCOLS_STR, "https");
        SET(REDIR_PROTOCOLS_STR, "https");
        SET(FOLLOWLOCATION, 1L);
        SET(MAXREDIRS, (long)REDIRECTIONS);
        SET(SSL_VERIFYPEER, 1L);
        SET(SSL_VERIFYHOST, 2L);
        SET(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
        SET(NOSIGNAL, 1L);
        SET(CONNECTTIMEOUT, (long)CONNECT_SECONDS);
        SET(TIMEOUT, (long)SECONDS);
        SET(LOW_SPEED_LIMIT, (long)SLOW_BYTES);
        SET(LOW_SPEED_TIME, (long)SLOW_SECONDS);
        SET(MAXFILESIZE, (long)BODY_MAX);
        SET(USERAGENT, "sekisho/" SEKISHO_VERSION);
        SET(HTTPHEADER, headers);
        SET(WRITEFUNCTION, on_body);
        SET(WRITEDATA, answer);
        SET(HEADERFUNCTION, on_header);
        SET(HEADERDATA, answer);
#undef SET
        return code == CURLE_OK;
}

static struct curl_slist *add_condition(struct curl_slist *headers, const char *name, const char *value) {
        char line[LINE_MAX_ + 64];

        if (*value == '\0')
                return headers;
        (void)snprintf(line, sizeof(line), "%s: %s", name, value);
        return curl_slist_append(headers, line);
}

static int get(CURL *curl, const char *url, const struct curl_slist *headers, Answer *answer) {
        long status = 0;
        char text[64];
        CURLcode code;

        if (!set_options(curl, url, headers, answer))
                return failed("this libcurl cannot do what is needed");
        code = curl_easy_perform(curl);
        if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED)
                return failed("it is larger than a policy can be");
        if (code != CURLE_OK)
                return failed(curl_easy_strerror(code));
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (status != STATUS_OK && status != STATUS_SAME) {
                (void)snprintf(text, sizeof(text), "the server answers with status %ld", status);
                return failed(text);
        }
        printf("%s\n%s\n%s\n", status == STATUS_OK ? "ok" : "same", answer->tag, answer->modified);
        if (status == STATUS_OK)
                (void)fwrite(answer->body, 1, answer->length, stdout);
        return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Arguments: URL, TAG, DATE (each may be empty), and "ca" if the authorities come on standard input. */
int main(int argc, char **argv) {
        const struct rlimit none = {0};
        struct curl_slist *headers = NULL;
        Answer answer = {0};
        CURL *curl;
        int r;

        if (argc < 4 || argc > 5) {
                fputs("sekisho-fetch: is run by sekishoctl policy fetch\n", stderr);
                return 2;
        }
        (void)setrlimit(RLIMIT_CORE, &none);
        answer.body = malloc(BODY_MAX);
        curl = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
        headers = add_condition(headers, "If-None-Match", argv[2]);
        headers = add_condition(headers, "If-Modified-Since", argv[3]);
        if (!curl || !answer.body)
                r = failed("out of memory");
        else if (argc == 5 && !set_certificates(curl))
                r = failed("the certificates of --ca cannot be used");
        else
                r = get(curl, argv[1], headers, &answer);
        curl_slist_free_all(headers);
        curl_easy_cleanup(curl);
        curl_global_cleanup();
        free(answer.body);
        return r;
}
