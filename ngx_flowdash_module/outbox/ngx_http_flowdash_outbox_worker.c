
/*
 * The outbox of a worker, from its start to its end.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_record_mac.h>
#include <ngx_http_flowdash_outbox_memory.h>
#include <ngx_http_flowdash_outbox_due.h>
#include <ngx_http_flowdash_outbox_take.h>
#include <ngx_http_flowdash_outbox_count.h>
#include <ngx_http_flowdash_outbox_worker.h>


static ngx_int_t ngx_http_flowdash_outbox_worker_copy(ngx_str_t *to,
    ngx_str_t *from, ngx_log_t *log);
static void ngx_http_flowdash_outbox_worker_forget(ngx_str_t *text);
static ngx_int_t ngx_http_flowdash_outbox_worker_boot(ngx_log_t *log);


ngx_int_t
ngx_http_flowdash_outbox_init(ngx_cycle_t *cycle,
    ngx_http_flowdash_outbox_conf_t *conf,
    ngx_http_flowdash_outbox_counters_t *counters,
    ngx_http_flowdash_outbox_send_pt send)
{
    ngx_log_t                  *log;
    ngx_http_flowdash_outbox_t *outbox;

    static ngx_http_flowdash_outbox_counters_t  own;

    log = cycle->log;
    outbox = &ngx_http_flowdash_outbox;

    outbox->counters = counters ? counters : &own;
    outbox->send = send;
    outbox->exiting = 0;
    outbox->out = 0;

    ngx_http_flowdash_outbox_due_init(log);

    if (ngx_http_flowdash_outbox_worker_boot(log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (conf == NULL) {
        return NGX_OK;
    }

    /* a process that is its own master outlives its configuration */

    outbox->conf = *conf;

    if (ngx_http_flowdash_outbox_worker_copy(&outbox->conf.path, &conf->path,
                                             log)
        != NGX_OK
        || ngx_http_flowdash_outbox_worker_copy(&outbox->conf.key, &conf->key,
                                                log)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /*
     * Without room for it, the worker starts all the same: it tries again, and
     * only actions that need the outbox fail until then.
     */

    (void) ngx_http_flowdash_outbox_own_init(log);

    ngx_http_flowdash_outbox_take_init(log);
    ngx_http_flowdash_outbox_count_init(log);

    return NGX_OK;
}


void
ngx_http_flowdash_outbox_exit(ngx_log_t *log)
{
    ngx_http_flowdash_outbox_t  *outbox;

    outbox = &ngx_http_flowdash_outbox;

    outbox->exiting = 1;

    ngx_http_flowdash_outbox_memory_exit(log);

    if (outbox->conf.path.len) {
        ngx_http_flowdash_outbox_count_exit();
        ngx_http_flowdash_outbox_take_exit(log);
        ngx_http_flowdash_outbox_own_exit();
    }

    ngx_http_flowdash_outbox_due_exit();

    ngx_http_flowdash_outbox_worker_forget(&outbox->conf.path);
    ngx_http_flowdash_outbox_worker_forget(&outbox->conf.key);
    ngx_http_flowdash_outbox_worker_forget(&outbox->boot);
    ngx_http_flowdash_record_mac_free();
}


static ngx_int_t
ngx_http_flowdash_outbox_worker_copy(ngx_str_t *to, ngx_str_t *from,
    ngx_log_t *log)
{
    to->len = 0;
    to->data = ngx_alloc(from->len + 1, log);

    if (to->data == NULL) {
        return NGX_ERROR;
    }

    to->len = from->len;
    ngx_sprintf(to->data, "%V%Z", from);

    return NGX_OK;
}


static void
ngx_http_flowdash_outbox_worker_forget(ngx_str_t *text)
{
    if (text->data) {
        ngx_explicit_memzero(text->data, text->len);
        ngx_free(text->data);
    }

    ngx_str_null(text);
}


/* which start of the machine this is; empty where a system cannot tell */

static ngx_int_t
ngx_http_flowdash_outbox_worker_boot(ngx_log_t *log)
{
    u_char     buf[64];
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_str_t  boot;

    fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_INFO, log, ngx_errno,
                      "flowdash: the machine's boot has no id");
        return NGX_OK;
    }

    n = read(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    boot.data = buf;
    boot.len = (n > 0) ? n : 0;

    while (boot.len && buf[boot.len - 1] <= ' ') {
        boot.len--;
    }

    return ngx_http_flowdash_outbox_worker_copy(&ngx_http_flowdash_outbox.boot,
                                                &boot, log);
}
