/*
 * The far side of both directions: plays amoCRM's chat service and a messenger's webhook, and counts what arrives.
 *
 *   sink [--seconds 7200]        prints "port N", then obeys lines on standard input:
 *     run R          forget everything, count messages of run R only
 *     stats          print what was counted, one line of JSON
 *     answer 200     answer like this from now on: 200; 503 as a service that is down; 0 never, as one that hangs
 *     block C        answer 503 to conversation C (-1: none)
 *     hang R         never answer messages of run R (-1: none), as one account of a service may hang and the others not
 *
 * Messages carry a mark in their text, which has to arrive as it was sent:
 *   cbm:RRRR:CCCCCC:SSSSSSSSS:NNNNNNNNNNNNNNNNNN:   run, conversation, sequence, monotonic nanoseconds when sent
 *
 * Counted: deliveries, distinct messages, duplicates (seen before), inversions (new, but older than one of the same
 * conversation seen before), gaps (never seen, though a later one was), unsigned requests, marks of other runs.
 *
 * Linux, loopback only. It ends when standard input ends, or after --seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "timing.h"

enum { REQUEST = 131072, MOST_FDS = 16384, MARK_SIZE = 45, MOST_CONVERSATIONS = 1000000 };
enum { RUN = 4, CONVERSATION = 9, SEQUENCE = 16, SENT = 26 }; /* where the numbers stand in a mark */

typedef struct {
    uint64_t *seen; /* one bit for each sequence number */
    uint32_t room;  /* bits there */
    uint32_t past;  /* the highest sequence seen, plus one */
    uint32_t distinct;
} conversation;

typedef struct {
    char *request;
    size_t filled;
} connection;

static connection connections[MOST_FDS];
static conversation *conversations;
static histogram latencies;
static struct {
    uint64_t deliveries, distinct, duplicates, inversions, unsigned_ones, refused, strays, first, last;
} counted;
static long current_run, blocked = -1, hung = -1;
static uint32_t used; /* conversations seen are below this number */
static int answer_with = 200, poller;

static void die(const char *what) {
    fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- counting --- */

static void make_room(conversation *c, uint32_t sequence) {
    if (sequence < c->room) return;
    uint32_t room = c->room ? c->room : 64;
    while (room <= sequence) room *= 2;
    c->seen = realloc(c->seen, room / 8);
    if (!c->seen) die("out of memory");
    memset(c->seen + c->room / 64, 0, (room - c->room) / 8);
    c->room = room;
}

static void count(uint32_t number, uint32_t sequence, uint64_t sent) {
    conversation *c = &conversations[number];
    uint64_t now = now_ns(), bit = 1ull << (sequence % 64);
    make_room(c, sequence);
    if (number >= used) used = number + 1;
    if (!counted.deliveries++) counted.first = now;
    counted.last = now;
    if (c->seen[sequence / 64] & bit) {
        counted.duplicates++;
        return;
    }
    c->seen[sequence / 64] |= bit;
    c->distinct++, counted.distinct++;
    if (sequence < c->past) counted.inversions++;
    if (sequence >= c->past) c->past = sequence + 1;
    note(&latencies, now > sent ? now - sent : 0);
}

static uint64_t gaps(void) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < used; i++) sum += conversations[i].past - conversations[i].distinct;
    return sum;
}

static void forget(void) {
    for (uint32_t i = 0; i < used; i++) free(conversations[i].seen);
    memset(conversations, 0, used * sizeof *conversations);
    used = 0;
    memset(&counted, 0, sizeof counted);
    memset(&latencies, 0, sizeof latencies);
}

/* --- requests --- */

static void answer(int fd, int status, const char *body) {
    char text[1024];
    const char *reason = status == 200 ? "OK" : "Service Unavailable";
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", status, reason,
                        strlen(body), body);
    if (send(fd, text, (size_t)size, MSG_NOSIGNAL) != size) shutdown(fd, SHUT_RDWR);
}

/* The scope is made of the channel and the account, as amoCRM does it. */
static void answer_connect(int fd, const char *path, const char *body) {
    char channel[64] = "", account[64] = "", text[256];
    const char *at = strstr(body, "\"account_id\":\"");
    sscanf(path, "/v2/origin/custom/%63[^/]", channel);
    if (at) sscanf(at + 14, "%63[^\"]", account);
    snprintf(text, sizeof text, "{\"account_id\":\"%s\",\"scope_id\":\"%s_%s\",\"hook_api_version\":\"v2\"}", account, channel,
             account);
    answer(fd, 200, text);
}

static void answer_message(int fd, long conversation_number) {
    static uint64_t taken;
    char text[256];
    snprintf(text, sizeof text,
             "{\"new_message\":{\"conversation_id\":\"00000000-0000-4000-8000-%012ld\","
             "\"msgid\":\"10000000-0000-4000-8000-%012lu\"}}",
             conversation_number, ++taken);
    answer(fd, 200, text);
}

