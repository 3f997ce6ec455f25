
/*
 * Gives free memory back to the system after a peak.
 *
 * glibc returns only what is free at the end of the heap, and there is always
 * something, such as a kept connection, that was allocated there at the peak.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_trim.h>


#if (NGX_LINUX && defined __GLIBC__)

#include <malloc.h>


/* how long after the end of an execution it is looked at, in milliseconds */

#define NGX_HTTP_FLOWDASH_TRIM_DELAY  20000

/*
 * By how much the worker must have grown, in octets: giving back takes about
 * 0.1 ms for a MB, in which the worker does nothing else.
 */

#define NGX_HTTP_FLOWDASH_TRIM_SIZE   (32 * 1024 * 1024)


typedef struct {
    ngx_event_t        event;
    ngx_connection_t   dummy;      /* for the event's log */
    ngx_uint_t         n;          /* executions */
    ngx_uint_t         peak;       /* of them, since the last look */
    size_t             resident;   /* octets, after the last trim */
} ngx_http_flowdash_trim_t;


static void ngx_http_flowdash_trim_handler(ngx_event_t *ev);
static size_t ngx_http_flowdash_trim_resident(void);


static ngx_http_flowdash_trim_t  ngx_http_flowdash_trim_state;


void
ngx_http_flowdash_trim(ngx_uint_t n)
{
    ngx_http_flowdash_trim_t  *trim;

    trim = &ngx_http_flowdash_trim_state;

    trim->n = n;
    trim->peak = ngx_max(trim->peak, n);

    if (trim->event.timer_set) {
        return;
    }

    if (trim->event.handler == NULL) {
        trim->dummy.fd = (ngx_socket_t) -1;
        trim->event.handler = ngx_http_flowdash_trim_handler;
        trim->event.data = &trim->dummy;
        trim->event.cancelable = 1;
        trim->resident = ngx_http_flowdash_trim_resident();
    }

    trim->event.log = ngx_cycle->log;

    ngx_add_timer(&trim->event, NGX_HTTP_FLOWDASH_TRIM_DELAY);
}


/* while many are running, what they need next is not given back */

static void
ngx_http_flowdash_trim_handler(ngx_event_t *ev)
{
    size_t                     resident;
    ngx_http_flowdash_trim_t  *trim;

    trim = &ngx_http_flowdash_trim_state;

    if (trim->n > trim->peak / 4) {

        /* the end of one of them sets the timer again */

        trim->peak = trim->n;
        return;
    }

    trim->peak = trim->n;

    resident = ngx_http_flowdash_trim_resident();

    if (resident < trim->resident + NGX_HTTP_FLOWDASH_TRIM_SIZE) {
        trim->resident = ngx_min(trim->resident, resident);
        return;
    }

    (void) malloc_trim(0);

    trim->resident = ngx_http_flowdash_trim_resident();

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "flowdash: free memory went back to the system: the worker "
                  "had %uzM, and has %uzM",
                  resident >> 20, trim->resident >> 20);
}


/* returns 0 if the system does not say it */

static size_t
ngx_http_flowdash_trim_resident(void)
{
    u_char      *p, *end;
    ssize_t      n;
    ngx_fd_t     fd;
    ngx_int_t    pages;
    u_char       buf[128];

    fd = ngx_open_file("/proc/self/statm", NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    if (n <= 0) {
        return 0;
    }

    /* "size resident ..." */

    p = ngx_strlchr(buf, buf + n, ' ');

    if (p == NULL) {
        return 0;
    }

    p++;
    end = ngx_strlchr(p, buf + n, ' ');

    pages = end ? ngx_atoi(p, end - p) : NGX_ERROR;

    return (pages == NGX_ERROR) ? 0 : (size_t) pages * ngx_pagesize;
}

#else

void
ngx_http_flowdash_trim(ngx_uint_t n)
{
}

#endif
