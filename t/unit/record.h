
/*
 * What the tests of records share: all of a record as one text, to compare
 * what was written with what was read, and the lines that write a record from
 * nothing.
 */


#ifndef _TEST_RECORD_H_INCLUDED_
#define _TEST_RECORD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_http_flowdash_record.h>
#include <ngx_http_flowdash_record_read.h>


#define RECORD_FILE  (4 * 1024 * 1024)


static u_char  record_file[RECORD_FILE];      /* the lines of one */


/* grows; the caller frees its data */

static inline void
record_add(ngx_str_t *to, const void *data, size_t len)
{
    to->data = realloc(to->data, to->len + len + 1);

    if (to->data == NULL) {
        abort();
    }

    if (len) {
        ngx_memcpy(to->data + to->len, data, len);
    }

    to->len += len;
}


/* with its length, so that no text can look like what is around it */

static inline void
record_add_text(ngx_str_t *to, const char *name, ngx_str_t *s)
{
    char  buf[64];

    record_add(to, buf, snprintf(buf, sizeof(buf), "%s %d ", name,
                                 (int) s->len));
    record_add(to, s->data, s->len);
}


static inline void
record_add_number(ngx_str_t *to, const char *name, long n)
{
    char  buf[64];

    record_add(to, buf, snprintf(buf, sizeof(buf), "%s %ld ", name, n));
}


static inline void
record_add_pieces(ngx_str_t *to, const char *name, ngx_array_t *pieces)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_piece_t  *piece;

    record_add_number(to, name, pieces->nelts);
    piece = pieces->elts;

    for (i = 0; i < pieces->nelts; i++) {
        record_add_number(to, "kind", piece[i].kind);
        record_add_number(to, "encoding", piece[i].encoding);
        record_add_text(to, "text", &piece[i].text);
    }
}


static inline void
record_add_delivery(ngx_str_t *to, ngx_http_flowdash_delivery_t *delivery)
{
    ngx_uint_t                          i;
    ngx_http_flowdash_record_header_t  *header;

    if (delivery == NULL) {
        record_add_number(to, "none", 0);
        return;
    }

    record_add_text(to, "name", &delivery->name);
    record_add_text(to, "key", &delivery->key);
    record_add_text(to, "host", &delivery->host);
    record_add_pieces(to, "uri", &delivery->uri);

    record_add_number(to, "headers", delivery->headers.nelts);
    header = delivery->headers.elts;

    for (i = 0; i < delivery->headers.nelts; i++) {
        record_add_text(to, "header", &header[i].name);
        record_add_pieces(to, "value", &header[i].value);
    }

    record_add_pieces(to, "body", &delivery->body);
    record_add_text(to, "error", &delivery->error);
    record_add_number(to, "state", delivery->state);
    record_add_number(to, "tries", delivery->tries);
    record_add_number(to, "status", delivery->status);
}


/* all of a record; the caller frees its data */

static inline ngx_str_t
record_text(ngx_http_flowdash_record_t *record)
{
    ngx_str_t                         to = ngx_null_string;
    ngx_uint_t                        i;
    ngx_http_flowdash_delivery_t     *after;
    ngx_http_flowdash_record_step_t  *step;

    record_add_text(&to, "id", &record->id);
    record_add_text(&to, "boot", &record->boot);
    record_add_number(&to, "start", record->start);
    record_add_text(&to, "server", &record->server);
    record_add_text(&to, "location", &record->location);
    record_add_text(&to, "action", &record->action);
    record_add_text(&to, "trace", &record->trace);
    record_add_number(&to, "sync", record->sync);

    record_add_number(&to, "steps", record->steps.nelts);
    step = record->steps.elts;

    for (i = 0; i < record->steps.nelts; i++) {
        record_add_text(&to, "step", &step[i].name);
        record_add_text(&to, "key", &step[i].key);
        record_add_number(&to, "ended", step[i].ended);
        record_add_number(&to, "counts", step[i].counts);
        record_add_delivery(&to, step[i].undo);
    }

    record_add_number(&to, "afters", record->afters.nelts);
    after = record->afters.elts;

    for (i = 0; i < record->afters.nelts; i++) {
        record_add_delivery(&to, &after[i]);
    }

    record_add_number(&to, "marked", record->marked);
    record_add_number(&to, "outcome", record->outcome);
    record_add_text(&to, "reason", &record->reason);
    record_add_text(&to, "failed", &record->failed_step);
    record_add_number(&to, "status", record->status);
    record_add_text(&to, "redirect", &record->redirect);
    record_add_text(&to, "response", &record->response);
    record_add_number(&to, "truncated", record->truncated);
    record_add_number(&to, "again", record->again);

    return to;
}


/* adds a line to the first "len" bytes of record_file; returns its length */

static inline size_t
record_put(size_t len, ngx_int_t rc, ngx_str_t *line,
    ngx_http_flowdash_record_mac_t *mac)
{
    if (rc != NGX_OK || line->len > RECORD_FILE - len) {
        fprintf(stderr, "a line cannot be written\n");
        abort();
    }

    ngx_memcpy(record_file + len, line->data, line->len);
    ngx_http_flowdash_record_written(mac);

    return len + line->len;
}


/* the same record, in as few lines as there can be */

static inline ngx_str_t
record_rewrite(ngx_http_flowdash_record_t *record,
    ngx_http_flowdash_record_mac_t *mac)
{
    size_t                            len;
    ngx_str_t                         line, file;
    ngx_uint_t                        i, steps, afters;
    ngx_http_flowdash_record_step_t  *step;

    ngx_memzero(mac->last, sizeof(mac->last));
    record->kept = 0;

    len = record_put(0, ngx_http_flowdash_record_begin(record, mac, &line),
                     &line, mac);

    /* while there are no deliveries: it would change them */

    if (record->again) {
        steps = record->steps.nelts;
        afters = record->afters.nelts;
        record->steps.nelts = 0;
        record->afters.nelts = 0;

        len = record_put(len,
                         ngx_http_flowdash_record_again(record, mac, &line),
                         &line, mac);

        record->steps.nelts = steps;
        record->afters.nelts = afters;
    }

    step = record->steps.elts;

    for (i = 0; i < record->steps.nelts; i++) {
        len = record_put(len, ngx_http_flowdash_record_call(record, &step[i],
                                                            mac, &line),
                         &line, mac);

        if (step[i].ended) {
            len = record_put(len, ngx_http_flowdash_record_answer(record,
                                                 &step[i], NULL, mac, &line),
                             &line, mac);
        }
    }

    if (record->marked) {
        len = record_put(len, ngx_http_flowdash_record_mark(record, mac,
                                                            &line),
                         &line, mac);
    }

    if (record->outcome != NGX_HTTP_FLOWDASH_OUTCOME_NONE) {
        len = record_put(len, ngx_http_flowdash_record_outcome(record, mac,
                                                               &line),
                         &line, mac);
    }

    if (record->response.len || record->truncated) {
        len = record_put(len, ngx_http_flowdash_record_response(record, mac,
                                                                &line),
                         &line, mac);
    }

    file.data = record_file;
    file.len = len;

    return file;
}


#endif /* _TEST_RECORD_H_INCLUDED_ */
