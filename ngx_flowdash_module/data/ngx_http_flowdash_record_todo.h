
#ifndef _NGX_HTTP_FLOWDASH_RECORD_TODO_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_TODO_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>


/* what to do with a record that nobody works on */

typedef enum {
    NGX_HTTP_FLOWDASH_RECORD_UNDO = 0,    /* its steps that count */
    NGX_HTTP_FLOWDASH_RECORD_AFTER,
    NGX_HTTP_FLOWDASH_RECORD_UNKNOWN,     /* wait for a person */
    NGX_HTTP_FLOWDASH_RECORD_DONE,        /* nothing is left to do */
    NGX_HTTP_FLOWDASH_RECORD_DEAD         /* only what is not tried again */
} ngx_http_flowdash_record_todo_e;


/*
 * Tells what to do with a record.  "boot" is the machine's: if it is another
 * than the record's, or either is not known, power may have been lost, and
 * with it all lines since the last sync.
 *
 *   outcome           marked  boot   sync  to do
 *   ok                 any    any    any   after-steps
 *   failed, refused    any    any    any   undos
 *   unknown            any    any    any   UNKNOWN
 *   none               yes    any    any   UNKNOWN: the app may have done it
 *   none               no     same   any   undos: the app was not called
 *   none               no     other  yes   undos: the mark would be there
 *   none               no     other  no    UNKNOWN: the mark may be lost
 *
 * A step that has no answer, or one that counts, is undone.  "after-steps" and
 * "undos" are DONE if all of them are, and DEAD if what is not done is dead.
 */
ngx_http_flowdash_record_todo_e ngx_http_flowdash_record_todo(
    ngx_http_flowdash_record_t *record, ngx_str_t *boot);

/*
 * Returns the next delivery that waits and comes after "last", NULL for the
 * first: undos in the reverse order of their steps, after-steps in theirs.
 * Returns NULL if there is none, or if the outcome is unknown: unless it is
 * certain what became of a record, nothing of it may be sent.  Whoever decides
 * that sets record->outcome to OK or REFUSED, and writes it.
 */
ngx_http_flowdash_delivery_t *ngx_http_flowdash_record_next(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *last);

/* All that is dead waits again, and nothing has been tried. */
void ngx_http_flowdash_record_todo_again(ngx_http_flowdash_record_t *record);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_TODO_H_INCLUDED_ */
