
/*
 * A response as one text, for flowdash_once.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_once_response.h>


/* what comes before the texts; "lengths" are theirs */

typedef struct {
    ngx_uint_t   status;
    off_t        content_length;
    time_t       last_modified;
    size_t       content_type_len;
    ngx_uint_t   headers;
    size_t       lengths[3];
} ngx_http_flowdash_once_head_t;


typedef struct {
    ngx_uint_t   place;
    size_t       name;
    size_t       value;
} ngx_http_flowdash_once_lengths_t;


static u_char *ngx_http_flowdash_once_response_add(u_char *p, ngx_str_t *s);
static ngx_int_t ngx_http_flowdash_once_response_take(ngx_str_t *text,
    ngx_str_t *s, size_t len);


size_t
ngx_http_flowdash_once_response_length(
    ngx_http_flowdash_once_response_t *response)
{
    size_t                            len;
    ngx_uint_t                        i;
    ngx_http_flowdash_once_header_t  *header;

    len = sizeof(ngx_http_flowdash_once_head_t) + response->content_type.len
          + response->charset.len + response->body.len;

    header = response->headers.elts;

    for (i = 0; i < response->headers.nelts; i++) {
        len += sizeof(ngx_http_flowdash_once_lengths_t) + header[i].name.len
               + header[i].value.len;
    }

    return len;
}


u_char *
ngx_http_flowdash_once_response_write(u_char *p,
    ngx_http_flowdash_once_response_t *response)
{
    ngx_uint_t                         i;
    ngx_http_flowdash_once_head_t      head;
    ngx_http_flowdash_once_header_t   *header;
    ngx_http_flowdash_once_lengths_t   lengths;

    ngx_memzero(&head, sizeof(ngx_http_flowdash_once_head_t));

    head.status = response->status;
    head.content_length = response->content_length;
    head.last_modified = response->last_modified;
    head.content_type_len = response->content_type_len;
    head.headers = response->headers.nelts;
    head.lengths[0] = response->content_type.len;
    head.lengths[1] = response->charset.len;
    head.lengths[2] = response->body.len;

    p = ngx_cpymem(p, &head, sizeof(ngx_http_flowdash_once_head_t));
    p = ngx_http_flowdash_once_response_add(p, &response->content_type);
    p = ngx_http_flowdash_once_response_add(p, &response->charset);

    header = response->headers.elts;

    for (i = 0; i < response->headers.nelts; i++) {
        lengths.place = header[i].place;
        lengths.name = header[i].name.len;
        lengths.value = header[i].value.len;

        p = ngx_cpymem(p, &lengths, sizeof(ngx_http_flowdash_once_lengths_t));
        p = ngx_http_flowdash_once_response_add(p, &header[i].name);
        p = ngx_http_flowdash_once_response_add(p, &header[i].value);
    }

    return ngx_http_flowdash_once_response_add(p, &response->body);
}


static u_char *
ngx_http_flowdash_once_response_add(u_char *p, ngx_str_t *s)
{
    return s->len ? ngx_cpymem(p, s->data, s->len) : p;
}


ngx_int_t
ngx_http_flowdash_once_response_read(ngx_str_t *text,
    ngx_http_flowdash_once_response_t *response, ngx_pool_t *pool)
{
    ngx_str_t                          rest, s;
    ngx_uint_t                         i;
    ngx_http_flowdash_once_head_t      head;
    ngx_http_flowdash_once_header_t   *header;
    ngx_http_flowdash_once_lengths_t   lengths;

    rest = *text;

    if (ngx_http_flowdash_once_response_take(&rest, &s, sizeof(head))
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(&head, s.data, sizeof(head));

    response->status = head.status;
    response->content_length = head.content_length;
    response->last_modified = head.last_modified;
    response->content_type_len = head.content_type_len;

    if (ngx_http_flowdash_once_response_take(&rest, &response->content_type,
                                             head.lengths[0])
        != NGX_OK
        || ngx_http_flowdash_once_response_take(&rest, &response->charset,
                                                head.lengths[1])
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ngx_array_init(&response->headers, pool, 8,
                       sizeof(ngx_http_flowdash_once_header_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < head.headers; i++) {

        if (ngx_http_flowdash_once_response_take(&rest, &s, sizeof(lengths))
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        ngx_memcpy(&lengths, s.data, sizeof(lengths));

        header = ngx_array_push(&response->headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        header->place = lengths.place;

        if (ngx_http_flowdash_once_response_take(&rest, &header->name,
                                                 lengths.name)
            != NGX_OK
            || ngx_http_flowdash_once_response_take(&rest, &header->value,
                                                    lengths.value)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    response->body = rest;

    return (rest.len == head.lengths[2]) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_flowdash_once_response_take(ngx_str_t *text, ngx_str_t *s, size_t len)
{
    if (len > text->len) {
        return NGX_DECLINED;
    }

    s->data = text->data;
    s->len = len;

    text->data += len;
    text->len -= len;

    return NGX_OK;
}


ngx_uint_t
ngx_http_flowdash_once_response_keeps(ngx_str_t *name)
{
    ngx_uint_t  i;

    static const char  *left_out[] = {
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Accept-Ranges",          /* what is kept is sent as a whole */
        "Content-Length",         /* nginx makes it */
        "Date",
        NULL
    };

    for (i = 0; left_out[i]; i++) {
        if (ngx_http_flowdash_text_is(name, left_out[i])) {
            return 0;
        }
    }

    return name->len < sizeof("X-Accel-") - 1
           || ngx_strncasecmp(name->data, (u_char *) "X-Accel-",
                              sizeof("X-Accel-") - 1)
              != 0;
}
