
/*
 * Reads a record: checks each line against the one before it, and adds what it
 * says.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_json_leaves.h>
#include <ngx_http_flowdash_record_lines.h>
#include <ngx_http_flowdash_record_mac.h>
#include <ngx_http_flowdash_record_read.h>
#include <ngx_http_flowdash_record_words.h>


/* what the nodes of a line may need, in bytes, besides its text twice */

#define NGX_HTTP_FLOWDASH_RECORD_NODES  (1024 * 1024)

/* the first line begins so in each version */

#define NGX_HTTP_FLOWDASH_RECORD_BEGIN  "{\"line\":\"begin\",\"v\":"


static ngx_int_t ngx_http_flowdash_record_read_line(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *text,
    ngx_http_flowdash_record_t **record);
static ngx_int_t ngx_http_flowdash_record_read_parts(
    ngx_http_flowdash_record_reader_t *reader, ngx_str_t *text,
    ngx_http_flowdash_record_t **record);
static ngx_int_t ngx_http_flowdash_record_read_json(
    ngx_http_flowdash_record_reader_t *reader, ngx_str_t *json,
    ngx_http_flowdash_record_t **record);
static ngx_uint_t ngx_http_flowdash_record_read_is_newer(ngx_str_t *json);
static ngx_int_t ngx_http_flowdash_record_read_rest(
    ngx_http_flowdash_record_mac_t *mac, u_char *p, u_char *last);
static u_char *ngx_http_flowdash_record_read_end(ngx_str_t *text);


ngx_int_t
ngx_http_flowdash_record_read(ngx_str_t *text, ngx_pool_t *pool,
    ngx_http_flowdash_record_mac_t *mac, ngx_http_flowdash_record_t **record,
    size_t *length, const char **error)
{
    u_char                             *p, *last, *end;
    ngx_int_t                           rc;
    ngx_str_t                           line;
    ngx_http_flowdash_record_t         *new;
    ngx_http_flowdash_record_reader_t   reader;

    new = NULL;
    reader.pool = pool;
    reader.error = NULL;
    ngx_memzero(mac->last, sizeof(mac->last));

    last = ngx_http_flowdash_record_read_end(text);
    if (last == NULL) {
        *error = "the space behind the last line is not empty";
        return NGX_DECLINED;
    }

    for (p = text->data; p < last; p = end + 1) {

        end = memchr(p, LF, last - p);
        if (end == NULL) {
            break;
        }

        line.data = p;
        line.len = end - p;

        rc = ngx_http_flowdash_record_read_line(&reader, mac, &line, &new);

        if (rc != NGX_OK) {
            *error = reader.error;
            return rc;
        }
    }

    rc = ngx_http_flowdash_record_read_rest(mac, p, last);

    if (rc != NGX_OK) {
        *error = "the end of the last line was changed";
        return rc;
    }

    *record = new;
    *length = p - text->data;

    return new ? NGX_OK : NGX_DONE;
}


/* the end of what was written: only zeros may follow */

static u_char *
ngx_http_flowdash_record_read_end(ngx_str_t *text)
{
    u_char  *p, *last, *end;

    last = text->data + text->len;

    end = text->len ? memchr(text->data, '\0', text->len) : NULL;
    if (end == NULL) {
        return last;
    }

    for (p = end; p < last; p++) {
        if (*p != '\0') {
            return NULL;
        }
    }

    return end;
}


/*
 * A line that was being written has no MAC, or does not have all of its JSON.
 * One that is complete but for its end was changed.
 */

static ngx_int_t
ngx_http_flowdash_record_read_rest(ngx_http_flowdash_record_mac_t *mac,
    u_char *p, u_char *last)
{
    ngx_int_t  rc;
    ngx_str_t  json;

    if (last - p <= (ssize_t) NGX_HTTP_FLOWDASH_RECORD_JSON) {
        return NGX_OK;
    }

    json.data = p + NGX_HTTP_FLOWDASH_RECORD_JSON;
    json.len = last - 1 - json.data;

    rc = ngx_http_flowdash_record_mac_check(mac, &json, p);

    switch (rc) {

    case NGX_OK:
        return NGX_DECLINED;

    case NGX_DECLINED:
        return NGX_OK;

    default:
        return rc;
    }
}


