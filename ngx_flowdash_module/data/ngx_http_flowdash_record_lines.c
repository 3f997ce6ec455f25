
/*
 * What each kind of line adds to a record.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record_lines.h>
#include <ngx_http_flowdash_record_todo.h>
#include <ngx_http_flowdash_record_words.h>
#include <ngx_http_flowdash_text.h>


/* a place in an array that is missing */

#define NGX_HTTP_FLOWDASH_RECORD_NONE   NGX_MAX_UINT32_VALUE


/* all that lines can say */

typedef struct {
    ngx_str_t                            kind;
    ngx_uint_t                           v;
    ngx_str_t                            id;
    ngx_str_t                            boot;
    ngx_uint_t                           start;
    ngx_str_t                            server;
    ngx_str_t                            location;
    ngx_str_t                            action;
    ngx_str_t                            trace;
    ngx_uint_t                           sync;

    ngx_uint_t                           n;
    ngx_str_t                            step;
    ngx_str_t                            key;
    ngx_uint_t                           counts;
    ngx_http_flowdash_delivery_t        *undo;
    ngx_array_t                          afters;

    ngx_uint_t                           outcome;
    ngx_str_t                            reason;
    ngx_uint_t                           status;
    ngx_str_t                            redirect;
    ngx_str_t                            response;
    ngx_uint_t                           truncated;

    ngx_uint_t                           undo_n;
    ngx_uint_t                           after_n;
    ngx_http_flowdash_delivery_e         state;
    ngx_uint_t                           tries;
    ngx_uint_t                           at;
} ngx_http_flowdash_record_line_t;


typedef struct {
    ngx_str_t                            name;
    ngx_http_flowdash_record_member_t   *members;
    ngx_int_t                          (*add)(
                                     ngx_http_flowdash_record_t *record,
                                     ngx_http_flowdash_record_line_t *line);
} ngx_http_flowdash_record_kind_t;


static ngx_http_flowdash_record_kind_t *ngx_http_flowdash_record_lines_kind(
    ngx_http_flowdash_json_node_t *node);
static ngx_http_flowdash_record_t *ngx_http_flowdash_record_lines_new(
    ngx_pool_t *pool);