static void take(int fd, const char *head, const char *body, size_t size) {
    const char *path = strchr(head, '/'), *found = memmem(body, size, "cbm:", 4);
    bool amojo = path && !strncmp(path, "/v2/origin/custom/", 18);
    if (!found || found + MARK_SIZE > body + size) {
        if (amojo && strstr(path, "/connect ")) answer_connect(fd, path, body);
        else answer(fd, 200, "{}");
        return;
    }
    long number = atol(found + CONVERSATION);
    if (answer_with == 0 || atol(found + RUN) == hung) return;
    if (answer_with != 200 || number == blocked) {
        counted.refused++;
        answer(fd, 503, "{}");
        return;
    }
    if (!strcasestr(head, "\r\nx-signature:") && !strcasestr(head, "\r\nwebhook-signature:")) counted.unsigned_ones++;
    if (atol(found + RUN) != current_run || number < 0 || number >= MOST_CONVERSATIONS) counted.strays++;
    else count((uint32_t)number, (uint32_t)atol(found + SEQUENCE), strtoull(found + SENT, NULL, 10));
    if (amojo) answer_message(fd, number);
    else answer(fd, 200, "{}");
}

/* Takes the complete requests at the start of the buffer. Returns false for what it cannot read. */
static bool take_all(int fd, connection *c) {
    for (;;) {
        c->request[c->filled] = 0;
        char *end = strstr(c->request, "\r\n\r\n");
        if (!end) return c->filled < REQUEST - 1;
        end[2] = 0;
        const char *length = strcasestr(c->request, "\r\ncontent-length:");
        size_t body = length ? (size_t)atol(length + 17) : 0, size = (size_t)(end + 4 - c->request) + body;
        if (size >= REQUEST) return false;
        if (c->filled < size) {
            end[2] = '\r';
            return true;
        }
        char after = c->request[size];
        c->request[size] = 0;
        take(fd, c->request, end + 4, body);
        c->request[size] = after;
        memmove(c->request, c->request + size, c->filled - size);
        c->filled -= size;
        if (!c->filled) return true;
    }
}

static void hang_up(int fd) {
    close(fd);
    free(connections[fd].request);
    connections[fd] = (connection){0};
}

static void hear(int fd) {
    connection *c = &connections[fd];
    if (!c->request && !(c->request = malloc(REQUEST))) die("out of memory");
    ssize_t got = recv(fd, c->request + c->filled, REQUEST - 1 - c->filled, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got > 0) c->filled += (size_t)got;
    if (got <= 0 || !take_all(fd, c)) hang_up(fd);
}

/* --- orders --- */

static void print_stats(void) {
    printf("{\"deliveries\":%lu,\"distinct\":%lu,\"duplicates\":%lu,\"inversions\":%lu,\"gaps\":%lu,\"unsigned\":%lu,"
           "\"refused\":%lu,\"strays\":%lu,\"first_ns\":%lu,\"last_ns\":%lu,",
           counted.deliveries, counted.distinct, counted.duplicates, counted.inversions, gaps(), counted.unsigned_ones,
           counted.refused, counted.strays, counted.first, counted.last);
    print_latencies(&latencies);
    printf("}\n");
}

static void obey(void) {
    static char line[256];
    static size_t filled;
    ssize_t got = read(STDIN_FILENO, line + filled, sizeof line - 1 - filled);
    if (got <= 0) exit(0);
    filled += (size_t)got;
    line[filled] = 0;
    for (char *end; (end = strchr(line, '\n'));) {
        *end = 0;
        if (sscanf(line, "run %ld", &current_run) == 1) forget(), puts("ok");
        else if (sscanf(line, "answer %d", &answer_with) == 1 || sscanf(line, "block %ld", &blocked) == 1 ||
                 sscanf(line, "hang %ld", &hung) == 1)
            puts("ok");
        else if (!strcmp(line, "stats")) print_stats();
        else puts("what?");
        fflush(stdout);
        filled -= (size_t)(end + 1 - line);
        memmove(line, end + 1, filled + 1);
    }
}

/* --- the loop --- */

static void watch(int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

static int listen_somewhere(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, 4096)) die("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void greet(int listener) {
    int one = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= MOST_FDS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(fd);
}

int main(int argc, char **argv) {
    long seconds = argc == 3 && !strcmp(argv[1], "--seconds") ? atol(argv[2]) : 7200;
    conversations = calloc(MOST_CONVERSATIONS, sizeof *conversations);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!conversations || poller < 0) die("start");
    int listener = listen_somewhere();
    watch(listener), watch(STDIN_FILENO);
    for (uint64_t limit = now_ns() + (uint64_t)seconds * 1000000000u; now_ns() < limit;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 1000);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) greet(fd);
            else if (fd == STDIN_FILENO) obey();
            else hear(fd);
        }
    }
    return 0;
}
