
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_OWN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_OWN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox.h>


/* of a name below the outbox's path, with the zero at its end */

#define NGX_HTTP_FLOWDASH_OUTBOX_NAME    128

/* of its full path; that of flowdash_outbox is shorter by 512 octets */

#define NGX_HTTP_FLOWDASH_OUTBOX_PATH    1024


/* what this worker knows of the outbox; there is one */

typedef struct {
    ngx_http_flowdash_outbox_conf_t      conf;      /* without a path: none */
    ngx_http_flowdash_outbox_counters_t *counters;
    ngx_http_flowdash_outbox_send_pt     send;
    ngx_str_t                            boot;      /* of the machine, or
                                                       empty */
    ngx_str_t                            own;       /* this worker's directory,
                                                       ends with a zero; empty:
                                                       there is none yet */
    ngx_fd_t                             lock;
    ngx_fd_t                             now;       /* its now/, for fsync() */

    ngx_uint_t                           out;       /* handed to "send", and
                                                       not yet given back */
    ngx_event_t                          work;      /* sends what is due; is
                                                       posted when there may be
                                                       something to do */
    ngx_uint_t                           exiting;   /* unsigned  exiting:1; */
} ngx_http_flowdash_outbox_t;


extern ngx_http_flowdash_outbox_t  ngx_http_flowdash_outbox;


/* Makes the worker's directory.  Returns NGX_OK or NGX_ERROR, logged. */
ngx_int_t ngx_http_flowdash_outbox_own_init(ngx_log_t *log);

/*
 * The worker ends: removes its directory if it is empty.  Another worker takes
 * it over, if it is not.
 */
void ngx_http_flowdash_outbox_own_exit(void);

/*
 * Removes a directory whose lock this worker has, if nothing is in it.
 * Returns NGX_OK, or NGX_ERROR with ngx_errno set.
 */
ngx_int_t ngx_http_flowdash_outbox_own_remove(u_char *own);

/* Writes eight random hex digits. */
u_char *ngx_http_flowdash_outbox_own_random(u_char *p);

/* Makes a directory if it is missing.  Returns NGX_OK or NGX_ERROR, logged. */
ngx_int_t ngx_http_flowdash_outbox_own_make(u_char *path, ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_OWN_H_INCLUDED_ */
