
#ifndef _NGX_HTTP_FLOWDASH_RECORD_WRITE_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_RECORD_WRITE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record.h>


/* a line that is being made in the record's buffer, which grows */

typedef struct {
    ngx_http_flowdash_record_t          *record;
    size_t                               len;
    unsigned                             failed:1;
} ngx_http_flowdash_record_writer_t;


/* Begins a line of this kind: after it, members can be added. */
void ngx_http_flowdash_record_write_start(
    ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_record_t *record, const char *kind);

/*
 * Ends the line, and puts its MAC in front; if "mac" is NULL, ends a part of
 * it that is held.  Returns NGX_OK, or NGX_ERROR, also if memory ran out
 * before.
 */
ngx_int_t ngx_http_flowdash_record_write_end(
    ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line);

/*
 * The others add a member.  What a reader assumes by itself is left out: empty
 * texts, the number 0, false, and a delivery that is NULL.
 */

/* Adds a text.  If it is not UTF-8, it becomes {"base64": "..."}. */
void ngx_http_flowdash_record_write_text(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_str_t *value);

/* Adds a number. */
void ngx_http_flowdash_record_write_number(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    uint64_t value);

/* Adds a number, even if it is 0. */
void ngx_http_flowdash_record_write_index(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    uint64_t value);

/* Adds a flag. */
void ngx_http_flowdash_record_write_flag(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_uint_t value);

/* Adds a delivery with its state. */
void ngx_http_flowdash_record_write_delivery(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_http_flowdash_delivery_t *delivery);

/* Adds an array of deliveries, even if it is empty. */
void ngx_http_flowdash_record_write_deliveries(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_array_t *deliveries);

/* Adds the members that are the state of a delivery. */
void ngx_http_flowdash_record_write_state(
    ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_delivery_t *delivery);


#endif /* _NGX_HTTP_FLOWDASH_RECORD_WRITE_H_INCLUDED_ */
