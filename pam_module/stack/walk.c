/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpam keeps an impression and a status; each code may change them, jump, or end the stack or substack. On
 * the way into a substack both are remembered, for "reset". That is all the state there is, so a search that
 * goes breadth first and enters no state twice ends, and finds the shortest way.
 */
#include "pam_module/stack/walk.h"

#include <errno.h>
#include <security/_pam_types.h>
#include <string.h>

enum {
        NODES_MAX = 1 << 17,
        CODE_INVALID = STACK_CODES /* any number that libpam does not know */
};

typedef enum Impression {
        IMPRESSION_NONE,
        IMPRESSION_GOOD,
        IMPRESSION_BAD
} Impression;

typedef struct Frame {
        uint8_t impression, status;
} Frame;

/* Without padding: compared and hashed by its bytes. */
typedef struct State {
        uint16_t at;    /* the handler that is next */
        uint16_t level; /* of the one before */
        Frame now, entered[STACK_LEVELS];
} State;

static const Frame at_first = {IMPRESSION_NONE, PAM_PERM_DENIED};

static State state_begin(void) {
        State state;

        memset(&state, 0, sizeof(state));
        state.now = state.entered[0] = at_first;
        return state;
}

/* Goes on to a handler that returns something, or to the end. */
static void settle(const Stack *stack, State *state) {
        for (; state->at < stack->n; state->at++) {
                const StackHandler *handler = &stack->handlers[state->at];

                if (state->level < handler->level)
                        state->entered[handler->level] = state->now;
                state->level = (uint16_t)handler->level;
                if (handler->kind != HANDLER_SUBSTACK)
                        return;
        }
}

/* To the last handler that belongs to the same stack or substack. */
static void skip_rest(const Stack *stack, State *state, unsigned level) {
        while (state->at + 1U < stack->n && stack->handlers[state->at + 1].level >= level)
                state->at++;
}

/* Over COUNT handlers, of which a substack is one. False: there are not as many. */
static bool jump(const Stack *stack, State *state, unsigned level, int32_t count) {
        for (; count > 0 && state->at + 1U < stack->n && stack->handlers[state->at + 1].level >= level;
             count--) {
                do
                        state->at++;
                while (state->at + 1U < stack->n && stack->handlers[state->at + 1].level > level);
        }
        return count == 0;
}

static bool is_still_good(const Frame *now) {
        return now->impression == IMPRESSION_NONE ||
               (now->impression == IMPRESSION_GOOD && now->status == PAM_SUCCESS);
}

static int32_t action_after(const StackHandler *handler, int code) {
        return code < 0 || code >= STACK_CODES ? ACTION_BAD : handler->actions[code];
}

static void note_bad(Frame *now, int code) {
        if (now->impression == IMPRESSION_BAD)
                return;
        now->impression = IMPRESSION_BAD;
        now->status =
                code == PAM_IGNORE || code < 0 || code >= STACK_CODES ? PAM_PERM_DENIED : (uint8_t)code;
}

/* Past the handler that is next, which returns CODE. */
static void step(const Stack *stack, State *state, int code) {
        const StackHandler *handler = &stack->handlers[state->at];
        int32_t action = action_after(handler, code);

        switch (action) {
        case ACTION_IGNORE:
                break;
        case ACTION_RESET:
                state->now = state->entered[handler->level];
                break;
        case ACTION_OK:
        case ACTION_DONE:
                if (is_still_good(&state->now))
                        state->now = (Frame){IMPRESSION_GOOD, (uint8_t)code};
                if (action == ACTION_DONE && state->now.impression == IMPRESSION_GOOD)
                        skip_rest(stack, state, handler->level);
                break;
        case ACTION_BAD:
        case ACTION_DIE:
                note_bad(&state->now, code);
                if (action == ACTION_DIE)
                        skip_rest(stack, state, handler->level);
                break;
        default: /* a jump, or a number that is none */
                if (!jump(stack, state, handler->level, action))
                        state->now = (Frame){IMPRESSION_BAD, PAM_PERM_DENIED};
        }
        state->at++;
}

static int result_of(const State *state) {
        if (state->now.status == PAM_SUCCESS && state->now.impression != IMPRESSION_GOOD)
                return PAM_PERM_DENIED;
        return state->now.status;
}

