
#ifndef _NGX_HTTP_FLOWDASH_JSON_PLAIN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_JSON_PLAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif


/* in each byte of a word */

#define ngx_http_flowdash_json_plain_each(c)                                  \
    ((c) * UINT64_C(0x0101010101010101))


#ifdef __SSE2__

/* returns a bit for each byte that needs a look, see below */

static ngx_inline int
ngx_http_flowdash_json_plain_found(__m128i v)
{
    /* to a signed comparison, what is not ASCII is below zero */

    return _mm_movemask_epi8(_mm_or_si128(
               _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                            _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
               _mm_cmplt_epi8(v, _mm_set1_epi8(0x20))));
}

#endif


/*
 * Skips what needs no look in a string: returns the first quote, backslash,
 * control character or byte that is not ASCII, or the end of the text.
 */
static ngx_inline u_char *
ngx_http_flowdash_json_plain(u_char *p, u_char *last)
{
#ifdef __SSE2__

    int  found;

    while (last - p >= 16) {

        found = ngx_http_flowdash_json_plain_found(
                    _mm_loadu_si128((const __m128i *) p));

        if (found) {
            return p + __builtin_ctz((unsigned) found);
        }

        p += 16;
    }

#else

    uint64_t  word, quote, backslash;

    while (last - p >= 8) {

        ngx_memcpy(&word, p, 8);

        quote = word ^ ngx_http_flowdash_json_plain_each('"');
        backslash = word ^ ngx_http_flowdash_json_plain_each('\\');

        /* the highest bit of a byte that is below 0x20 or 0, or is set */

        if (((word - ngx_http_flowdash_json_plain_each(0x20)) | word
             | (quote - ngx_http_flowdash_json_plain_each(1))
             | (backslash - ngx_http_flowdash_json_plain_each(1)))
            & ngx_http_flowdash_json_plain_each(0x80))
        {
            break;
        }

        p += 8;
    }

#endif

    while (p < last && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }

    return p;
}


/*
 * Copies what needs no look to "dst", which has room for all of the text, and
 * moves it.  Returns the first byte that needs one, or any byte before it from
 * which there are fewer than 16 to the end.
 */
static ngx_inline u_char *
ngx_http_flowdash_json_plain_copy(u_char **dst, u_char *p, u_char *last)
{
#ifdef __SSE2__

    int      found, n;
    __m128i  v;

    while (last - p >= 16) {

        v = _mm_loadu_si128((const __m128i *) p);

        _mm_storeu_si128((__m128i *) *dst, v);

        found = ngx_http_flowdash_json_plain_found(v);
        n = found ? __builtin_ctz((unsigned) found) : 16;

        *dst += n;
        p += n;

        if (found) {
            break;
        }
    }

#endif

    return p;
}


#endif /* _NGX_HTTP_FLOWDASH_JSON_PLAIN_H_INCLUDED_ */
