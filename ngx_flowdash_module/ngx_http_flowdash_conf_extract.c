
/*
 * The directive "flowdash_extract", and the variables that it makes.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash_pointer.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_variables_extract.h>
#include <ngx_http_flowdash_conf_task.h>
#include <ngx_http_flowdash_conf_extract.h>


static ngx_str_t *ngx_http_flowdash_conf_extract_variable(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value);
static char *ngx_http_flowdash_conf_extract_from(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_flowdash_extract_t *extract);
static ngx_int_t ngx_http_flowdash_conf_extract_split(ngx_conf_t *cf,
    ngx_http_flowdash_extract_t *extract);
static ngx_http_flowdash_extract_t *ngx_http_flowdash_conf_extract_find(
    ngx_array_t *extracts, ngx_str_t *name);
static void ngx_http_flowdash_conf_extract_check_stored(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf);


char *
ngx_http_flowdash_conf_extract(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_flowdash_loc_conf_t *flcf = conf;

    ngx_str_t                    *value, *name;
    ngx_array_t                  *pointer;
    ngx_http_flowdash_extract_t  *extract;

    value = cf->args->elts;

    name = ngx_http_flowdash_conf_extract_variable(cf, cmd, &value[1]);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    if (flcf->extracts == NGX_CONF_UNSET_PTR) {
        flcf->extracts = ngx_array_create(cf->pool, 4,
                                          sizeof(ngx_http_flowdash_extract_t));
        if (flcf->extracts == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_flowdash_conf_extract_find(flcf->extracts, name)) {
        return ngx_http_flowdash_conf_refuse(cf, cmd, &value[1],
                                            "it is extracted twice here");
    }

    extract = ngx_array_push(flcf->extracts);
    if (extract == NULL) {
        return NGX_CONF_ERROR;
    }

    extract->name = name;
    extract->from = NGX_HTTP_FLOWDASH_FROM_BODY;

    extract->place = ngx_http_flowdash_conf_place(cf);
    if (extract->place == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_flowdash_conf_selectors(cf, cmd, &value[2], &pointer)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    extract->pointer = *pointer;

    if (ngx_http_flowdash_conf_extract_split(cf, extract) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_flowdash_conf_extract_from(cf, cmd, extract);
}


/*
 * Finds the name of the variable, or makes both.  One that is not changeable
 * is refused by nginx as a variable of "set", "map" and the like, later on.
 * Returns NULL on error.
 */

static ngx_str_t *
ngx_http_flowdash_conf_extract_variable(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value)
{
    ngx_str_t                       s, *name, **known;
    ngx_uint_t                      i;
    ngx_http_variable_t            *var;
    ngx_http_flowdash_main_conf_t  *fmcf;

    s.data = value->data + 1;
    s.len = value->len - 1;

    for (i = 0; value->len && i < s.len; i++) {
        if ((s.data[i] < 'a' || s.data[i] > 'z')
            && (s.data[i] < 'A' || s.data[i] > 'Z')
            && (s.data[i] < '0' || s.data[i] > '9')
            && s.data[i] != '_')
        {
            break;
        }
    }

    /* $1 is a capture */

    if (value->len < 2 || value->data[0] != '$' || i < s.len
        || (s.data[0] >= '0' && s.data[0] <= '9'))
    {
        (void) ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "a variable is expected, such as \"$controller\"");
        return NULL;
    }

    if (s.len > 9
        && ngx_strncasecmp(s.data, (u_char *) "flowdash_", 9) == 0)
    {
        (void) ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "names that begin with \"flowdash_\" are the module's own");
        return NULL;
    }

    fmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_flowdash_module);

    known = fmcf->extracted.elts;

    for (i = 0; i < fmcf->extracted.nelts; i++) {

        if (known[i]->len == s.len
            && ngx_strncasecmp(known[i]->data, s.data, s.len) == 0)
        {
            return known[i];
        }
    }

    var = ngx_http_add_variable(cf, &s, NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NULL;
    }

    if (var->get_handler || var->set_handler) {
        (void) ngx_http_flowdash_conf_refuse(cf, cmd, value,
                   "another directive, such as \"set\" or \"map\", makes this "
                   "variable");
        return NULL;
    }

    known = ngx_array_push(&fmcf->extracted);
    name = ngx_palloc(cf->pool, sizeof(ngx_str_t));

    if (known == NULL || name == NULL) {
        return NULL;
    }

    *name = var->name;
    *known = name;

    var->get_handler = ngx_http_flowdash_variables_extract;
    var->data = (uintptr_t) name;

    fmcf->task_variables = 1;

    return name;
}