int stack_run(const Stack *stack, const int *codes) {
        State state = state_begin();

        for (settle(stack, &state); state.at < stack->n; settle(stack, &state)) {
                const StackHandler *handler = &stack->handlers[state.at];
                int code = handler->kind == HANDLER_FAILS ? PAM_PERM_DENIED : codes[state.at];

                if (code == PAM_INCOMPLETE)
                        return code;
                step(stack, &state, code);
        }
        return result_of(&state);
}

bool stack_lets_in(StackType type, int code) {
        return code == PAM_SUCCESS || (type == STACK_ACCOUNT && code == PAM_NEW_AUTHTOK_REQD);
}

typedef struct Node {
        State state; /* settled */
        uint32_t from;
        uint16_t handler; /* that brought here */
        uint8_t code;
} Node;

typedef struct Search {
        const Stack *stack;
        const StackQuery *query;
        Node *nodes;
        size_t n, room;
        uint32_t *table; /* of nodes by state, 0: none; node 0 is the beginning and needs no entry */
        size_t slots;    /* a power of two, more than twice N */
} Search;

static void search_clear(Search *search) {
        free(search->nodes);
        free(search->table);
}

static size_t hash_of(const State *state) {
        const unsigned char *bytes = (const unsigned char *)state;
        uint64_t hash = 14695981039346656037U; /* FNV-1a */

        for (size_t i = 0; i < sizeof(*state); i++)
                hash = (hash ^ bytes[i]) * 1099511628211U;
        return (size_t)(hash ^ (hash >> 29));
}

/* The slot of STATE: where it is, or a free one. */
static size_t slot_of(const Search *search, const State *state) {
        size_t slot = hash_of(state) & (search->slots - 1);

        while (search->table[slot] != 0 &&
               memcmp(&search->nodes[search->table[slot]].state, state, sizeof(*state)) != 0)
                slot = (slot + 1) & (search->slots - 1);
        return slot;
}

static int make_room(Search *search) {
        CLEANUP_FREE uint32_t *table = NULL;
        size_t room = search->room ? search->room * 2 : 256;
        Node *nodes;

        if (search->n < search->room)
                return 0;
        if (room > NODES_MAX)
                return -E2BIG;
        nodes = reallocarray(search->nodes, room, sizeof(*nodes));
        table = calloc(room * 4, sizeof(*table));
        if (nodes)
                search->nodes = nodes;
        if (!nodes || !table)
                return -ENOMEM;
        free(search->table);
        search->table = STEAL_PTR(table);
        search->slots = room * 4;
        search->room = room;
        for (size_t i = 1; i < search->n; i++)
                search->table[slot_of(search, &nodes[i].state)] = (uint32_t)i;
        return 0;
}

/* Codes that make no difference from here on are made one; what will be written before it is read, nothing.
 */
static void simplify(const Stack *stack, State *state) {
        unsigned level = state->at < stack->n ? stack->handlers[state->at].level : 0;

        for (unsigned i = 0; i < STACK_LEVELS; i++) {
                Frame *frame = &state->entered[i];

                if (i > level)
                        *frame = (Frame){0};
                else if (frame->status != PAM_SUCCESS && frame->status != PAM_NEW_AUTHTOK_REQD)
                        frame->status = PAM_PERM_DENIED;
        }
        if (state->now.status != PAM_SUCCESS && state->now.status != PAM_NEW_AUTHTOK_REQD)
                state->now.status = PAM_PERM_DENIED;
}

static int add_node(Search *search, const Node *node) {
        size_t slot;
        int r = make_room(search);

        if (r < 0)
                return r;
        slot = slot_of(search, &node->state);
        if (search->table[slot] != 0)
                return 0;
        if (search->n > 0)
                search->table[slot] = (uint32_t)search->n;
        search->nodes[search->n++] = *node;
        return 0;
}

/* Whether HANDLER may return CODE, as far as this way is concerned: where the module returns success, it is
 * no longer one without it. Whoever returns "incomplete" is called again, with everything as it was. */
