
#ifndef _NGX_HTTP_FLOWDASH_OUTBOX_GROUP_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_OUTBOX_GROUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_outbox_dir.h>


/* records are due at multiples of so many seconds */

#define NGX_HTTP_FLOWDASH_OUTBOX_ROUND   5

/*
 * No record waits longer than so many seconds for its next try: if one seems
 * to, the clock was set back.
 */

#define NGX_HTTP_FLOWDASH_OUTBOX_LATEST  4500


/* what a directory of records has */

typedef enum {
    NGX_HTTP_FLOWDASH_OUTBOX_DUE = 0,
    NGX_HTTP_FLOWDASH_OUTBOX_AGAIN,       /* a person wants new tries of it */
    NGX_HTTP_FLOWDASH_OUTBOX_UNDO,        /* ... has decided so */
    NGX_HTTP_FLOWDASH_OUTBOX_AFTER
} ngx_http_flowdash_outbox_kind_e;


/*
 * A directory of records in the worker's own: its name is the time at which
 * they are due, in seconds since 1970, or "again", "undo", "after"; then
 * perhaps "." and a random number.
 */

typedef struct {
    ngx_queue_t                          queue;
    ngx_http_flowdash_outbox_kind_e      kind;
    time_t                               due;
    u_char                               name[NGX_HTTP_FLOWDASH_OUTBOX_NAME];
} ngx_http_flowdash_outbox_group_t;


/*
 * Reads the name of a group.  Returns NGX_OK, or NGX_DECLINED if it is another
 * name.
 */
ngx_int_t ngx_http_flowdash_outbox_group_name(u_char *name,
    ngx_http_flowdash_outbox_kind_e *kind, time_t *due);

/* Makes a name of the same meaning that no other group has. */
void ngx_http_flowdash_outbox_group_rename(u_char *name, u_char *to);

/*
 * Adds a group, which is due not before "due", unless it is there, and sees
 * that it is looked at.  Returns NGX_OK; NGX_DECLINED if it is not the name of
 * a group; or NGX_ERROR.
 */
ngx_int_t ngx_http_flowdash_outbox_group_add(u_char *name, time_t due,
    ngx_log_t *log);

/* Finds the groups in the worker's directory for which there was no memory. */
void ngx_http_flowdash_outbox_group_look(ngx_log_t *log);

/* Returns the group that is due first, or NULL if there is none. */
ngx_http_flowdash_outbox_group_t *ngx_http_flowdash_outbox_group_first(void);

/* Tells in how many seconds a group is due; 0: it is. */
time_t ngx_http_flowdash_outbox_group_delay(
    ngx_http_flowdash_outbox_group_t *group);

/* Its directory is gone. */
void ngx_http_flowdash_outbox_group_remove(
    ngx_http_flowdash_outbox_group_t *group);

/* The worker ends: gives all groups to the others. */
void ngx_http_flowdash_outbox_group_release(ngx_log_t *log);


#endif /* _NGX_HTTP_FLOWDASH_OUTBOX_GROUP_H_INCLUDED_ */