static ngx_int_t
ngx_http_flowdash_record_read_line(ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_record_mac_t *mac, ngx_str_t *text,
    ngx_http_flowdash_record_t **record)
{
    ngx_int_t  rc;
    ngx_str_t  json;

    if (text->len < NGX_HTTP_FLOWDASH_RECORD_JSON
        || text->data[NGX_HTTP_FLOWDASH_RECORD_MAC_LEN] != ' ')
    {
        reader->error = "a line is not a MAC and JSON";
        return NGX_DECLINED;
    }

    json.data = text->data + NGX_HTTP_FLOWDASH_RECORD_JSON;
    json.len = text->len - NGX_HTTP_FLOWDASH_RECORD_JSON;

    if (*record == NULL && ngx_http_flowdash_record_read_is_newer(&json)) {
        reader->error = "a newer version of the module has written it";
        return NGX_DECLINED;
    }

    rc = ngx_http_flowdash_record_mac_check(mac, &json, text->data);

    if (rc != NGX_OK) {
        reader->error = "a line was changed, or the key is another one";
        return rc;
    }

    ngx_http_flowdash_record_written(mac);

    return ngx_http_flowdash_record_read_parts(reader, &json, record);
}


static ngx_int_t
ngx_http_flowdash_record_read_parts(ngx_http_flowdash_record_reader_t *reader,
    ngx_str_t *text, ngx_http_flowdash_record_t **record)
{
    u_char     *p, *end, *last;
    ngx_int_t   rc;
    ngx_str_t   json;

    p = text->data;
    last = p + text->len;

    for ( ;; ) {
        end = memchr(p, NGX_HTTP_FLOWDASH_RECORD_NEXT, last - p);
        end = end ? end : last;

        json.data = p;
        json.len = end - p;

        rc = ngx_http_flowdash_record_read_json(reader, &json, record);

        if (rc != NGX_OK || end == last) {
            return rc;
        }

        p = end + 1;
    }
}


/* a newer version may have other MACs: it is asked for before these */

static ngx_uint_t
ngx_http_flowdash_record_read_is_newer(ngx_str_t *json)
{
    u_char     *p, *last;
    size_t      len;
    ngx_int_t   v;

    len = sizeof(NGX_HTTP_FLOWDASH_RECORD_BEGIN) - 1;

    if (json->len < len
        || ngx_strncmp(json->data, NGX_HTTP_FLOWDASH_RECORD_BEGIN, len) != 0)
    {
        return 0;
    }

    last = json->data + json->len;

    for (p = json->data + len; p < last && *p >= '0' && *p <= '9'; p++) {
        /* void */
    }

    v = ngx_atoi(json->data + len, p - json->data - len);

    return v > NGX_HTTP_FLOWDASH_RECORD_VERSION;
}


static ngx_int_t
ngx_http_flowdash_record_read_json(ngx_http_flowdash_record_reader_t *reader,
    ngx_str_t *json, ngx_http_flowdash_record_t **record)
{
    ngx_int_t                        rc;
    ngx_array_t                      leaves;
    ngx_http_flowdash_json_node_t   *node, **leaf;

    rc = ngx_http_flowdash_json_leaves(json, &leaves,
                             2 * json->len + NGX_HTTP_FLOWDASH_RECORD_NODES,
                             reader->pool);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        reader->error = "a line is not JSON, or too much of it";
        return NGX_DECLINED;
    }

    leaf = leaves.elts;

    for (node = *leaf; node->parent; node = node->parent) { /* void */ }

    return ngx_http_flowdash_record_lines_add(reader, node, record);
}
