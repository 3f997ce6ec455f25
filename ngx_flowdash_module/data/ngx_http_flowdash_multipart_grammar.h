
#ifndef _NGX_HTTP_FLOWDASH_MULTIPART_GRAMMAR_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_MULTIPART_GRAMMAR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_multipart_state.h>


/*
 * Judges the headers of a part in mp->headers by the rule "parts".  Returns
 * NGX_OK, with mp->length set if a Content-Length says how long the part is;
 * or NGX_DECLINED with form->verdict set.
 */
ngx_int_t ngx_http_flowdash_multipart_grammar_part(
    ngx_http_flowdash_multipart_t *mp);

/*
 * Judges the Content-Type of a request, which begins with
 * "multipart/form-data", by the same rule.  Returns what is wrong, or NULL.
 */
const char *ngx_http_flowdash_multipart_grammar_type(ngx_str_t *type);

/* Judges the name of a part in the same way. */
const char *ngx_http_flowdash_multipart_grammar_name(ngx_str_t *name);

/* The same for what stands between two brackets of a name. */
const char *ngx_http_flowdash_multipart_grammar_key(ngx_str_t *key);


#endif /* _NGX_HTTP_FLOWDASH_MULTIPART_GRAMMAR_H_INCLUDED_ */