static ngx_int_t ngx_http_flowdash_record_lines_begin(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_call(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_answer(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_mark(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_outcome(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_response(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_delivery(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_again(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_record_line_t *line);
static ngx_int_t ngx_http_flowdash_record_lines_outcome_word(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);


#define ngx_http_flowdash_record_member(name, read, field, required)          \
    { ngx_string(name), ngx_http_flowdash_record_ ## read,                    \
      offsetof(ngx_http_flowdash_record_line_t, field), required }

#define ngx_http_flowdash_record_members_end  { ngx_null_string, NULL, 0, 0 }


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_begin_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("v", members_number, v, 1),
    ngx_http_flowdash_record_member("id", members_text, id, 1),
    ngx_http_flowdash_record_member("boot", members_text, boot, 0),
    ngx_http_flowdash_record_member("start", members_number, start, 0),
    ngx_http_flowdash_record_member("server", members_text, server, 0),
    ngx_http_flowdash_record_member("location", members_text, location, 0),
    ngx_http_flowdash_record_member("action", members_text, action, 0),
    ngx_http_flowdash_record_member("trace", members_text, trace, 0),
    ngx_http_flowdash_record_member("sync", members_flag, sync, 0),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_call_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("n", members_number, n, 1),
    ngx_http_flowdash_record_member("step", members_text, step, 0),
    ngx_http_flowdash_record_member("key", members_text, key, 0),
    ngx_http_flowdash_record_member("undo", members_delivery, undo, 0),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_answer_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("n", members_number, n, 1),
    ngx_http_flowdash_record_member("step", members_text, step, 0),
    ngx_http_flowdash_record_member("counts", members_flag, counts, 0),
    ngx_http_flowdash_record_member("undo", members_delivery, undo, 0),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_mark_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("afters", members_deliveries, afters, 1),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_outcome_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("outcome", lines_outcome_word, outcome, 1),
    ngx_http_flowdash_record_member("reason", members_text, reason, 0),
    ngx_http_flowdash_record_member("step", members_text, step, 0),
    ngx_http_flowdash_record_member("status", members_number, status, 0),
    ngx_http_flowdash_record_member("redirect", members_text, redirect, 0),
    ngx_http_flowdash_record_member("truncated", members_flag, truncated, 0),
    ngx_http_flowdash_record_member("afters", members_deliveries, afters, 0),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_response_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("response", members_text, response, 0),
    ngx_http_flowdash_record_member("truncated", members_flag, truncated, 0),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_delivery_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("undo", members_number, undo_n, 0),
    ngx_http_flowdash_record_member("after", members_number, after_n, 0),
    ngx_http_flowdash_record_member("state", members_state, state, 0),
    ngx_http_flowdash_record_member("tries", members_number, tries, 0),
    ngx_http_flowdash_record_member("status", members_number, status, 0),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_lines_again_members[] =
{
    ngx_http_flowdash_record_member("line", members_text, kind, 1),
    ngx_http_flowdash_record_member("at", members_number, at, 1),
    ngx_http_flowdash_record_members_end
};


static ngx_http_flowdash_record_kind_t
    ngx_http_flowdash_record_lines_kinds[] =
{
    { ngx_string("begin"), ngx_http_flowdash_record_lines_begin_members,
      ngx_http_flowdash_record_lines_begin },

    { ngx_string("call"), ngx_http_flowdash_record_lines_call_members,
      ngx_http_flowdash_record_lines_call },

    { ngx_string("answer"), ngx_http_flowdash_record_lines_answer_members,
      ngx_http_flowdash_record_lines_answer },

    { ngx_string("mark"), ngx_http_flowdash_record_lines_mark_members,
      ngx_http_flowdash_record_lines_mark },

    { ngx_string("outcome"), ngx_http_flowdash_record_lines_outcome_members,
      ngx_http_flowdash_record_lines_outcome },

    { ngx_string("response"), ngx_http_flowdash_record_lines_response_members,
      ngx_http_flowdash_record_lines_response },

    { ngx_string("delivery"), ngx_http_flowdash_record_lines_delivery_members,
      ngx_http_flowdash_record_lines_delivery },

    { ngx_string("again"), ngx_http_flowdash_record_lines_again_members,
      ngx_http_flowdash_record_lines_again },

    { ngx_null_string, NULL, NULL }
};


ngx_int_t
ngx_http_flowdash_record_lines_add(ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, ngx_http_flowdash_record_t **record)
{
    ngx_int_t                         rc;
    ngx_http_flowdash_record_kind_t  *kind;
    ngx_http_flowdash_record_line_t   line;

    kind = ngx_http_flowdash_record_lines_kind(node);

    if (kind == NULL) {
        reader->error = "a line is of a kind that this version does not know";
        return NGX_DECLINED;
    }

    ngx_memzero(&line, sizeof(ngx_http_flowdash_record_line_t));
    line.undo_n = NGX_HTTP_FLOWDASH_RECORD_NONE;
    line.after_n = NGX_HTTP_FLOWDASH_RECORD_NONE;

    rc = ngx_http_flowdash_record_members(reader, node, kind->members, &line);
    if (rc != NGX_OK) {
        return rc;
    }

    reader->error = "a line does not fit to the ones before it";

    if ((*record == NULL) != (line.v == NGX_HTTP_FLOWDASH_RECORD_VERSION)) {
        return NGX_DECLINED;
    }

    if (*record == NULL) {
        *record = ngx_http_flowdash_record_lines_new(reader->pool);
        if (*record == NULL) {
            return NGX_ERROR;
        }
    }

    return kind->add(*record, &line);
}


static ngx_http_flowdash_record_kind_t *
ngx_http_flowdash_record_lines_kind(ngx_http_flowdash_json_node_t *node)
{
    ngx_http_flowdash_record_kind_t  *kind;

    for (node = node->first; node; node = node->next) {
        if (ngx_http_flowdash_text_is(&node->key, "line")) {
            break;
        }
    }

    if (node == NULL || !node->string) {
        return NULL;
    }

    for (kind = ngx_http_flowdash_record_lines_kinds; kind->name.len; kind++) {
        if (ngx_http_flowdash_text_equal(&kind->name, &node->text)) {
            return kind;
        }
    }

    return NULL;
}


static ngx_http_flowdash_record_t *
ngx_http_flowdash_record_lines_new(ngx_pool_t *pool)
{
    ngx_http_flowdash_record_t  *record;

    record = ngx_pcalloc(pool, sizeof(ngx_http_flowdash_record_t));
    if (record == NULL) {
        return NULL;
    }

    record->pool = pool;

    if (ngx_array_init(&record->steps, pool, 4,
                       sizeof(ngx_http_flowdash_record_step_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&record->afters, pool, 1,
                       sizeof(ngx_http_flowdash_delivery_t))
        != NGX_OK)
    {
        return NULL;
    }

    return record;
}


static ngx_int_t
ngx_http_flowdash_record_lines_begin(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    if (line->id.len == 0) {
        return NGX_DECLINED;
    }

    record->id = line->id;
    record->boot = line->boot;
    record->start = line->start;
    record->server = line->server;
    record->location = line->location;
    record->action = line->action;
    record->trace = line->trace;
    record->sync = line->sync;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_call(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    ngx_http_flowdash_record_step_t  *step;

    if (line->n != record->steps.nelts) {
        return NGX_DECLINED;
    }

    step = ngx_array_push(&record->steps);
    if (step == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));

    step->name = line->step;
    step->key = line->key;
    step->undo = line->undo;
    step->called = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_answer(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    ngx_http_flowdash_record_step_t  *step;

    if (line->step.len) {

        /* there was none of its call: it has no undo */

        if (line->n != record->steps.nelts || line->undo) {
            return NGX_DECLINED;
        }

        step = ngx_array_push(&record->steps);
        if (step == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(step, sizeof(ngx_http_flowdash_record_step_t));

        step->name = line->step;

    } else {

        if (line->n >= record->steps.nelts) {
            return NGX_DECLINED;
        }

        step = record->steps.elts;
        step += line->n;
    }

    step->ended = 1;
    step->counts = line->counts;

    if (line->undo) {
        step->undo = line->undo;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_mark(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    record->marked = 1;
    record->afters = line->afters;
    record->kept = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_outcome(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    if (line->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK
        && line->afters.elts == NULL && !record->kept)
    {
        return NGX_DECLINED;
    }

    record->outcome = (ngx_http_flowdash_outcome_e) line->outcome;
    record->reason = line->reason;
    record->failed_step = line->step;
    record->status = line->status;
    record->redirect = line->redirect;
    record->truncated = line->truncated;

    if (line->afters.elts) {
        record->afters = line->afters;
        record->kept = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_response(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    record->response = line->response;
    record->truncated = line->truncated;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_delivery(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    ngx_http_flowdash_delivery_t     *delivery;
    ngx_http_flowdash_record_step_t  *step;

    delivery = NULL;

    if (line->undo_n < record->steps.nelts
        && line->after_n == NGX_HTTP_FLOWDASH_RECORD_NONE)
    {
        step = record->steps.elts;
        delivery = step[line->undo_n].undo;
    }

    if (line->after_n < record->afters.nelts
        && line->undo_n == NGX_HTTP_FLOWDASH_RECORD_NONE)
    {
        delivery = record->afters.elts;
        delivery += line->after_n;
    }

    if (delivery == NULL) {
        return NGX_DECLINED;
    }

    delivery->state = line->state;
    delivery->tries = line->tries;
    delivery->status = line->status;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_again(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_line_t *line)
{
    record->again = line->at;
    ngx_http_flowdash_record_todo_again(record);

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_lines_outcome_word(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    return ngx_http_flowdash_record_members_word(reader, node,
                                  ngx_http_flowdash_record_outcomes, value);
}
