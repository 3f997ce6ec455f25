
/*
 * Writes the members of a record's lines into its buffer.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json.h>
#include <ngx_http_flowdash_record_mac.h>
#include <ngx_http_flowdash_record_words.h>
#include <ngx_http_flowdash_record_write.h>


/* the least room: for the lines up to a mark, if the task is a usual one */

#define NGX_HTTP_FLOWDASH_RECORD_LINE  3072


/* a text that is written at once, without a look at how long it gets */

#define NGX_HTTP_FLOWDASH_RECORD_SHORT  1024


#define ngx_http_flowdash_record_write_literal(writer, text)                  \
    ngx_http_flowdash_record_write_bytes(writer, text, sizeof(text) - 1)


static void ngx_http_flowdash_record_write_bytes(
    ngx_http_flowdash_record_writer_t *writer, const char *data, size_t len);
static u_char *ngx_http_flowdash_record_write_room(
    ngx_http_flowdash_record_writer_t *writer, size_t size);
static void ngx_http_flowdash_record_write_comma(
    ngx_http_flowdash_record_writer_t *writer);
static void ngx_http_flowdash_record_write_name(
    ngx_http_flowdash_record_writer_t *writer, const char *name);
static void ngx_http_flowdash_record_write_string(
    ngx_http_flowdash_record_writer_t *writer, ngx_str_t *value);
static void ngx_http_flowdash_record_write_object(
    ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_delivery_t *delivery);
static void ngx_http_flowdash_record_write_headers(
    ngx_http_flowdash_record_writer_t *writer, ngx_array_t *headers);
static void ngx_http_flowdash_record_write_pieces(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_array_t *pieces);
static void ngx_http_flowdash_record_write_array(
    ngx_http_flowdash_record_writer_t *writer, ngx_array_t *pieces);
static void ngx_http_flowdash_record_write_piece(
    ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_piece_t *piece);


void
ngx_http_flowdash_record_write_start(ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_record_t *record, const char *kind)
{
    writer->record = record;
    writer->failed = 0;
    writer->len = record->held;

    /* the MAC, and the blank behind it, are written at the end */

    if (ngx_http_flowdash_record_write_room(writer,
                                            NGX_HTTP_FLOWDASH_RECORD_LINE)
        && writer->len == 0)
    {
        writer->len = NGX_HTTP_FLOWDASH_RECORD_JSON;
    }

    ngx_http_flowdash_record_write_literal(writer, "{\"line\":\"");
    ngx_http_flowdash_record_write_bytes(writer, kind, ngx_strlen(kind));
    ngx_http_flowdash_record_write_literal(writer, "\"");
}


ngx_int_t
ngx_http_flowdash_record_write_end(ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *line)
{
    u_char     *last;
    ngx_str_t   json;

    ngx_http_flowdash_record_write_literal(writer, "}\n");

    if (writer->failed) {
        return NGX_ERROR;
    }

    if (mac == NULL) {
        last = writer->record->buffer.data + writer->len - 1;
        *last = NGX_HTTP_FLOWDASH_RECORD_NEXT;

        writer->record->held = writer->len;

        return NGX_OK;
    }

    line->data = writer->record->buffer.data;
    line->len = writer->len;
    line->data[NGX_HTTP_FLOWDASH_RECORD_MAC_LEN] = ' ';

    json.data = line->data + NGX_HTTP_FLOWDASH_RECORD_JSON;
    json.len = line->len - 1 - NGX_HTTP_FLOWDASH_RECORD_JSON;

    if (ngx_http_flowdash_record_mac(mac, &json, line->data) != NGX_OK) {
        return NGX_ERROR;
    }

    writer->record->held = 0;

    return NGX_OK;
}


static void
ngx_http_flowdash_record_write_bytes(ngx_http_flowdash_record_writer_t *writer,
    const char *data, size_t len)
{
    u_char  *p;

    /* mostly, there is room */

    p = (!writer->failed && len <= writer->record->buffer.len - writer->len)
        ? writer->record->buffer.data + writer->len
        : ngx_http_flowdash_record_write_room(writer, len);

    if (p) {
        ngx_memcpy(p, data, len);
        writer->len += len;
    }
}


/* makes room for so many bytes more, and returns where they begin */

static u_char *
ngx_http_flowdash_record_write_room(ngx_http_flowdash_record_writer_t *writer,
    size_t size)
{
    u_char     *p;
    size_t      new;
    ngx_str_t  *buffer;

    if (writer->failed) {
        return NULL;
    }

    buffer = &writer->record->buffer;

    if (size > buffer->len - writer->len) {
        new = ngx_max(2 * buffer->len, writer->len + size);

        p = ngx_pnalloc(writer->record->pool, new);
        if (p == NULL) {
            writer->failed = 1;
            return NULL;
        }

        if (writer->len) {
            ngx_memcpy(p, buffer->data, writer->len);
        }

        if (buffer->data) {
            (void) ngx_pfree(writer->record->pool, buffer->data);
        }

        buffer->data = p;
        buffer->len = new;
    }

    return buffer->data + writer->len;
}


