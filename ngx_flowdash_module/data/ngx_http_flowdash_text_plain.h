
#ifndef _NGX_HTTP_FLOWDASH_TEXT_PLAIN_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_TEXT_PLAIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif


/*
 * What most of a text consists of is skipped 16 bytes at once.  To a signed
 * comparison, what is not ASCII is below zero.
 */


/*
 * Skips ASCII.  Returns the first byte that is none, or any byte before it
 * from which there are fewer than 16 to the end.
 */
static ngx_inline u_char *
ngx_http_flowdash_text_plain_ascii(u_char *p, u_char *last)
{
#ifdef __SSE2__

    int  found;

    while (last - p >= 16) {

        found = _mm_movemask_epi8(_mm_loadu_si128((const __m128i *) p));

        if (found) {
            return p + __builtin_ctz((unsigned) found);
        }

        p += 16;
    }

#endif

    return p;
}


/*
 * Skips printable ASCII, and returns as ngx_http_flowdash_text_plain_ascii().
 */
static ngx_inline u_char *
ngx_http_flowdash_text_plain(u_char *p, u_char *last)
{
#ifdef __SSE2__

    int      found;
    __m128i  v;

    while (last - p >= 16) {

        v = _mm_loadu_si128((const __m128i *) p);

        found = _mm_movemask_epi8(_mm_or_si128(
                    _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                    _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f))));

        if (found) {
            return p + __builtin_ctz((unsigned) found);
        }

        p += 16;
    }

#endif

    return p;
}


/*
 * Copies what has no "%" to "dst", which may be "p", and moves it; "form"
 * tells whether "+" becomes a space.  Returns a byte that is not copied: it is
 * in 16 bytes with a "%", or there are fewer to the end.
 */
static ngx_inline u_char *
ngx_http_flowdash_text_plain_unescape(u_char **dst, u_char *p, u_char *last,
    ngx_uint_t form)
{
#ifdef __SSE2__

    __m128i  v, plus;

    plus = _mm_set1_epi8(form ? '+' : '%');

    while (last - p >= 16) {

        v = _mm_loadu_si128((const __m128i *) p);

        if (_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('%')))) {
            return p;
        }

        v = _mm_xor_si128(v, _mm_and_si128(_mm_cmpeq_epi8(v, plus),
                                           _mm_set1_epi8('+' ^ ' ')));

        _mm_storeu_si128((__m128i *) *dst, v);

        *dst += 16;
        p += 16;
    }

#endif

    return p;
}


/*
 * Tells whether a form's pair has only what any part of one may have: nothing
 * but printable ASCII without the space, quotes, "#", "<", ">" and "{".
 */
static ngx_inline ngx_uint_t
ngx_http_flowdash_text_plain_pair(u_char *p, u_char *last)
{
    u_char  c;

#ifdef __SSE2__

    __m128i  v, found;

    found = _mm_setzero_si128();

    while (last - p >= 16) {

        v = _mm_loadu_si128((const __m128i *) p);

        /* a bit is all that two of them differ in: " #, < >, { 0x7f */

        found = _mm_or_si128(found, _mm_or_si128(
                    _mm_or_si128(
                        _mm_cmplt_epi8(v, _mm_set1_epi8(0x21)),
                        _mm_cmpeq_epi8(_mm_and_si128(v, _mm_set1_epi8(0x7e)),
                                       _mm_set1_epi8('"'))),
                    _mm_or_si128(
                        _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(2)),
                                       _mm_set1_epi8('>')),
                        _mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(4)),
                                       _mm_set1_epi8(0x7f)))));

        p += 16;
    }

    if (_mm_movemask_epi8(found)) {
        return 0;
    }

#endif

    for ( /* void */ ; p < last; p++) {

        c = *p;

        if (c <= ' ' || c >= 0x7f || (c & 0x7e) == '"' || (c | 2) == '>'
            || c == '{')
        {
            return 0;
        }
    }

    return 1;
}


#endif /* _NGX_HTTP_FLOWDASH_TEXT_PLAIN_H_INCLUDED_ */
