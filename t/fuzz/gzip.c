
/*
 * gzip in pieces: zlib at one go is the model.  The first byte of the settings
 * says whether the rest is taken for a whole member, or only for what is
 * deflated in one: then header and checksum are put around it.
 */


#include "fuzz.h"

#include <ngx_http_flowdash_gzip.h>


#define FUZZ_MAX  70000


static ngx_str_t
wrap(ngx_pool_t *pool, ngx_str_t *deflated)
{
    size_t      size;
    u_char     *out, *p;
    z_stream    z;
    uint32_t    crc;
    ngx_str_t   s;

    static const u_char  header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };

    out = fuzz_alloc(pool, FUZZ_MAX);
    ngx_memzero(&z, sizeof(z_stream));

    z.next_in = deflated->data;
    z.avail_in = (uInt) deflated->len;
    z.next_out = out;
    z.avail_out = FUZZ_MAX;

    fuzz_check(inflateInit2(&z, -MAX_WBITS) == Z_OK, "there is memory");
    (void) inflate(&z, Z_FINISH);
    (void) inflateEnd(&z);

    size = FUZZ_MAX - z.avail_out;
    crc = (uint32_t) crc32(0, out, (uInt) size);

    s.data = fuzz_alloc(pool, sizeof(header) + deflated->len + 8);
    p = ngx_cpymem(s.data, header, sizeof(header));
    p = ngx_cpymem(p, deflated->data, deflated->len);
    p = ngx_cpymem(p, &crc, 4);
    p = ngx_cpymem(p, &size, 4);
    s.len = p - s.data;

    return s;
}


/* whether zlib finds one member, no less and no more, of at most "max" bytes */

static ngx_uint_t
model(ngx_pool_t *pool, ngx_str_t *in, size_t max, ngx_str_t *out)
{
    int       rc;
    z_stream  z;

    ngx_memzero(&z, sizeof(z_stream));

    out->data = fuzz_alloc(pool, max + 1);

    z.next_in = in->data;
    z.avail_in = (uInt) in->len;
    z.next_out = out->data;
    z.avail_out = (uInt) max + 1;

    fuzz_check(inflateInit2(&z, MAX_WBITS + 16) == Z_OK, "there is memory");
    rc = inflate(&z, Z_FINISH);
    (void) inflateEnd(&z);

    out->len = max + 1 - z.avail_out;

    return rc == Z_STREAM_END && z.avail_in == 0 && out->len <= max;
}


static ngx_int_t
decode(ngx_pool_t *pool, ngx_str_t *in, size_t max, size_t piece,
    ngx_str_t *out)
{
    size_t                     at, n;
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_http_flowdash_gzip_t  *gz;

    gz = ngx_http_flowdash_gzip_create(pool, max);
    fuzz_check(gz, "there is memory");

    for (at = 0; at < in->len; at += n) {

        n = ngx_min(piece, in->len - at);
        p = malloc(n);
        fuzz_check(p, "there is memory");
        ngx_memcpy(p, in->data + at, n);

        rc = ngx_http_flowdash_gzip_read(gz, p, n);

        while (rc == NGX_AGAIN) {
            rc = ngx_http_flowdash_gzip_read(gz, NULL, 0);
        }

        free(p);

        if (rc != NGX_OK) {
            fuzz_check(rc == NGX_DECLINED && gz->error, "a reason");
            return rc;
        }
    }

    rc = ngx_http_flowdash_gzip_end(gz, out);

    fuzz_check(rc == NGX_OK || (rc == NGX_DECLINED && gz->error), "a reason");

    return rc;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    size_t        max, piece;
    ngx_int_t     rc;
    ngx_str_t     settings, in, out, wanted;
    fuzz_input_t  input;

    fuzz_begin(&input, data, size);

    settings = fuzz_text(&input);
    in = fuzz_rest(&input);

    if (fuzz_setting(&settings, 0, 'g') != 'g') {
        in = wrap(input.pool, &in);
    }

    piece = fuzz_setting(&settings, 1, 100) + 1;
    max = fuzz_setting(&settings, 2, 200) * 300;

    if (in.len == 0) {
        return fuzz_end(&input);
    }

    rc = decode(input.pool, &in, max, piece, &out);

    fuzz_check((rc == NGX_OK) == model(input.pool, &in, max, &wanted),
               "what zlib decodes, and nothing else");
    fuzz_check(rc != NGX_OK || fuzz_is(&out, &wanted), "its bytes");
    fuzz_check(decode(input.pool, &in, max, in.len, &out) == rc,
               "the same at one go");

    return fuzz_end(&input);
}
