
#ifndef _NGX_HTTP_FLOWDASH_FOLD_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FOLD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Names that differ only in case, as parsers see it that ignore the case of
 * names.  Each character is folded by itself to one other: Unicode's simple
 * case folding (C and S in CaseFolding.txt), and the Turkish dotted capital I
 * and dotless small i are an "i", too.  Bytes that are not UTF-8 are equal to
 * themselves only.
 */


/*
 * Compares two strings after folding.  Returns 0 if they are the same, or a
 * number below or above 0 that orders them.
 */
ngx_int_t ngx_http_flowdash_fold_compare(ngx_str_t *a, ngx_str_t *b);

/*
 * Returns a hash that is the same for strings that fold to one.  It has a key,
 * so that nobody can choose names that collide.
 */
uint64_t ngx_http_flowdash_fold_keyed_hash(ngx_str_t *s);


#endif /* _NGX_HTTP_FLOWDASH_FOLD_H_INCLUDED_ */
