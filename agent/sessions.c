/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

enum {
        TEXTS = 6,
        LINE_MAX_ = TEXTS * SESSION_TEXT_MAX + 64
};

struct Sessions {
        char path[PATH_MAX];
        pthread_mutex_t lock; /* guards the rest */
        Session items[SESSIONS_MAX];
        size_t n;
};

int session_set(char field[static SESSION_TEXT_MAX], const char *text) {
        size_t length = strlen(text);

        if (length >= SESSION_TEXT_MAX)
                return -EINVAL;
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
                        return -EINVAL;
        memcpy(field, text, length + 1);
        return 0;
}

/* the file: a line each, texts that are empty as "-" */

static const char *or_dash(const char *text) {
        return *text ? text : "-";
}

static int take_text(char field[static SESSION_TEXT_MAX], const char *word) {
        return session_set(field, strcmp(word, "-") == 0 ? "" : word);
}

static int parse_line(const char *line, Session *ret) {
        char id[SESSION_TEXT_MAX], person[SESSION_TEXT_MAX], factors[SESSION_TEXT_MAX],
                service[SESSION_TEXT_MAX], terminal[SESSION_TEXT_MAX], token[SESSION_TEXT_MAX];
        unsigned uid, remote, audit = 0;
        int leader, end = 0, more = 0;

        if (sscanf(line, "%u %d %u %319s %319s %319s %319s %319s %319s%n", &uid, &leader, &remote, id,
                   person, factors, service, terminal, token, &end) != 9 ||
            (line[end] != '\0' &&
             (sscanf(line + end, " %u%n", &audit, &more) != 1 || line[end + more] != '\0')) ||
            leader <= 0 || remote > 1)
                return -EBADMSG;
        ret->uid = uid;
        ret->leader = leader;
        ret->remote = remote;
        ret->audit = audit;
        return take_text(ret->id, id) < 0 || take_text(ret->person, person) < 0 ||
                               take_text(ret->factors, factors) < 0 ||
                               take_text(ret->service, service) < 0 ||
                               take_text(ret->terminal, terminal) < 0 || take_text(ret->token, token) < 0
                       ? -EBADMSG
                       : 0;
}

static void read_file(Sessions *sessions) {
        CLEANUP_CLOSE int fd = open(sessions->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        CLEANUP_FREE char *text = NULL;
        char *rest, *line;

        if (fd < 0 || file_read_whole(fd, (size_t)SESSIONS_MAX * LINE_MAX_, &text, NULL) < 0)
                return;
        for (line = strtok_r(text, "\n", &rest); line && sessions->n < SESSIONS_MAX;
             line = strtok_r(NULL, "\n", &rest))
                if (parse_line(line, &sessions->items[sessions->n]) == 0)
                        sessions->n++;
}

/* Only the loop changes the list, so that it may read it without the lock. */
static int write_file(const Sessions *sessions) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return -ENOMEM;
        for (size_t i = 0; i < sessions->n; i++) {
                const Session *session = &sessions->items[i];

                fprintf(f, "%u %d %d %s %s %s %s %s %s %u\n", session->uid, (int)session->leader,
                        session->remote, or_dash(session->id), or_dash(session->person),
                        or_dash(session->factors), or_dash(session->service), or_dash(session->terminal),
                        or_dash(session->token), session->audit);
        }
        if (fclose(f) != 0)
                return -ENOMEM;
        return file_replace(sessions->path, text, size, 0600);
}

int sessions_new(const char *runtime_dir, Sessions **ret) {
        Sessions *sessions = calloc(1, sizeof(*sessions));

        if (!sessions)
                return -ENOMEM;
        pthread_mutex_init(&sessions->lock, NULL);
        if ((size_t)snprintf(sessions->path, PATH_MAX, "%s/sessions", runtime_dir) < PATH_MAX)
                read_file(sessions);
        *ret = sessions;
        return 0;
}

Sessions *sessions_free(Sessions *sessions) {
        if (!sessions)
                return NULL;
        pthread_mutex_destroy(&sessions->lock);
        free(sessions);
        return NULL;
}

static bool is_there(pid_t process) {
        return kill(process, 0) == 0 || errno != ESRCH;
}

bool session_is_there(const Session *session) {
        return is_there(session->leader);
}

static bool is_same(const Session *a, const Session *b) {
        return a->leader == b->leader || (a->id[0] && strcmp(a->id, b->id) == 0);
}

/* Somebody became another user within a session, as by su: it is still that of who logged in. */
static bool is_nested(const Sessions *sessions, const Session *session) {
        for (size_t i = 0; i < sessions->n; i++)
                if (sessions->items[i].leader != session->leader && is_same(&sessions->items[i], session) &&
                    is_there(sessions->items[i].leader))
                        return true;
        return false;
}

static void drop(Sessions *sessions, size_t i) {
        sessions->items[i] = sessions->items[--sessions->n];
}

/* What a process left running in a session is still the person's: forgotten is only what room is needed for.
 */
