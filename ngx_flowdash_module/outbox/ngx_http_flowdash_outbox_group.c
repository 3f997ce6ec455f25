
/*
 * The groups of records in the worker's directory, in the order in which they
 * are due.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http_flowdash_outbox_group.h>


static void ngx_http_flowdash_outbox_group_init(void);


static ngx_queue_t  ngx_http_flowdash_outbox_groups;
static ngx_uint_t   ngx_http_flowdash_outbox_group_missed;  /* for a lack of
                                                               memory */


static void
ngx_http_flowdash_outbox_group_init(void)
{
    if (ngx_http_flowdash_outbox_groups.next == NULL) {
        ngx_queue_init(&ngx_http_flowdash_outbox_groups);
    }
}


ngx_int_t
ngx_http_flowdash_outbox_group_name(u_char *name,
    ngx_http_flowdash_outbox_kind_e *kind, time_t *due)
{
    u_char                            *p;
    ngx_str_t                         *word;
    ngx_uint_t                         i;

    static ngx_str_t  words[] = {
        ngx_null_string,
        ngx_string("again"),
        ngx_string("undo"),
        ngx_string("after")
    };

    *kind = NGX_HTTP_FLOWDASH_OUTBOX_DUE;
    *due = 0;
    p = name;

    for (i = NGX_HTTP_FLOWDASH_OUTBOX_AGAIN;
         i <= NGX_HTTP_FLOWDASH_OUTBOX_AFTER;
         i++)
    {
        word = &words[i];

        if (ngx_strncmp(p, word->data, word->len) == 0) {
            *kind = i;
            p += word->len;
            break;
        }
    }

    if (p == name) {

        while (*p >= '0' && *p <= '9') {
            p++;
        }

        *due = ngx_atotm(name, p - name);
        if (*due == NGX_ERROR) {
            return NGX_DECLINED;
        }
    }

    if (*p == '\0') {
        return NGX_OK;
    }

    if (*p++ != '.' || *p == '\0') {
        return NGX_DECLINED;
    }

    while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f') || *p == '.') {
        p++;
    }

    return (*p == '\0') ? NGX_OK : NGX_DECLINED;
}


void
ngx_http_flowdash_outbox_group_rename(u_char *name, u_char *to)
{
    u_char      *p;
    ngx_uint_t   i;

    for (i = 0; i < 32 && name[i] && name[i] != '.'; i++) {
        to[i] = name[i];
    }

    p = to + i;
    *p++ = '.';
    p = ngx_http_flowdash_outbox_own_random(p);
    *p = '\0';
}


ngx_int_t
ngx_http_flowdash_outbox_group_add(u_char *name, time_t due, ngx_log_t *log)
{
    size_t                             len;
    time_t                             named;
    ngx_queue_t                       *q, *groups;
    ngx_http_flowdash_outbox_kind_e    kind;
    ngx_http_flowdash_outbox_group_t  *group, *other;

    ngx_http_flowdash_outbox_group_init();

    len = ngx_strlen(name);

    if (len >= NGX_HTTP_FLOWDASH_OUTBOX_NAME
        || ngx_http_flowdash_outbox_group_name(name, &kind, &named) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    due = ngx_max(due, named);
    groups = &ngx_http_flowdash_outbox_groups;

    for (q = ngx_queue_head(groups);
         q != ngx_queue_sentinel(groups);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_flowdash_outbox_group_t, queue);

        if (ngx_strcmp(other->name, name) == 0) {
            return NGX_OK;
        }
    }

    group = ngx_alloc(sizeof(ngx_http_flowdash_outbox_group_t), log);
    if (group == NULL) {
        ngx_http_flowdash_outbox_group_missed = 1;
        return NGX_ERROR;
    }

    group->kind = kind;
    group->due = due;
    ngx_memcpy(group->name, name, len + 1);

    for (q = ngx_queue_last(groups);
         q != ngx_queue_sentinel(groups);
         q = ngx_queue_prev(q))
    {
        other = ngx_queue_data(q, ngx_http_flowdash_outbox_group_t, queue);

        if (other->due <= due) {
            break;
        }
    }

    ngx_queue_insert_after(q, &group->queue);

    ngx_post_event(&ngx_http_flowdash_outbox.work, &ngx_posted_next_events);

    return NGX_OK;
}


void
ngx_http_flowdash_outbox_group_look(ngx_log_t *log)
{
    u_char      *name, path[NGX_HTTP_FLOWDASH_OUTBOX_PATH];
    ngx_dir_t    dir;
    ngx_str_t    own;

    if (!ngx_http_flowdash_outbox_group_missed) {
        return;
    }

    own.data = path;
    own.len = ngx_sprintf(path, "%V%Z", &ngx_http_flowdash_outbox.own) - path
              - 1;

    if (ngx_open_dir(&own, &dir) == NGX_ERROR) {
        return;
    }

    ngx_http_flowdash_outbox_group_missed = 0;

    while (ngx_read_dir(&dir) == NGX_OK) {
        name = ngx_de_name(&dir);

        /* "now", "sending" and "lock" are no groups */

        (void) ngx_http_flowdash_outbox_group_add(name, 0, log);
    }

    (void) ngx_close_dir(&dir);
}


/* the last one is due as well if the clock was set back */

ngx_http_flowdash_outbox_group_t *
ngx_http_flowdash_outbox_group_first(void)
{
    ngx_queue_t                       *groups;
    ngx_http_flowdash_outbox_group_t  *first, *last;

    ngx_http_flowdash_outbox_group_init();

    groups = &ngx_http_flowdash_outbox_groups;

    if (ngx_queue_empty(groups)) {
        return NULL;
    }

    first = ngx_queue_data(ngx_queue_head(groups),
                           ngx_http_flowdash_outbox_group_t, queue);
    last = ngx_queue_data(ngx_queue_last(groups),
                          ngx_http_flowdash_outbox_group_t, queue);

    if (ngx_http_flowdash_outbox_group_delay(first)
        && ngx_http_flowdash_outbox_group_delay(last) == 0)
    {
        return last;
    }

    return first;
}


time_t
ngx_http_flowdash_outbox_group_delay(ngx_http_flowdash_outbox_group_t *group)
{
    time_t  delay;

    delay = group->due - ngx_time();

    return (delay > 0 && delay <= NGX_HTTP_FLOWDASH_OUTBOX_LATEST) ? delay : 0;
}


void
ngx_http_flowdash_outbox_group_remove(ngx_http_flowdash_outbox_group_t *group)
{
    ngx_queue_remove(&group->queue);
    ngx_free(group);
}


void
ngx_http_flowdash_outbox_group_release(ngx_log_t *log)
{
    u_char                             from[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                                       to[NGX_HTTP_FLOWDASH_OUTBOX_PATH],
                                       name[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
    ngx_queue_t                       *groups;
    ngx_http_flowdash_outbox_group_t  *group;

    ngx_http_flowdash_outbox_group_init();

    groups = &ngx_http_flowdash_outbox_groups;

    while (!ngx_queue_empty(groups)) {
        group = ngx_queue_data(ngx_queue_head(groups),
                               ngx_http_flowdash_outbox_group_t, queue);

        ngx_sprintf(from, "%V/%s%Z", &ngx_http_flowdash_outbox.own,
                    group->name);

        ngx_http_flowdash_outbox_group_rename(group->name, name);

        /* what fails is logged, and taken over from the worker's directory */

        (void) ngx_http_flowdash_outbox_dir_rename(from, "waiting", 1, name,
                                                   to, log);

        ngx_http_flowdash_outbox_group_remove(group);
    }
}
