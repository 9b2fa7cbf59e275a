/*
 * Load generator: sends one HTTP request again and again over keep-alive connections, with another message each time.
 *
 *   loadgen --port 8080 --connections 64 --seconds 5 [--messages N] [--rate R] [--conversations C] [--heavy K]
 *           [--secret KEY] < request.http
 *
 * Standard input is a whole request. These marks in it are overwritten in place, so its length never changes:
 *   @CONV@               number of the conversation, 6 digits
 *   @SEQUENC@            number of the message in its conversation, from 0, 9 digits
 *   @NANOSECONDS_SENT@   monotonic time at which the message was (or should have been) sent, 18 digits
 *   @SIGNATURE@ and dots, 40 characters: hex HMAC-SHA1 of the body with --secret
 *
 * Closed loop (default): each connection sends its next message as soon as the last one was answered.
 * Open loop (--rate): messages are due at fixed times; latency counts from the due time, so a server that stalls cannot
 * hide the messages that had to wait. Each conversation belongs to one connection, which has one request under way: so the
 * order in which messages of a conversation are sent is known. --heavy gives conversation 0 to the first K connections.
 *
 * Linux, loopback only. It ends by itself: --messages, --seconds, ten more seconds for late answers. The result is one line
 * of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "hmac_sha1.h"
#include "timing.h"

enum { ANSWER = 65536, MARKS = 32, MOST_CONNECTIONS = 4096, MOST_ERRORS = 1000, GRACE_SECONDS = 10 };

typedef struct {
    const char *text;
    size_t size;
} mark;

static const mark MARK[] = {{"@CONV@", 6},
                            {"@SEQUENC@", 9},
                            {"@NANOSECONDS_SENT@", 18},
                            {"@SIGNATURE@.............................", SHA1_HEX}};
enum { CONVERSATION, SEQUENCE, SENT, SIGNATURE, KINDS };

typedef struct {
    int fd, index;
    bool busy;
    uint32_t conversation; /* of the next message */
    uint64_t turns;        /* messages begun by this connection */
    uint64_t due;          /* when the one under way was due */
    char *request;
    char answer[ANSWER + 1];
    size_t filled;
} connection;

static struct {
    int port, connections, heavy;
    double seconds, rate;
    uint64_t messages;
    uint32_t conversations;
    const char *secret;
} wanted = {.connections = 64, .seconds = 5, .messages = UINT64_MAX, .conversations = 10000};

static struct {
    size_t offset;
    int kind;
} places[MARKS];

static char *template;
static size_t template_size, body_offset;
static int place_count, poller;
static hmac_key key;
static connection *all;
static uint64_t *sequences;
static histogram latencies;
static uint64_t begun, answered, refused, broken, start, last_answer;
static int under_way, first_refusal;

static void die(const char *what) {
    fprintf(stderr, "loadgen: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *must(void *pointer) {
    if (!pointer) die("out of memory");
    return pointer;
}

/* --- the request --- */

static void read_template(void) {
    template = must(calloc(1, ANSWER));
    template_size = fread(template, 1, ANSWER - 1, stdin);
    char *end = strstr(template, "\r\n\r\n");
    if (!end) die("the template has no end of its head");
    body_offset = (size_t)(end + 4 - template);
    for (int kind = 0; kind < KINDS; kind++)
        for (char *at = template; (at = strstr(at, MARK[kind].text)); at += MARK[kind].size) {
            if (place_count == MARKS) die("too many marks in the template");
            places[place_count].offset = (size_t)(at - template);
            places[place_count++].kind = kind;
        }
}

static void put_digits(char *at, size_t size, uint64_t value) {
    while (size--) at[size] = (char)('0' + value % 10), value /= 10;
}

static void fill(char *request, uint32_t conversation, uint64_t sequence, uint64_t due) {
    const uint64_t values[] = {conversation, sequence, due};
    for (int i = 0; i < place_count; i++) {
        char *at = request + places[i].offset;
        int kind = places[i].kind;
        /* The signature comes last: marks are sorted by kind, and it covers the body as filled by the others. */
        if (kind == SIGNATURE)
            hmac_hex(&key, request + body_offset, template_size - body_offset, at);
        else
            put_digits(at, MARK[kind].size, values[kind]);
    }
}

/* --- connections --- */

static void dial(connection *c) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)wanted.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event)) die("epoll_ctl");
    c->filled = 0;
}

