
/*
 * The delimiter of multipart/form-data: finds it in the contents of parts, in
 * pieces of any size.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>
#include <ngx_http_flowdash_multipart_state.h>
#include <ngx_http_flowdash_multipart_delimiter.h>


static u_char *ngx_http_flowdash_multipart_delimiter_dashes(u_char *p,
    u_char *last);


ngx_int_t
ngx_http_flowdash_multipart_delimiter_init(ngx_http_flowdash_multipart_t *mp)
{
    u_char                    *d, *borders;
    size_t                     i, n;
    ngx_http_flowdash_form_t  *form;

    form = mp->form;

    mp->delimiter.len = sizeof("--") - 1 + form->boundary.len;

    d = ngx_pnalloc(form->pool, mp->delimiter.len);
    if (d == NULL) {
        return NGX_ERROR;
    }

    mp->delimiter.data = d;

    d[0] = '-';
    d[1] = '-';
    ngx_memcpy(d + 2, form->boundary.data, form->boundary.len);

    /*
     * Knuth, Morris, Pratt: borders[N] is how many bytes at the end of the
     * delimiter's first N bytes are also its beginning.
     */

    borders = ngx_pcalloc(form->pool, mp->delimiter.len + 1);
    if (borders == NULL) {
        return NGX_ERROR;
    }

    mp->borders = borders;

    for (i = 1; i < mp->delimiter.len; i++) {
        n = borders[i];

        while (n && d[i] != d[n]) {
            n = borders[n];
        }

        borders[i + 1] = (u_char) (n + (d[i] == d[n]));
    }

    return NGX_OK;
}


/*
 * Finds the delimiter, also where no line end precedes it: Rack up to 2.2
 * reads such a one as a delimiter, and Werkzeug does so after a bare CR.
 */

u_char *
ngx_http_flowdash_multipart_delimiter_find(ngx_http_flowdash_multipart_t *mp,
    u_char *first, u_char *last)
{
    u_char  *p;

    p = first;

    while (p < last) {

        if (mp->matched == 0) {
            p = ngx_http_flowdash_multipart_delimiter_dashes(p, last);

            if (p == last) {
                return last;
            }

            mp->before[0] =
                ngx_http_flowdash_multipart_delimiter_back(mp, first, p, 2);
            mp->before[1] =
                ngx_http_flowdash_multipart_delimiter_back(mp, first, p, 1);

            mp->matched = 1;
            p++;

            continue;
        }

        if (*p != mp->delimiter.data[mp->matched]) {

            /* what still matches follows a part of the delimiter */

            mp->matched = mp->borders[mp->matched];
            mp->before[1] = '-';

            continue;
        }

        p++;

        if (++mp->matched == mp->delimiter.len) {
            break;
        }
    }

    return p;
}


/* returns the first two dashes, or a single one at the end, or "last" */

static u_char *
ngx_http_flowdash_multipart_delimiter_dashes(u_char *p, u_char *last)
{
    while ((p = memchr(p, '-', last - p))) {

        if (last - p == 1 || p[1] == '-') {
            return p;
        }

        p += 2;
    }

    return last;
}


/* returns the Nth byte before "p", which may be in the previous piece */

u_char
ngx_http_flowdash_multipart_delimiter_back(ngx_http_flowdash_multipart_t *mp,
    u_char *first, u_char *p, size_t n)
{
    size_t  len;

    len = p - first;

    return (len >= n) ? *(p - n) : mp->recent[2 - (n - len)];
}
