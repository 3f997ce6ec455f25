
/*
 * What is left to do of a record.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record_todo.h>
#include <ngx_http_flowdash_text.h>


typedef struct {
    ngx_uint_t  waiting;
    ngx_uint_t  dead;
} ngx_http_flowdash_record_left_t;


static ngx_http_flowdash_delivery_t *ngx_http_flowdash_record_todo_undo(
    ngx_http_flowdash_record_step_t *step);
static void ngx_http_flowdash_record_todo_count(
    ngx_http_flowdash_record_left_t *left,
    ngx_http_flowdash_delivery_t *delivery);
static void ngx_http_flowdash_record_todo_wait(
    ngx_http_flowdash_delivery_t *delivery);


ngx_http_flowdash_record_todo_e
ngx_http_flowdash_record_todo(ngx_http_flowdash_record_t *record,
    ngx_str_t *boot)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_record_left_t   left;
    ngx_http_flowdash_record_step_t  *step;

    ngx_memzero(&left, sizeof(ngx_http_flowdash_record_left_t));

    switch (record->outcome) {

    case NGX_HTTP_FLOWDASH_OUTCOME_NONE:

        if (record->marked) {
            return NGX_HTTP_FLOWDASH_RECORD_UNKNOWN;
        }

        if (!record->sync
            && (boot->len == 0
                || !ngx_http_flowdash_text_equal(&record->boot, boot)))
        {
            return NGX_HTTP_FLOWDASH_RECORD_UNKNOWN;
        }

        break;

    case NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN:
        return NGX_HTTP_FLOWDASH_RECORD_UNKNOWN;

    case NGX_HTTP_FLOWDASH_OUTCOME_OK:
        after = record->afters.elts;

        for (i = 0; i < record->afters.nelts; i++) {
            ngx_http_flowdash_record_todo_count(&left, &after[i]);
        }

        if (left.waiting) {
            return NGX_HTTP_FLOWDASH_RECORD_AFTER;
        }

        return left.dead ? NGX_HTTP_FLOWDASH_RECORD_DEAD
                         : NGX_HTTP_FLOWDASH_RECORD_DONE;

    default: /* FAILED, REFUSED */
        break;
    }

    step = record->steps.elts;

    for (i = 0; i < record->steps.nelts; i++) {
        ngx_http_flowdash_record_todo_count(&left,
                               ngx_http_flowdash_record_todo_undo(&step[i]));
    }

    if (left.waiting) {
        return NGX_HTTP_FLOWDASH_RECORD_UNDO;
    }

    return left.dead ? NGX_HTTP_FLOWDASH_RECORD_DEAD
                     : NGX_HTTP_FLOWDASH_RECORD_DONE;
}


/* the undo of a step that may have taken effect, if it has one */

static ngx_http_flowdash_delivery_t *
ngx_http_flowdash_record_todo_undo(ngx_http_flowdash_record_step_t *step)
{
    return (!step->ended || step->counts) ? step->undo : NULL;
}


static void
ngx_http_flowdash_record_todo_count(ngx_http_flowdash_record_left_t *left,
    ngx_http_flowdash_delivery_t *delivery)
{
    if (delivery) {
        left->waiting |= (delivery->state
                          == NGX_HTTP_FLOWDASH_DELIVERY_WAITING);
        left->dead |= (delivery->state == NGX_HTTP_FLOWDASH_DELIVERY_DEAD);
    }
}


ngx_http_flowdash_delivery_t *
ngx_http_flowdash_record_next(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *last)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_delivery_t     *after, *undo;
    ngx_http_flowdash_record_step_t  *step;

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_UNKNOWN
        || (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE
            && record->marked))
    {
        return NULL;
    }

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK) {
        after = record->afters.elts;

        for (i = last ? last - after + 1 : 0; i < record->afters.nelts; i++) {
            if (after[i].state == NGX_HTTP_FLOWDASH_DELIVERY_WAITING) {
                return &after[i];
            }
        }

        return NULL;
    }

    step = record->steps.elts;

    for (i = record->steps.nelts; i; i--) {
        undo = ngx_http_flowdash_record_todo_undo(&step[i - 1]);

        if (last) {
            if (step[i - 1].undo == last) {
                last = NULL;
            }

            continue;
        }

        if (undo && undo->state == NGX_HTTP_FLOWDASH_DELIVERY_WAITING) {
            return undo;
        }
    }

    return NULL;
}


void
ngx_http_flowdash_record_todo_again(ngx_http_flowdash_record_t *record)
{
    ngx_uint_t                        i;
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_record_step_t  *step;

    step = record->steps.elts;

    for (i = 0; i < record->steps.nelts; i++) {
        if (step[i].undo) {
            ngx_http_flowdash_record_todo_wait(step[i].undo);
        }
    }

    after = record->afters.elts;

    for (i = 0; i < record->afters.nelts; i++) {
        ngx_http_flowdash_record_todo_wait(&after[i]);
    }
}


static void
ngx_http_flowdash_record_todo_wait(ngx_http_flowdash_delivery_t *delivery)
{
    if (delivery->state == NGX_HTTP_FLOWDASH_DELIVERY_DEAD) {
        delivery->state = NGX_HTTP_FLOWDASH_DELIVERY_WAITING;
    }

    delivery->tries = 0;
}