static char *
ngx_http_flowdash_conf_extract_from(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_flowdash_extract_t *extract)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    static const char  *from[] = {
        "from=body", "from=query", "from=task", "from=stored"
    };

    value = cf->args->elts;

    if (cf->args->nelts == 4) {

        for (i = 0; ngx_strcmp(value[3].data, from[i]) != 0; i++) {

            if (i == NGX_HTTP_FLOWDASH_FROM_STORED) {
                return ngx_http_flowdash_conf_refuse(cf, cmd, &value[3],
                           "\"from=body\", \"from=query\", \"from=task\" or "
                           "\"from=stored\" is expected");
            }
        }

        extract->from = i;
    }

    if (extract->from >= NGX_HTTP_FLOWDASH_FROM_TASK
        && extract->names.nelts == 0)
    {
        return ngx_http_flowdash_conf_refuse_literal(cf, cmd, &value[2],
                   "in a task, the pointer begins with the name of a field");
    }

    return NGX_CONF_OK;
}


/* forms are read up to the first selector */

static ngx_int_t
ngx_http_flowdash_conf_extract_split(ngx_conf_t *cf,
    ngx_http_flowdash_extract_t *extract)
{
    ngx_str_t                  *name;
    ngx_uint_t                  n;
    ngx_http_flowdash_token_t  *token;

    if (ngx_array_init(&extract->names, cf->pool, 4, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    token = extract->pointer.elts;

    for (n = 0; n < extract->pointer.nelts && token[n].value.data == NULL; n++)
    {
        name = ngx_array_push(&extract->names);
        if (name == NULL) {
            return NGX_ERROR;
        }

        *name = token[n].name;
    }

    extract->rest = extract->pointer;
    extract->rest.elts = token + n;
    extract->rest.nelts -= n;

    return NGX_OK;
}


static ngx_http_flowdash_extract_t *
ngx_http_flowdash_conf_extract_find(ngx_array_t *extracts, ngx_str_t *name)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_extract_t  *extract;

    extract = extracts->elts;

    for (i = 0; i < extracts->nelts; i++) {
        if (extract[i].name == name) {
            return &extract[i];
        }
    }

    return NULL;
}


/*
 * Were they replaced as a whole, a location with one of its own would lose the
 * others: an action's name would be empty there, and nothing would be called.
 */

ngx_int_t
ngx_http_flowdash_conf_extract_merge(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *prev, ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_extract_t  *extract, *inherited;

    ngx_conf_init_ptr_value(prev->extracts, NULL);

    if (conf->extracts != NGX_CONF_UNSET_PTR) {
        ngx_http_flowdash_conf_extract_check_stored(cf, conf);
    }

    ngx_conf_init_ptr_value(conf->extracts, prev->extracts);

    if (prev->extracts == NULL || conf->extracts == prev->extracts) {
        return NGX_OK;
    }

    inherited = prev->extracts->elts;

    for (i = 0; i < prev->extracts->nelts; i++) {

        if (ngx_http_flowdash_conf_extract_find(conf->extracts,
                                                inherited[i].name))
        {
            continue;
        }

        extract = ngx_array_push(conf->extracts);
        if (extract == NULL) {
            return NGX_ERROR;
        }

        *extract = inherited[i];
    }

    return NGX_OK;
}


/* of this level only: what is inherited may be meant for other locations */

static void
ngx_http_flowdash_conf_extract_check_stored(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *conf)
{
    ngx_uint_t                    i;
    ngx_http_flowdash_extract_t  *extract;

    if (conf->action == NULL || conf->task_from) {
        return;
    }

    extract = conf->extracts->elts;

    for (i = 0; i < conf->extracts->nelts; i++) {

        if (extract[i].from == NGX_HTTP_FLOWDASH_FROM_STORED) {
            ngx_http_flowdash_conf_report_warn(cf, conf, extract[i].place,
                        "\"$%V\" is always empty: there is no stored task "
                        "without \"flowdash_task_from\"", extract[i].name);
        }
    }
}
