
#ifndef _NGX_HTTP_FLOWDASH_FORM_GRAMMAR_H_INCLUDED_
#define _NGX_HTTP_FLOWDASH_FORM_GRAMMAR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_form.h>


/*
 * Judges the beginning and the end of a urlencoded form or a query.  Returns
 * NGX_OK, or NGX_DECLINED with form->verdict set.
 */
ngx_int_t ngx_http_flowdash_form_grammar_text(ngx_http_flowdash_form_t *form,
    ngx_str_t *text);

/*
 * Judges the bytes of one pair, from "p" to "last" in "text", before it is
 * decoded.  Returns as ngx_http_flowdash_form_grammar_text().
 */
ngx_int_t ngx_http_flowdash_form_grammar_pair(ngx_http_flowdash_form_t *form,
    ngx_str_t *text, u_char *p, u_char *last);

/*
 * Tells whether a JSON text has, somewhere in its strings, a pair of the task
 * at "pointer": parsers that take each body for a form find it there.
 */
ngx_uint_t ngx_http_flowdash_form_grammar_in_json(ngx_str_t *text,
    ngx_array_t *pointer);


#endif /* _NGX_HTTP_FLOWDASH_FORM_GRAMMAR_H_INCLUDED_ */