/* Connections beyond `heavy` share the conversations in turn; each conversation always has the same connection. */
static void next_conversation(connection *c) {
    if (c->index < wanted.heavy) return;
    uint32_t first = wanted.heavy ? 1 : 0, sharers = (uint32_t)(wanted.connections - wanted.heavy);
    c->conversation += sharers;
    if (c->conversation >= wanted.conversations) c->conversation = first + (uint32_t)(c->index - wanted.heavy);
}

static uint64_t due_of(const connection *c) {
    uint64_t number = c->turns * (uint64_t)wanted.connections + (uint64_t)c->index;
    return start + (uint64_t)((double)number * 1e9 / wanted.rate);
}

static bool over(void) { return begun >= wanted.messages || now_ns() >= start + (uint64_t)(wanted.seconds * 1e9); }

static void send_next(connection *c) {
    uint64_t now = now_ns();
    if (c->busy || over()) return;
    if (wanted.rate > 0 && due_of(c) > now) return;
    c->due = wanted.rate > 0 ? due_of(c) : now;
    fill(c->request, c->conversation, sequences[c->conversation]++, c->due);
    next_conversation(c);
    c->turns++, begun++, under_way++;
    c->busy = true;
    if (send(c->fd, c->request, template_size, MSG_NOSIGNAL) == (ssize_t)template_size) return;
    /* Nothing has come back yet: the close is seen by the poller, which counts the message as broken. */
    shutdown(c->fd, SHUT_RDWR);
}

static void redial(connection *c) {
    close(c->fd);
    dial(c);
}

/* --- answers --- */

static const char *header(const char *head, const char *name) {
    const char *at = strcasestr(head, name);
    return at ? at + strlen(name) : NULL;
}

/* Returns the size of a complete answer, 0 if more has to come. */
static size_t complete(connection *c, int *status, bool *closing) {
    c->answer[c->filled] = 0;
    char *end = strstr(c->answer, "\r\n\r\n");
    if (!end) return 0;
    *end = 0;
    *status = c->filled > 12 ? atoi(c->answer + 9) : 0;
    const char *length = header(c->answer, "\r\ncontent-length:");
    *closing = header(c->answer, "\r\nconnection: close") != NULL;
    bool chunked = header(c->answer, "\r\ntransfer-encoding: chunked") != NULL;
    *end = '\r';
    size_t head = (size_t)(end + 4 - c->answer);
    if (chunked) {
        char *last = strstr(end + 2, "\r\n0\r\n\r\n");
        return last ? (size_t)(last + 7 - c->answer) : 0;
    }
    size_t size = head + (length ? (size_t)atol(length) : 0);
    return c->filled >= size ? size : 0;
}

static void end_message(connection *c, int status) {
    c->busy = false;
    under_way--;
    last_answer = now_ns();
    if (status / 100 == 2) {
        answered++;
        note(&latencies, last_answer - c->due);
    } else if (status) {
        refused++;
        if (!first_refusal) first_refusal = status;
    } else {
        broken++;
    }
}

static void hear(connection *c) {
    ssize_t got = recv(c->fd, c->answer + c->filled, ANSWER - c->filled, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0 || !c->busy) {
        if (c->busy) end_message(c, 0);
        redial(c);
        send_next(c);
        return;
    }
    c->filled += (size_t)got;
    int status = 0;
    bool closing = false;
    size_t size = complete(c, &status, &closing);
    if (!size && c->filled < ANSWER) return;
    end_message(c, status);
    c->filled = 0;
    if (closing || !size) redial(c);
    send_next(c);
}

/* --- the loop --- */

static int make_timer(void) {
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    uint64_t period = wanted.rate > 0 ? (uint64_t)(1e9 / wanted.rate) : 100000000u;
    struct itimerspec every = {
        .it_interval = {(time_t)(period / 1000000000u), (long)(period % 1000000000u)},
        .it_value = {0, 1},
    };
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) die("timer");
    return fd;
}