/* between members, and not before the first: there is one in each line */

static void
ngx_http_flowdash_record_write_comma(ngx_http_flowdash_record_writer_t *writer)
{
    u_char  before;

    if (writer->failed) {
        return;
    }

    before = writer->record->buffer.data[writer->len - 1];

    if (before != '{' && before != '[') {
        ngx_http_flowdash_record_write_literal(writer, ",");
    }
}


static void
ngx_http_flowdash_record_write_name(ngx_http_flowdash_record_writer_t *writer,
    const char *name)
{
    u_char  *p;
    size_t   len;

    len = ngx_strlen(name);

    ngx_http_flowdash_record_write_comma(writer);

    p = ngx_http_flowdash_record_write_room(writer, len + 3);

    if (p) {
        *p++ = '"';
        p = ngx_cpymem(p, name, len);
        *p++ = '"';
        *p = ':';

        writer->len += len + 3;
    }
}


static void
ngx_http_flowdash_record_write_string(
    ngx_http_flowdash_record_writer_t *writer, ngx_str_t *value)
{
    u_char     *p, *end;
    size_t      len;
    ngx_str_t   dst;

    /* mostly, it has neither control characters nor others than ASCII */

    if (value->len <= NGX_HTTP_FLOWDASH_RECORD_SHORT) {
        p = ngx_http_flowdash_record_write_room(writer, 2 * value->len + 2);
        end = p ? ngx_http_flowdash_json_write_ascii(p, value) : NULL;

        if (end) {
            writer->len += end - p;
            return;
        }
    }

    len = ngx_http_flowdash_json_string_length(value);

    if (len) {
        p = ngx_http_flowdash_record_write_room(writer, len);

        if (p) {
            (void) ngx_http_flowdash_json_write_string(p, value);
            writer->len += len;
        }

        return;
    }

    ngx_http_flowdash_record_write_literal(writer, "{\"base64\":\"");

    len = ngx_base64_encoded_length(value->len);
    dst.data = ngx_http_flowdash_record_write_room(writer, len);

    if (dst.data) {
        ngx_encode_base64(&dst, value);
        writer->len += dst.len;
    }

    ngx_http_flowdash_record_write_literal(writer, "\"}");
}


void
ngx_http_flowdash_record_write_text(ngx_http_flowdash_record_writer_t *writer,
    const char *name, ngx_str_t *value)
{
    if (value->len) {
        ngx_http_flowdash_record_write_name(writer, name);
        ngx_http_flowdash_record_write_string(writer, value);
    }
}


void
ngx_http_flowdash_record_write_number(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    uint64_t value)
{
    if (value) {
        ngx_http_flowdash_record_write_index(writer, name, value);
    }
}


void
ngx_http_flowdash_record_write_index(ngx_http_flowdash_record_writer_t *writer,
    const char *name, uint64_t value)
{
    u_char  *p;

    ngx_http_flowdash_record_write_name(writer, name);

    p = ngx_http_flowdash_record_write_room(writer, NGX_INT64_LEN);

    if (p) {
        if (value < 10) {
            *p = (u_char) ('0' + value);
            writer->len++;

        } else {
            writer->len += ngx_sprintf(p, "%uL", value) - p;
        }
    }
}


void
ngx_http_flowdash_record_write_flag(ngx_http_flowdash_record_writer_t *writer,
    const char *name, ngx_uint_t value)
{
    if (value) {
        ngx_http_flowdash_record_write_name(writer, name);
        ngx_http_flowdash_record_write_literal(writer, "true");
    }
}


void
ngx_http_flowdash_record_write_delivery(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_http_flowdash_delivery_t *delivery)
{
    if (delivery) {
        ngx_http_flowdash_record_write_name(writer, name);
        ngx_http_flowdash_record_write_object(writer, delivery);
    }
}


void
ngx_http_flowdash_record_write_deliveries(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_array_t *deliveries)
{
    ngx_uint_t                     i;
    ngx_http_flowdash_delivery_t  *delivery;

    ngx_http_flowdash_record_write_name(writer, name);
    ngx_http_flowdash_record_write_literal(writer, "[");

    delivery = deliveries->elts;

    for (i = 0; i < deliveries->nelts; i++) {
        ngx_http_flowdash_record_write_comma(writer);
        ngx_http_flowdash_record_write_object(writer, &delivery[i]);
    }

    ngx_http_flowdash_record_write_literal(writer, "]");
}


