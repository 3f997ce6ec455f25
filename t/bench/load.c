
/*
 * The load of t/bench/bench: POSTs one body again and again, over a number of
 * kept connections, and prints how long the answers took.
 *
 *     load PORT URI TYPE BODY CONNECTIONS SECONDS [RATE]
 *
 * Without a rate, each connection sends the next request as soon as it has
 * its answer: that finds the greatest number a second.
 *
 * With a rate, requests fall due at random moments, as those of many people
 * do: the gaps are exponential, and the same in each run.  A request that is
 * due while no connection is free waits for one, and its time begins when it
 * was due, not when it was sent.  So a gateway that stands still for a while
 * is charged with all that would have come meanwhile ("coordinated omission"
 * is what leaves that out).
 *
 * What comes in the first fifth of the time is not measured.  Prints how many
 * requests were answered in all, which is what a process's CPU time is divided
 * by, how many a second, and the median and 99th percentile of the times, in
 * microseconds.
 */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


#define ANSWER   16384
#define PATIENCE 30                 /* seconds for the last answers */


typedef struct {
    int       fd;
    int       waits_to_write;
    size_t    sent;
    size_t    received;
    double    due;
    char      answer[ANSWER + 1];
} conn_t;


static void begin(conn_t *c, double due);
static void send_rest(conn_t *c);
static void receive(conn_t *c);
static int answer_ends(conn_t *c);
static void complete(conn_t *c);
static void next_due(void);
static void arm_timer(void);
static void watch(conn_t *c, int op, uint32_t events);
static void report(double seconds);
static double percentile(double share);
static int compare(const void *one, const void *two);
static void read_body(const char *name);
static double now(void);
static void fail(const char *what);


static char      head[1024];
static size_t    head_size;
static char     *body;
static size_t    body_size;

static int       epoll, timer;
static conn_t   *conns, **idle;
static int       n_conns, n_idle;

/* the times, in seconds, of the requests that are due and were not sent */

static double   *queue;
static size_t    queue_first, queue_last, queue_size;

static double    rate, due;
static double    start, measured_from, end;
static uint64_t  requests, answered, answered_in_time;

static float    *times;
static size_t    n_times, max_times;