static void drop_ended(Sessions *sessions) {
        for (size_t i = sessions->n; i > 0; i--)
                if (!is_there(sessions->items[i - 1].leader))
                        drop(sessions, i - 1);
}

int sessions_open(Sessions *sessions, const Session *session) {
        bool fits;

        if (is_nested(sessions, session))
                return 1;
        pthread_mutex_lock(&sessions->lock);
        for (size_t i = sessions->n; i > 0; i--)
                if (is_same(&sessions->items[i - 1], session))
                        drop(sessions, i - 1);
        if (sessions->n == SESSIONS_MAX)
                drop_ended(sessions);
        fits = sessions->n < SESSIONS_MAX;
        if (fits)
                sessions->items[sessions->n++] = *session;
        pthread_mutex_unlock(&sessions->lock);
        return fits ? write_file(sessions) : -ENOSPC;
}

int sessions_close(Sessions *sessions, pid_t leader) {
        int found = 0, r;

        pthread_mutex_lock(&sessions->lock);
        for (size_t i = sessions->n; i > 0; i--)
                if (sessions->items[i - 1].leader == leader) {
                        drop(sessions, i - 1);
                        found = 1;
                }
        pthread_mutex_unlock(&sessions->lock);
        r = found ? write_file(sessions) : 0;
        return r < 0 ? r : found;
}

/* NULL if there is none, or more than one that fits. */
static Session *find_only(Sessions *sessions, const Session *by, bool by_terminal) {
        Session *found = NULL;

        for (size_t i = 0; i < sessions->n; i++) {
                Session *session = &sessions->items[i];

                if (session->uid != by->uid || session->remote != by->remote ||
                    (by_terminal && strcmp(session->terminal, by->terminal) != 0))
                        continue;
                if (found)
                        return NULL;
                found = session;
        }
        return found;
}

static Session *find(Sessions *sessions, const Session *by) {
        Session *found = NULL;

        for (size_t i = 0; i < sessions->n && by->id[0]; i++)
                if (strcmp(sessions->items[i].id, by->id) == 0)
                        return sessions->items[i].uid == by->uid ? &sessions->items[i] : NULL;
        if (by->terminal[0])
                found = find_only(sessions, by, true);
        return found ? found : find_only(sessions, by, false);
}

int sessions_change_person(Sessions *sessions, const Session *by, Session *ret, Session *ret_now) {
        Session *session;
        bool other = false, changed = false;
        int r;

        pthread_mutex_lock(&sessions->lock);
        session = find(sessions, by);
        if (session) {
                *ret = *session;
                other = strcmp(session->person, by->person) != 0;
                changed = other || strcmp(session->factors, by->factors) != 0 ||
                          strcmp(session->token, by->token) != 0;
                memcpy(session->person, by->person, SESSION_TEXT_MAX);
                memcpy(session->factors, by->factors, SESSION_TEXT_MAX);
                memcpy(session->token, by->token, SESSION_TEXT_MAX);
                *ret_now = *session;
        }
        pthread_mutex_unlock(&sessions->lock);
        if (!session)
                return -ENOENT;
        r = changed ? write_file(sessions) : 0;
        return r < 0 ? r : other;
}

int sessions_forget_token(Sessions *sessions, pid_t leader) {
        bool changed = false;

        pthread_mutex_lock(&sessions->lock);
        for (size_t i = 0; i < sessions->n; i++)
                if (sessions->items[i].leader == leader && sessions->items[i].token[0]) {
                        sessions->items[i].token[0] = '\0';
                        changed = true;
                }
        pthread_mutex_unlock(&sessions->lock);
        return changed ? write_file(sessions) : 0;
}

/* Of all sessions of UID, if they agree on who it is. */
static const Session *find_by_user(const Sessions *sessions, uid_t uid) {
        const Session *found = NULL;

        for (size_t i = 0; i < sessions->n; i++) {
                if (sessions->items[i].uid != uid)
                        continue;
                if (found && strcmp(found->person, sessions->items[i].person) != 0)
                        return NULL;
                found = &sessions->items[i];
        }
        return found;
}

void sessions_describe(Sessions *sessions, Record *record) {
        const char *id = record->text[TEXT_SESSION];
        uid_t login = record->loginuid != (uid_t)-1 ? record->loginuid : record->uid;
        const Session *found = NULL;

        pthread_mutex_lock(&sessions->lock);
        for (size_t i = 0; id && *id && i < sessions->n && !found; i++)
                if (strcmp(sessions->items[i].id, id) == 0)
                        found = &sessions->items[i];
        if (!found && login != (uid_t)-1)
                found = find_by_user(sessions, login);
        if (found) {
                record_set(record, TEXT_PERSON, found->person);
                record_set(record, TEXT_FACTORS, found->factors[0] ? found->factors : NULL);
        }
        pthread_mutex_unlock(&sessions->lock);
}

void sessions_foreach(Sessions *sessions, void (*function)(void *userdata, const Session *session),
                      void *userdata) {
        for (size_t i = 0; i < sessions->n; i++)
                function(userdata, &sessions->items[i]);
}