static void
ngx_http_flowdash_record_write_object(
    ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_delivery_t *delivery)
{
    ngx_http_flowdash_record_write_literal(writer, "{");

    ngx_http_flowdash_record_write_text(writer, "name", &delivery->name);
    ngx_http_flowdash_record_write_text(writer, "key", &delivery->key);
    ngx_http_flowdash_record_write_text(writer, "host", &delivery->host);
    ngx_http_flowdash_record_write_pieces(writer, "uri", &delivery->uri);
    ngx_http_flowdash_record_write_headers(writer, &delivery->headers);
    ngx_http_flowdash_record_write_pieces(writer, "body", &delivery->body);
    ngx_http_flowdash_record_write_text(writer, "error", &delivery->error);
    ngx_http_flowdash_record_write_state(writer, delivery);

    ngx_http_flowdash_record_write_literal(writer, "}");
}


void
ngx_http_flowdash_record_write_state(ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_delivery_t *delivery)
{
    if (delivery->state != NGX_HTTP_FLOWDASH_DELIVERY_WAITING) {
        ngx_http_flowdash_record_write_text(writer, "state",
                          &ngx_http_flowdash_record_states[delivery->state]);
    }

    ngx_http_flowdash_record_write_number(writer, "tries", delivery->tries);
    ngx_http_flowdash_record_write_number(writer, "status", delivery->status);
}


static void
ngx_http_flowdash_record_write_headers(
    ngx_http_flowdash_record_writer_t *writer, ngx_array_t *headers)
{
    ngx_uint_t                          i;
    ngx_http_flowdash_record_header_t  *header;

    if (headers->nelts == 0) {
        return;
    }

    ngx_http_flowdash_record_write_name(writer, "headers");
    ngx_http_flowdash_record_write_literal(writer, "[");

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        ngx_http_flowdash_record_write_comma(writer);
        ngx_http_flowdash_record_write_literal(writer, "[");
        ngx_http_flowdash_record_write_string(writer, &header[i].name);
        ngx_http_flowdash_record_write_literal(writer, ",");
        ngx_http_flowdash_record_write_array(writer, &header[i].value);
        ngx_http_flowdash_record_write_literal(writer, "]");
    }

    ngx_http_flowdash_record_write_literal(writer, "]");
}


static void
ngx_http_flowdash_record_write_pieces(
    ngx_http_flowdash_record_writer_t *writer, const char *name,
    ngx_array_t *pieces)
{
    if (pieces->nelts) {
        ngx_http_flowdash_record_write_name(writer, name);
        ngx_http_flowdash_record_write_array(writer, pieces);
    }
}


/* one text stands for itself, which is easier to read than an array of it */

static void
ngx_http_flowdash_record_write_array(ngx_http_flowdash_record_writer_t *writer,
    ngx_array_t *pieces)
{
    ngx_uint_t                  i;
    ngx_http_flowdash_piece_t  *piece;

    piece = pieces->elts;

    if (pieces->nelts == 1 && piece[0].kind == NGX_HTTP_FLOWDASH_PIECE_TEXT) {
        ngx_http_flowdash_record_write_string(writer, &piece[0].text);
        return;
    }

    ngx_http_flowdash_record_write_literal(writer, "[");

    for (i = 0; i < pieces->nelts; i++) {
        ngx_http_flowdash_record_write_comma(writer);
        ngx_http_flowdash_record_write_piece(writer, &piece[i]);
    }

    ngx_http_flowdash_record_write_literal(writer, "]");
}


static void
ngx_http_flowdash_record_write_piece(ngx_http_flowdash_record_writer_t *writer,
    ngx_http_flowdash_piece_t *piece)
{
    if (piece->kind == NGX_HTTP_FLOWDASH_PIECE_TEXT) {
        ngx_http_flowdash_record_write_string(writer, &piece->text);
        return;
    }

    ngx_http_flowdash_record_write_literal(writer, "{");

    if (piece->kind == NGX_HTTP_FLOWDASH_PIECE_SECRET) {
        ngx_http_flowdash_record_write_name(writer, "secret");
        ngx_http_flowdash_record_write_string(writer, &piece->text);
        ngx_http_flowdash_record_write_text(writer, "as",
                        &ngx_http_flowdash_record_encodings[piece->encoding]);

    } else {
        ngx_http_flowdash_record_write_text(writer, "insert",
                                &ngx_http_flowdash_record_kinds[piece->kind]);
    }

    ngx_http_flowdash_record_write_literal(writer, "}");
}
