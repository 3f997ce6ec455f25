
/*
 * Makes text from outside fit for display: one line of limited length without
 * control characters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_text.h>
#include <ngx_http_flowdash_clean.h>


/* the longest control sequence that is removed as a whole */

#define NGX_HTTP_FLOWDASH_CLEAN_ESCAPE   256

#define ngx_http_flowdash_clean_ellipsis  "\xe2\x80\xa6"


static u_char *ngx_http_flowdash_clean_escape(u_char *p, u_char *last,
    uint32_t c);
static u_char *ngx_http_flowdash_clean_find(ngx_str_t *s, u_char a, u_char b);
static ngx_uint_t ngx_http_flowdash_clean_is_space(uint32_t c);
static ngx_uint_t ngx_http_flowdash_clean_is_control(uint32_t c);


ngx_int_t
ngx_http_flowdash_clean(ngx_pool_t *pool, ngx_str_t *text, size_t size,
    ngx_str_t *clean)
{
    ngx_http_flowdash_clean_t  cl;

    if (ngx_http_flowdash_clean_begin(&cl, pool, size, clean) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_flowdash_clean_add(&cl, text);
    ngx_http_flowdash_clean_end(&cl);

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_clean_begin(ngx_http_flowdash_clean_t *cl,
    ngx_pool_t *pool, size_t size, ngx_str_t *text)
{
    ngx_memzero(cl, sizeof(ngx_http_flowdash_clean_t));

    text->len = 0;

    text->data = ngx_pnalloc(pool, size);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    cl->text = text;
    cl->size = size - (sizeof(ngx_http_flowdash_clean_ellipsis) - 1);

    return NGX_OK;
}


void
ngx_http_flowdash_clean_add(ngx_http_flowdash_clean_t *cl, ngx_str_t *text)
{
    u_char     *p, *next, *last;
    size_t      len;
    uint32_t    c;
    ngx_str_t  *dst;

    if (ngx_http_flowdash_text_check_utf8(text)) {
        return;
    }

    dst = cl->text;
    last = text->data + text->len;

    for (p = text->data; p < last && !cl->cut; p = next) {

        next = p;
        c = (*p < 0x80) ? *next++ : ngx_utf8_decode(&next, last - p);

        if (ngx_http_flowdash_clean_is_space(c)) {
            cl->space = (dst->len != 0);
            continue;
        }

        if (ngx_http_flowdash_clean_is_control(c)) {
            next = ngx_http_flowdash_clean_escape(next, last, c);
            continue;
        }

        len = next - p;

        if (dst->len + cl->space + len > cl->size) {
            cl->cut = 1;
            break;
        }

        if (cl->space) {
            dst->data[dst->len++] = ' ';
            cl->space = 0;
        }

        ngx_memcpy(dst->data + dst->len, p, len);
        dst->len += len;
    }
}


void
ngx_http_flowdash_clean_end(ngx_http_flowdash_clean_t *cl)
{
    u_char  *p;

    if (cl->cut) {
        p = cl->text->data + cl->text->len;
        p = ngx_cpymem(p, ngx_http_flowdash_clean_ellipsis,
                       sizeof(ngx_http_flowdash_clean_ellipsis) - 1);

        cl->text->len = p - cl->text->data;
    }
}


/*
 * Returns the end of a terminal's control sequence (ECMA-48).  Its first
 * character is "c", and "p" points to the next.
 */

static u_char *
ngx_http_flowdash_clean_escape(u_char *p, u_char *last, uint32_t c)
{
    u_char  *end;

    last = ngx_min(last, p + NGX_HTTP_FLOWDASH_CLEAN_ESCAPE);

    if (c == 0x1b && p < last && *p >= 0x40 && *p <= 0x5f) {

        /* ESC and a letter stand for a control character from 0x80 to 0x9f */

        c = *p++ + 0x40;
    }

    switch (c) {

    case 0x1b:
    case 0x9b:

        while (p < last && *p >= 0x20 && *p <= (c == 0x1b ? 0x2f : 0x3f)) {
            p++;
        }

        return (p < last && *p >= 0x30 && *p < 0x7f) ? p + 1 : p;

    case 0x90:
    case 0x98:
    case 0x9d:
    case 0x9e:
    case 0x9f:

        /*
         * A string ends with its terminator or a bell; otherwise, skip
         * nothing.
         */

        for (end = p; end < last; end++) {

            if (*end == 0x07) {
                return end + 1;
            }

            if (last - end > 1
                && ((end[0] == 0x1b && end[1] == '\\')
                    || (end[0] == 0xc2 && end[1] == 0x9c)))
            {
                return end + 2;
            }
        }

        return p;

    default:
        return p;
    }
}


static ngx_uint_t
ngx_http_flowdash_clean_is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r')
           || c == 0x85                         /* next line */
           || c == 0x2028 || c == 0x2029;       /* line, paragraph separator */
}


static ngx_uint_t
ngx_http_flowdash_clean_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f)
           || c == 0x061c                       /* marks of direction, */
           || c == 0x200e || c == 0x200f
           || (c >= 0x202a && c <= 0x202e)      /* embeddings, overrides, */
           || (c >= 0x2066 && c <= 0x2069)      /* and isolates */
           || c == 0xfeff                       /* byte order mark */
           || (c >= 0xe0000 && c <= 0xe007f);   /* tags */
}


void
ngx_http_flowdash_clean_url(ngx_str_t *url, ngx_str_t *begin, ngx_str_t *end)
{
    u_char  *p, *host;

    *end = *url;
    end->len = ngx_http_flowdash_clean_find(end, '?', '#') - end->data;

    /* an "@" before "//" is in no scheme: maybe it ends a password */

    host = ngx_strnstr(end->data, "//", end->len);
    host = (host && ngx_strlchr(end->data, host, '@') == NULL)
           ? host + 2 : end->data;

    begin->data = end->data;
    begin->len = host - end->data;

    end->data = host;
    end->len -= begin->len;

    for (p = ngx_http_flowdash_clean_find(end, '/', '/'); p > host; p--) {

        if (p[-1] == '@') {
            end->len -= p - host;
            end->data = p;
            break;
        }
    }

    if (ngx_strlchr(end->data, end->data + end->len, '@')) {

        /* who knows what is a password in such a URL */

        end->len = 0;
    }
}


/* the first of these two characters, or the end of the string */

static u_char *
ngx_http_flowdash_clean_find(ngx_str_t *s, u_char a, u_char b)
{
    u_char  *p, *last;

    last = s->data + s->len;

    for (p = s->data; p < last; p++) {
        if (*p == a || *p == b) {
            break;
        }
    }

    return p;
}
