
/*
 * The lines of a record: what happened, in the order in which it did.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash_record_todo.h>
#include <ngx_http_flowdash_record_words.h>
#include <ngx_http_flowdash_record_write.h>


static ngx_int_t ngx_http_flowdash_record_place(
    ngx_http_flowdash_record_t *record, ngx_http_flowdash_delivery_t *delivery,
    const char **name, ngx_uint_t *n);
static ngx_uint_t ngx_http_flowdash_record_same_call(
    ngx_http_flowdash_delivery_t *one, ngx_http_flowdash_delivery_t *two);
static ngx_uint_t ngx_http_flowdash_record_same_pieces(ngx_array_t *one,
    ngx_array_t *two);


ngx_int_t
ngx_http_flowdash_record_begin(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t  writer;

    if (record->id.len == 0) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_record_write_start(&writer, record, "begin");

    ngx_http_flowdash_record_write_number(&writer, "v",
                                          NGX_HTTP_FLOWDASH_RECORD_VERSION);
    ngx_http_flowdash_record_write_text(&writer, "id", &record->id);
    ngx_http_flowdash_record_write_text(&writer, "boot", &record->boot);
    ngx_http_flowdash_record_write_number(&writer, "start", record->start);
    ngx_http_flowdash_record_write_text(&writer, "server", &record->server);
    ngx_http_flowdash_record_write_text(&writer, "location",
                                        &record->location);
    ngx_http_flowdash_record_write_text(&writer, "action", &record->action);
    ngx_http_flowdash_record_write_text(&writer, "trace", &record->trace);
    ngx_http_flowdash_record_write_flag(&writer, "sync", record->sync);

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


ngx_int_t
ngx_http_flowdash_record_call(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_step_t *step, ngx_http_flowdash_record_mac_t *mac,
    ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t   writer;
    ngx_http_flowdash_record_step_t    *first;

    first = record->steps.elts;
    step->called = 1;

    ngx_http_flowdash_record_write_start(&writer, record, "call");

    ngx_http_flowdash_record_write_index(&writer, "n", step - first);
    ngx_http_flowdash_record_write_text(&writer, "step", &step->name);
    ngx_http_flowdash_record_write_text(&writer, "key", &step->key);
    ngx_http_flowdash_record_write_delivery(&writer, "undo", step->undo);

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


ngx_int_t
ngx_http_flowdash_record_answer(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_step_t *step, ngx_http_flowdash_delivery_t *undo,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t   writer;
    ngx_http_flowdash_record_step_t    *first;

    if (!step->called && (step->name.len == 0 || undo)) {
        return NGX_ERROR;
    }

    first = record->steps.elts;

    ngx_http_flowdash_record_write_start(&writer, record, "answer");

    ngx_http_flowdash_record_write_index(&writer, "n", step - first);

    if (!step->called) {
        ngx_http_flowdash_record_write_text(&writer, "step", &step->name);
    }

    ngx_http_flowdash_record_write_flag(&writer, "counts", step->counts);
    ngx_http_flowdash_record_write_delivery(&writer, "undo", undo);

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


ngx_int_t
ngx_http_flowdash_record_mark(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t  writer;

    ngx_http_flowdash_record_write_start(&writer, record, "mark");

    ngx_http_flowdash_record_write_deliveries(&writer, "afters",
                                              &record->afters);
    record->kept = 1;

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


ngx_int_t
ngx_http_flowdash_record_outcome(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t  writer;

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_NONE) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_record_write_start(&writer, record, "outcome");

    ngx_http_flowdash_record_write_text(&writer, "outcome",
                         &ngx_http_flowdash_record_outcomes[record->outcome]);
    ngx_http_flowdash_record_write_text(&writer, "reason", &record->reason);
    ngx_http_flowdash_record_write_text(&writer, "step",
                                        &record->failed_step);
    ngx_http_flowdash_record_write_number(&writer, "status", record->status);
    ngx_http_flowdash_record_write_text(&writer, "redirect",
                                        &record->redirect);
    ngx_http_flowdash_record_write_flag(&writer, "truncated",
                                        record->truncated);

    if (record->outcome == NGX_HTTP_FLOWDASH_OUTCOME_OK && !record->kept) {
        ngx_http_flowdash_record_write_deliveries(&writer, "afters",
                                                  &record->afters);
        record->kept = 1;
    }

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


ngx_int_t
ngx_http_flowdash_record_response(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t  writer;

    ngx_http_flowdash_record_write_start(&writer, record, "response");

    ngx_http_flowdash_record_write_text(&writer, "response",
                                        &record->response);
    ngx_http_flowdash_record_write_flag(&writer, "truncated",
                                        record->truncated);

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


ngx_int_t
ngx_http_flowdash_record_delivery(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_uint_t                          n;
    const char                         *name;
    ngx_http_flowdash_record_writer_t   writer;

    if (ngx_http_flowdash_record_place(record, delivery, &name, &n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_flowdash_record_write_start(&writer, record, "delivery");

    ngx_http_flowdash_record_write_index(&writer, name, n);
    ngx_http_flowdash_record_write_state(&writer, delivery);

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}


/* which of the record's deliveries it is */