int
main(int argc, char **argv)
{
    int                 i, n;
    double              ended;
    uint64_t            expired;
    struct rlimit       limit;
    struct sockaddr_in  addr;
    struct epoll_event  event, events[256];

    if (argc < 7) {
        fputs("load PORT URI TYPE BODY CONNECTIONS SECONDS [RATE]\n", stderr);
        return 2;
    }

    read_body(argv[4]);
    head_size = snprintf(head, sizeof(head),
                         "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                         "User-Agent: load\r\nAccept: */*\r\n"
                         "Cookie: session=0123456789abcdef\r\n"
                         "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                         argv[2], argv[3], body_size);
    n_conns = atoi(argv[5]);
    rate = argc > 7 ? atof(argv[7]) : 0;

    if (head_size >= sizeof(head) || n_conns < 1) {
        fail("arguments");
    }

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    prctl(PR_SET_TIMERSLACK, 1);
    srand48(1);

    conns = calloc(n_conns, sizeof(conn_t));
    idle = calloc(n_conns, sizeof(conn_t *));
    epoll = epoll_create1(0);
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

    if (conns == NULL || idle == NULL || epoll == -1 || timer == -1) {
        fail("beginning");
    }

    event.events = EPOLLIN;
    event.data.ptr = NULL;
    epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &event);

    memset(&addr, 0, sizeof(addr));
    addr.sin_family = AF_INET;
    addr.sin_port = htons(atoi(argv[1]));
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    for (i = 0; i < n_conns; i++) {
        n = 1;
        conns[i].fd = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(conns[i].fd, (struct sockaddr *) &addr, sizeof(addr))) {
            fail("connect");
        }

        setsockopt(conns[i].fd, IPPROTO_TCP, TCP_NODELAY, &n, sizeof(n));
        fcntl(conns[i].fd, F_SETFL, O_NONBLOCK);
        watch(&conns[i], EPOLL_CTL_ADD, EPOLLIN);
        idle[n_idle++] = &conns[i];
    }

    start = now();
    measured_from = start + atof(argv[6]) / 5;
    end = start + atof(argv[6]);
    due = start;

    if (rate > 0) {
        arm_timer();

    } else {
        while (n_idle) {
            begin(idle[--n_idle], now());
        }
    }

    while (now() < end || answered < requests || queue_first < queue_last) {

        if (now() > end + PATIENCE) {
            fail("no answer");
        }

        n = epoll_wait(epoll, events, 256, 100);

        for (i = 0; i < n; i++) {
            conn_t  *c = events[i].data.ptr;

            if (c == NULL) {
                if (read(timer, &expired, sizeof(expired)) > 0) {
                    next_due();
                }

            } else if (events[i].events & EPOLLOUT) {
                send_rest(c);

            } else {
                receive(c);
            }
        }
    }

    ended = now();
    report(ended - start);

    return 0;
}


static void
begin(conn_t *c, double when)
{
    requests++;
    c->due = when;
    c->sent = 0;
    c->received = 0;
    send_rest(c);
}


static void
send_rest(conn_t *c)
{
    size_t        in_body;
    ssize_t       n;
    struct iovec  iov[2];

    while (c->sent < head_size + body_size) {
        n = 0;

        if (c->sent < head_size) {
            iov[n].iov_base = head + c->sent;
            iov[n++].iov_len = head_size - c->sent;
        }

        in_body = c->sent < head_size ? 0 : c->sent - head_size;
        iov[n].iov_base = body + in_body;
        iov[n++].iov_len = body_size - in_body;

        n = writev(c->fd, iov, n);

        if (n == -1 && errno == EAGAIN) {
            if (!c->waits_to_write) {
                watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
                c->waits_to_write = 1;
            }
            return;
        }

        if (n == -1) {
            fail("send");
        }

        c->sent += n;
    }

    if (c->waits_to_write) {
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
        c->waits_to_write = 0;
    }
}


static void
receive(conn_t *c)
{
    ssize_t  n;

    n = read(c->fd, c->answer + c->received, ANSWER - c->received);

    if (n == -1 && errno == EAGAIN) {
        return;
    }

    if (n <= 0) {
        fail("the connection was closed");
    }

    c->received += n;
    c->answer[c->received] = '\0';

    if (answer_ends(c)) {
        if (strncmp(c->answer, "HTTP/1.1 200", 12) != 0) {
            fail(c->answer);
        }

        complete(c);
    }
}


static int
answer_ends(conn_t *c)
{
    char    *field, *content;
    size_t   in_content;

    content = strstr(c->answer, "\r\n\r\n");

    if (content == NULL) {
        return 0;
    }

    content += 4;
    in_content = c->answer + c->received - content;
    field = strcasestr(c->answer, "\r\nContent-Length:");

    if (field != NULL && field < content) {
        return in_content >= strtoul(field + 17, NULL, 10);
    }

    return in_content >= 5 && memcmp(c->answer + c->received - 5,
                                     "0\r\n\r\n", 5) == 0;
}


static void
complete(conn_t *c)
{
    double  time;

    time = now();
    answered++;
    answered_in_time += time >= measured_from && time < end;

    if (c->due >= measured_from) {
        if (n_times == max_times) {
            max_times = max_times ? 2 * max_times : 65536;
            times = realloc(times, max_times * sizeof(float));

            if (times == NULL) {
                fail("memory");
            }
        }

        times[n_times++] = time - c->due;
    }

    if (rate > 0) {
        if (queue_first < queue_last) {
            begin(c, queue[queue_first++]);

        } else {
            idle[n_idle++] = c;
        }

    } else if (time < end) {
        begin(c, time);
    }
}


static void
next_due(void)
{
    double  time;

    time = now();

    while (due <= time && due < end) {
        if (n_idle) {
            begin(idle[--n_idle], due);

        } else {
            if (queue_last == queue_size) {
                queue_size = queue_size ? 2 * queue_size : 65536;
                queue = realloc(queue, queue_size * sizeof(double));

                if (queue == NULL) {
                    fail("memory");
                }
            }

            queue[queue_last++] = due;
        }

        due -= log(1 - drand48()) / rate;
    }

    if (due < end) {
        arm_timer();
    }
}


static void
arm_timer(void)
{
    struct itimerspec  when;

    memset(&when, 0, sizeof(when));
    when.it_value.tv_sec = due;
    when.it_value.tv_nsec = (due - (time_t) due) * 1e9;

    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}


static void
watch(conn_t *c, int op, uint32_t events)
{
    struct epoll_event  event;

    event.events = events;
    event.data.ptr = c;

    if (epoll_ctl(epoll, op, c->fd, &event)) {
        fail("epoll_ctl");
    }
}


static void
report(double seconds)
{
    qsort(times, n_times, sizeof(float), compare);

    printf("{\"requests\":%lu,\"rps\":%.3f", (unsigned long) answered,
           answered_in_time ? answered_in_time / (end - measured_from)
                            : answered / seconds);

    if (n_times) {
        printf(",\"p50\":%.1f,\"p99\":%.1f", percentile(0.5),
               percentile(0.99));
    }

    puts("}");
}


/* in microseconds */

static double
percentile(double share)
{
    size_t  i;

    i = ceil(share * n_times);

    return 1e6 * times[i ? i - 1 : 0];
}


static int
compare(const void *one, const void *two)
{
    float  a = *(const float *) one, b = *(const float *) two;

    return (a > b) - (a < b);
}


static void
read_body(const char *name)
{
    int          fd;
    struct stat  st;

    fd = open(name, O_RDONLY);

    if (fd == -1 || fstat(fd, &st) || (body = malloc(st.st_size + 1)) == NULL
        || read(fd, body, st.st_size) != st.st_size)
    {
        fail(name);
    }

    body_size = st.st_size;
    close(fd);
}


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec * 1e-9;
}


static void
fail(const char *what)
{
    fprintf(stderr, "load: %.1000s: %s\n", what, strerror(errno));
    exit(1);
}
