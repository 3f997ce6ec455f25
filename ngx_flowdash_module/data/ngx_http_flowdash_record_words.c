
/*
 * The words of a record's lines.  They are a format of files: new ones need a
 * new version.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record_words.h>


ngx_str_t  ngx_http_flowdash_record_outcomes[] = {
    ngx_string("-"),
    ngx_string("ok"),
    ngx_string("failed"),
    ngx_string("refused"),
    ngx_string("unknown"),
    ngx_null_string
};


ngx_str_t  ngx_http_flowdash_record_states[] = {
    ngx_string("waiting"),
    ngx_string("done"),
    ngx_string("dead"),
    ngx_null_string
};


ngx_str_t  ngx_http_flowdash_record_kinds[] = {
    ngx_string("-"),
    ngx_string("-"),
    ngx_string("undo"),
    ngx_string("after"),
    ngx_string("key"),
    ngx_null_string
};


ngx_str_t  ngx_http_flowdash_record_encodings[] = {
    ngx_string("raw"),
    ngx_string("uri"),
    ngx_string("string"),
    ngx_string("json"),
    ngx_string("form"),
    ngx_null_string
};