static bool may_return(const StackQuery *query, const StackHandler *handler, int code) {
        bool plain = handler->module && !strchr(handler->module, '/');

        if (handler->kind == HANDLER_FAILS)
                return code == PAM_PERM_DENIED;
        if (code == PAM_INCOMPLETE)
                return false;
        if (stack_module_is(handler->module, query->module))
                return code != PAM_SUCCESS && code != PAM_IGNORE && code != PAM_NEW_AUTHTOK_REQD;
        if (query->refused && stack_module_is(handler->module, query->refused))
                return code != PAM_SUCCESS;
        if (plain && strcmp(handler->module, "pam_deny.so") == 0)
                return code == (query->type == STACK_SESSION ? PAM_SESSION_ERR : PAM_AUTH_ERR) ||
                       code == PAM_MODULE_UNKNOWN;
        if (plain && strcmp(handler->module, "pam_permit.so") == 0 && query->type != STACK_AUTH)
                return code == PAM_SUCCESS || code == PAM_MODULE_UNKNOWN;
        return true;
}

/* Whether a code before CODE in the order of libpam's does to a login what CODE does. */
static bool is_repetition(const Search *search, const StackHandler *handler, int code) {
        if (code == PAM_SUCCESS || code == PAM_NEW_AUTHTOK_REQD)
                return false;
        for (int other = 0; other < code; other++)
                if (other != PAM_SUCCESS && other != PAM_NEW_AUTHTOK_REQD &&
                    action_after(handler, other) == action_after(handler, code) &&
                    may_return(search->query, handler, other))
                        return true;
        return false;
}

/* Every step from node I. The codes that are read most easily come first. */
static int expand(Search *search, size_t i) {
        static const int likely[] = {PAM_SUCCESS, PAM_AUTH_ERR, PAM_IGNORE};
        const State from = search->nodes[i].state;
        const StackHandler *handler = &search->stack->handlers[from.at];

        for (int n = -(int)ELEMENTS(likely); n <= CODE_INVALID; n++) {
                int code = n < 0 ? likely[n + (int)ELEMENTS(likely)] : n, r;
                Node node;

                if (!may_return(search->query, handler, code) ||
                    (n >= 0 && is_repetition(search, handler, code)))
                        continue;
                memset(&node, 0, sizeof(node));
                node.state = from;
                node.from = (uint32_t)i;
                node.handler = from.at;
                node.code = (uint8_t)code;
                step(search->stack, &node.state, code);
                settle(search->stack, &node.state);
                simplify(search->stack, &node.state);
                r = add_node(search, &node);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The way to node I. Its result, with the codes themselves, is stack_run()'s. */
static int trace(const Search *search, size_t i, StackPath *ret) {
        CLEANUP_FREE int *codes = calloc(search->stack->n + 1, sizeof(*codes));
        CLEANUP_FREE StackStep *steps = NULL;
        size_t n = 0;

        for (size_t at = i; at != 0; at = search->nodes[at].from)
                n++;
        steps = calloc(n + 1, sizeof(*steps));
        if (!steps || !codes)
                return -ENOMEM;
        for (size_t at = i, left = n; at != 0; at = search->nodes[at].from) {
                const Node *node = &search->nodes[at];
                const StackHandler *handler = &search->stack->handlers[node->handler];

                codes[node->handler] = node->code;
                steps[--left] = (StackStep){handler, node->code, action_after(handler, node->code)};
        }
        ret->result = stack_run(search->stack, codes);
        ret->steps = STEAL_PTR(steps);
        ret->n = n;
        return 1;
}

int stack_search(const Stack *stack, const StackQuery *query, StackPath *ret) {
        CLEANUP(search_clear) Search search = {.stack = stack, .query = query};
        Node first;
        int r;

        memset(&first, 0, sizeof(first));
        first.state = state_begin();
        settle(stack, &first.state);
        r = add_node(&search, &first);
        for (size_t i = 0; r == 0 && i < search.n; i++) {
                const State *state = &search.nodes[i].state;

                if (state->at < stack->n)
                        r = expand(&search, i);
                else if (stack_lets_in(query->type, result_of(state)))
                        return trace(&search, i, ret);
        }
        return r;
}

void stack_path_clear(StackPath *path) {
        free(path->steps);
        *path = (StackPath){0};
}