static ngx_int_t
ngx_http_flowdash_record_place(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_delivery_t *delivery, const char **name, ngx_uint_t *n)
{
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_record_step_t  *step;

    *name = "after";
    after = record->afters.elts;

    for (*n = 0; *n < record->afters.nelts; (*n)++) {
        if (&after[*n] == delivery) {
            return NGX_OK;
        }
    }

    *name = "undo";
    step = record->steps.elts;

    for (*n = 0; *n < record->steps.nelts; (*n)++) {
        if (step[*n].undo == delivery) {
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


ngx_uint_t
ngx_http_flowdash_record_same(ngx_array_t *one, ngx_array_t *two)
{
    ngx_uint_t                     i;
    ngx_http_flowdash_delivery_t  *delivery, *other;

    if (one->nelts != two->nelts) {
        return 0;
    }

    delivery = one->elts;
    other = two->elts;

    for (i = 0; i < one->nelts; i++) {
        if (!ngx_http_flowdash_record_same_call(&delivery[i], &other[i])) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_flowdash_record_same_call(ngx_http_flowdash_delivery_t *one,
    ngx_http_flowdash_delivery_t *two)
{
    ngx_uint_t                          i;
    ngx_http_flowdash_record_header_t  *header, *other;

    if (!ngx_http_flowdash_text_equal(&one->name, &two->name)
        || !ngx_http_flowdash_text_equal(&one->key, &two->key)
        || !ngx_http_flowdash_text_equal(&one->host, &two->host)
        || !ngx_http_flowdash_text_equal(&one->error, &two->error)
        || !ngx_http_flowdash_record_same_pieces(&one->uri, &two->uri)
        || !ngx_http_flowdash_record_same_pieces(&one->body, &two->body)
        || one->headers.nelts != two->headers.nelts)
    {
        return 0;
    }

    header = one->headers.elts;
    other = two->headers.elts;

    for (i = 0; i < one->headers.nelts; i++) {
        if (!ngx_http_flowdash_text_equal(&header[i].name, &other[i].name)
            || !ngx_http_flowdash_record_same_pieces(&header[i].value,
                                                     &other[i].value))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_http_flowdash_record_same_pieces(ngx_array_t *one, ngx_array_t *two)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_piece_t  *piece, *other;

    if (one->nelts != two->nelts) {
        return 0;
    }

    piece = one->elts;
    other = two->elts;

    for (i = 0; i < one->nelts; i++) {
        if (piece[i].kind != other[i].kind
            || piece[i].encoding != other[i].encoding
            || !ngx_http_flowdash_text_equal(&piece[i].text, &other[i].text))
        {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_flowdash_record_again(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    ngx_http_flowdash_record_writer_t  writer;

    ngx_http_flowdash_record_todo_again(record);

    ngx_http_flowdash_record_write_start(&writer, record, "again");
    ngx_http_flowdash_record_write_index(&writer, "at", record->again);

    return ngx_http_flowdash_record_write_end(&writer, mac, line);
}
