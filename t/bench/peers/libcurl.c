
/*
 * The floor of a call: libcurl alone, by its multi interface on epoll, and no
 * gateway around it.  So many calls are under way all the time, each with the
 * options that a careful caller sets; answers are read into memory.
 *
 *     libcurl URL PAYLOAD CALLS SECONDS [CERTIFICATE]
 *
 * Prints how many calls there were in all, and, without the first fifth of the
 * time, in which it connects: how many, how many a second, and the CPU time of
 * one, in microseconds.
 */

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>


typedef struct {
    CURL               *easy;
    size_t              size;
    char                answer[65536];
} call_t;


static void begin(call_t *c);
static void completed(void);
static size_t on_answer(char *data, size_t size, size_t n, void *arg);
static int on_socket(CURL *easy, curl_socket_t s, int what, void *arg,
    void *known);
static int on_timer(CURLM *multi, long ms, void *arg);
static void read_payload(const char *name);
static double cpu(void);
static double now(void);
static void fail(const char *what);


static const char         *url, *certificate;
static char               *payload;
static long                payload_size;
static struct curl_slist  *headers;

static CURLM              *multi;
static int                 epoll;
static long                timeout = -1;
static double              measured_from, end;
static double              cpu_before;
static unsigned long       all_calls, calls, running;


int
main(int argc, char **argv)
{
    int                 i, n, left, number;
    call_t             *all;
    struct epoll_event  events[256];

    if (argc < 5) {
        fprintf(stderr, "libcurl URL PAYLOAD CALLS SECONDS [CERTIFICATE]\n"
                "%s\n", curl_version());
        return 2;
    }

    url = argv[1];
    read_payload(argv[2]);
    number = atoi(argv[3]);
    measured_from = now() + atof(argv[4]) / 5;
    end = now() + atof(argv[4]);
    certificate = argv[5];

    curl_global_init(CURL_GLOBAL_DEFAULT);
    headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");

    all = calloc(number, sizeof(call_t));
    multi = curl_multi_init();
    epoll = epoll_create1(0);

    if (all == NULL || multi == NULL || epoll == -1 || headers == NULL) {
        fail("memory");
    }

    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L * number);

    for (i = 0; i < number; i++) {
        begin(&all[i]);
    }

    while (running) {
        n = epoll_wait(epoll, events, 256, timeout);

        if (n == 0) {
            timeout = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &left);
        }

        for (i = 0; i < n; i++) {
            curl_multi_socket_action(multi, events[i].data.fd,
                (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                | (events[i].events & ~EPOLLOUT ? CURL_CSELECT_IN : 0),
                &left);
        }

        completed();
    }

    printf("{\"all\":%lu,\"requests\":%lu,\"rps\":%.1f,\"cpu\":%.3f}\n",
           all_calls, calls,
           calls / (now() - measured_from),
           (cpu() - cpu_before) / (calls ? calls : 1));

    return 0;
}


static void
begin(call_t *c)
{
    c->size = 0;
    c->easy = curl_easy_init();

    if (c->easy == NULL) {
        fail("memory");
    }

    curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, payload_size);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, payload);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, 15000L);
    curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);

    if (certificate != NULL) {
        curl_easy_setopt(c->easy, CURLOPT_CAINFO, certificate);
    }

    if (curl_multi_add_handle(multi, c->easy) != CURLM_OK) {
        fail("curl_multi_add_handle");
    }

    running++;
}


static void
completed(void)
{
    int       left;
    long      status;
    call_t   *c;
    CURLMsg  *message;

    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }

        if (message->data.result != CURLE_OK) {
            fail(curl_easy_strerror(message->data.result));
        }

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                          (char **) &c);
        curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);

        if (status != 200 || c->size == 0) {
            fail("the answer");
        }

        all_calls++;

        if (cpu_before == 0 && now() >= measured_from) {
            cpu_before = cpu();

        } else if (cpu_before) {
            calls++;
        }

        running--;
        curl_multi_remove_handle(multi, c->easy);
        curl_easy_cleanup(c->easy);

        if (now() < end) {
            begin(c);
        }
    }
}


static size_t
on_answer(char *data, size_t size, size_t n, void *arg)
{
    call_t  *c = arg;

    n *= size;

    if (n > sizeof(c->answer) - c->size) {
        return 0;
    }

    memcpy(c->answer + c->size, data, n);
    c->size += n;

    return n;
}


static int
on_socket(CURL *easy, curl_socket_t s, int what, void *arg, void *known)
{
    struct epoll_event  event;

    (void) easy;
    (void) arg;

    event.data.fd = s;
    event.events = (what & CURL_POLL_IN ? EPOLLIN : 0)
                   | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, s, &event);
        return 0;
    }

    if (epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &event)) {
        fail("epoll_ctl");
    }

    curl_multi_assign(multi, s, multi);

    return 0;
}


static int
on_timer(CURLM *m, long ms, void *arg)
{
    (void) m;
    (void) arg;

    timeout = ms;

    return 0;
}


static void
read_payload(const char *name)
{
    FILE  *file;

    file = fopen(name, "rb");

    if (file == NULL || fseek(file, 0, SEEK_END)
        || (payload_size = ftell(file)) < 0
        || (payload = malloc(payload_size + 1)) == NULL)
    {
        fail(name);
    }

    rewind(file);

    if (fread(payload, 1, payload_size, file) != (size_t) payload_size) {
        fail(name);
    }

    fclose(file);
}


/* microseconds */

static double
cpu(void)
{
    struct rusage  usage;

    getrusage(RUSAGE_SELF, &usage);

    return 1e6 * (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
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
    fprintf(stderr, "libcurl: %s\n", what);
    exit(1);
}