/* Open loop: lets every idle connection whose message is due send it. `turn` goes round with the due times. */
static void send_what_is_due(void) {
    static uint64_t turn;
    uint64_t due_by_now = (uint64_t)((double)(now_ns() - start) * wanted.rate / 1e9) + 1;
    if (due_by_now > turn + (uint64_t)wanted.connections) turn = due_by_now - (uint64_t)wanted.connections;
    for (; turn < due_by_now; turn++) send_next(&all[turn % (uint64_t)wanted.connections]);
}

static void run(void) {
    int timer = make_timer();
    uint64_t limit = start + (uint64_t)((wanted.seconds + GRACE_SECONDS) * 1e9);
    if (wanted.rate <= 0)
        for (int i = 0; i < wanted.connections; i++) send_next(&all[i]);
    while (now_ns() < limit && broken < MOST_ERRORS && !(over() && under_way == 0)) {
        struct epoll_event events[256];
        int count = epoll_wait(poller, events, 256, 1000);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr) {
                hear(events[i].data.ptr);
                continue;
            }
            uint64_t ticks;
            if (read(timer, &ticks, sizeof ticks) > 0 && wanted.rate > 0) send_what_is_due();
        }
    }
}

static void read_options(int argc, char **argv) {
    static const struct option names[] = {
        {"port", 1, 0, 'p'}, {"connections", 1, 0, 'n'},   {"seconds", 1, 0, 's'}, {"messages", 1, 0, 'm'},
        {"rate", 1, 0, 'r'}, {"conversations", 1, 0, 'c'}, {"heavy", 1, 0, 'h'},   {"secret", 1, 0, 'k'},
        {0, 0, 0, 0},
    };
    for (int option; (option = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (option) {
            case 'p': wanted.port = atoi(optarg); break;
            case 'n': wanted.connections = atoi(optarg); break;
            case 's': wanted.seconds = atof(optarg); break;
            case 'm': wanted.messages = strtoull(optarg, NULL, 10); break;
            case 'r': wanted.rate = atof(optarg); break;
            case 'h': wanted.heavy = atoi(optarg); break;
            case 'c': wanted.conversations = (uint32_t)atol(optarg); break;
            case 'k': wanted.secret = optarg; break;
            default: exit(2);
        }
    bool sane = wanted.port > 0 && wanted.connections > 0 && wanted.connections <= MOST_CONNECTIONS &&
                wanted.heavy < wanted.connections && wanted.conversations > (uint32_t)wanted.connections &&
                wanted.conversations <= 1000000 && wanted.seconds <= 3600;
    if (sane) return;
    fprintf(stderr, "loadgen: wrong options; see the top of loadgen.c\n");
    exit(2);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    read_template();
    if (wanted.secret) hmac_prepare(&key, wanted.secret);
    poller = epoll_create1(EPOLL_CLOEXEC);
    all = must(calloc((size_t)wanted.connections, sizeof *all));
    sequences = must(calloc(wanted.conversations, sizeof *sequences));
    for (int i = 0; i < wanted.connections; i++) {
        all[i].index = i;
        all[i].conversation = i < wanted.heavy ? 0 : (uint32_t)(i - wanted.heavy) + (wanted.heavy ? 1 : 0);
        all[i].request = must(malloc(template_size));
        memcpy(all[i].request, template, template_size);
        dial(&all[i]);
    }
    start = now_ns();
    run();
    double seconds = (double)(last_answer - start) / 1e9;
    printf("{\"begun\":%lu,\"heavy\":%lu,\"answered\":%lu,\"refused\":%lu,\"first_refusal\":%d,\"broken\":%lu,\"unanswered\":%d,"
           "\"start_ns\":%lu,\"seconds\":%.6f,",
           begun, wanted.heavy ? sequences[0] : 0, answered, refused, first_refusal, broken, under_way, start, seconds);
    print_latencies(&latencies);
    printf("}\n");
    return 0;
}
