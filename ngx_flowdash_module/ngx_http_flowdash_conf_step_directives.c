
/*
 * Directives of a step's block that mean nothing there: those for the whole
 * action, those of flowdash_call without it, and those about an answer in an
 * undo or after-step, whose answer nobody waits for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_http_flowdash.h>
#include <ngx_http_flowdash_conf_util.h>
#include <ngx_http_flowdash_egress.h>
#include <ngx_http_flowdash_conf_report.h>
#include <ngx_http_flowdash_conf_block.h>
#include <ngx_http_flowdash_conf_step_directives.h>


/* a directive whose value in the configuration is as wide as a pointer */

typedef struct {
    const char                     *name;
    size_t                          offset;
    intptr_t                        unset;     /* as long as it is not given */
    const char                     *hint;      /* its like for proxy_pass, or
                                                  why it is refused */
} ngx_http_flowdash_directive_t;


static char *ngx_http_flowdash_conf_step_directives_call(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_conf_block_t *block);
static const char *ngx_http_flowdash_conf_step_directives_place(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_conf_block_t *block,
    ngx_http_flowdash_directive_t *d, ngx_http_flowdash_place_t *place);
static ngx_http_flowdash_directive_t *
    ngx_http_flowdash_conf_step_directives_find(
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_directive_t *d);


static const char  ngx_http_flowdash_delivery_answer[] =
    "nobody waits for its answer, which changes no field: delete it";


static const char  ngx_http_flowdash_delivery_client[] =
    "the client has its answer before it is called: delete it";


/* directives that are for the whole action, not for a step */

static ngx_http_flowdash_directive_t  ngx_http_flowdash_action_directives[] = {

    { "flowdash_task",
      offsetof(ngx_http_flowdash_loc_conf_t, pointer), NGX_CONF_UNSET, NULL },

    { "flowdash_task_from",
      offsetof(ngx_http_flowdash_loc_conf_t, task_from), NGX_CONF_UNSET,
      NULL },

    { "flowdash_user_from",
      offsetof(ngx_http_flowdash_loc_conf_t, user_from), NGX_CONF_UNSET,
      NULL },

    { "flowdash_require_user",
      offsetof(ngx_http_flowdash_loc_conf_t, require_user), NGX_CONF_UNSET,
      NULL },

    { "flowdash_extract",
      offsetof(ngx_http_flowdash_loc_conf_t, extracts), NGX_CONF_UNSET, NULL },

    { "flowdash_set",
      offsetof(ngx_http_flowdash_loc_conf_t, set), NGX_CONF_UNSET, NULL },

    { "flowdash_methods",
      offsetof(ngx_http_flowdash_loc_conf_t, methods), NGX_CONF_UNSET, NULL },

    { "flowdash_guard",
      offsetof(ngx_http_flowdash_loc_conf_t, guard), NGX_CONF_UNSET, NULL },

    { "flowdash_types",
      offsetof(ngx_http_flowdash_loc_conf_t, types), NGX_CONF_UNSET, NULL },

    { "flowdash_strict",
      offsetof(ngx_http_flowdash_loc_conf_t, strict), NGX_CONF_UNSET, NULL },

    { "flowdash_languages",
      offsetof(ngx_http_flowdash_loc_conf_t, languages), NGX_CONF_UNSET,
      NULL },

    { "flowdash_deadline",
      offsetof(ngx_http_flowdash_loc_conf_t, deadline), NGX_CONF_UNSET, NULL },

    { "flowdash_max_fields_size",
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields_size),
      NGX_CONF_UNSET, NULL },

    { "flowdash_max_fields",
      offsetof(ngx_http_flowdash_loc_conf_t, max_fields), NGX_CONF_UNSET,
      NULL },

    { "flowdash_decode",
      offsetof(ngx_http_flowdash_loc_conf_t, decode), NGX_CONF_UNSET, NULL },

    { "flowdash_dry_run",
      offsetof(ngx_http_flowdash_loc_conf_t, dry_run), NGX_CONF_UNSET, NULL },

    { "flowdash_outcome",
      offsetof(ngx_http_flowdash_loc_conf_t, outcome), NGX_CONF_UNSET, NULL },

    { "flowdash_success",
      offsetof(ngx_http_flowdash_loc_conf_t, success), NGX_CONF_UNSET, NULL },

    { "flowdash_once",
      offsetof(ngx_http_flowdash_loc_conf_t, once), NGX_CONF_UNSET, NULL },

    { NULL, 0, 0, NULL }
};


/* directives that mean nothing without flowdash_call */

static ngx_http_flowdash_directive_t  ngx_http_flowdash_call_directives[] = {

    { "flowdash_retry",
      offsetof(ngx_http_flowdash_loc_conf_t, retry), NGX_CONF_UNSET,
      "proxy_next_upstream" },

    { "flowdash_resend",
      offsetof(ngx_http_flowdash_loc_conf_t, resend), NGX_CONF_UNSET, NULL },

    { "flowdash_allow\" and \"flowdash_deny",
      offsetof(ngx_http_flowdash_loc_conf_t, rules), NGX_CONF_UNSET, NULL },

    { "flowdash_proxy",
      offsetof(ngx_http_flowdash_loc_conf_t, proxy), NGX_CONF_UNSET, NULL },

    { "flowdash_http_version",
      offsetof(ngx_http_flowdash_loc_conf_t, http_version), NGX_CONF_UNSET,
      "proxy_http_version" },

    { "flowdash_connect_timeout",
      offsetof(ngx_http_flowdash_loc_conf_t, connect_timeout),
      NGX_CONF_UNSET, "proxy_connect_timeout" },

    { "flowdash_ssl_verify",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_verify), NGX_CONF_UNSET,
      "proxy_ssl_verify" },

    { "flowdash_ssl_protocols",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_protocols), 0,
      "proxy_ssl_protocols" },

    { "flowdash_ssl_trusted_certificate",
      offsetof(ngx_http_flowdash_loc_conf_t,
               ssl_trusted_certificate.name.data), 0,
      "proxy_ssl_trusted_certificate" },

    { "flowdash_ssl_certificate",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate.name.data), 0,
      "proxy_ssl_certificate" },

    { "flowdash_ssl_certificate_key",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_certificate_key.name.data),
      0, "proxy_ssl_certificate_key" },

    { "flowdash_ssl_pinned_key",
      offsetof(ngx_http_flowdash_loc_conf_t, ssl_pinned_key.data), 0, NULL },

    { NULL, 0, 0, NULL }
};


/* directives that mean nothing in an undo or after-step */

static ngx_http_flowdash_directive_t
    ngx_http_flowdash_delivery_directives[] =
{
    { "flowdash_accept",
      offsetof(ngx_http_flowdash_loc_conf_t, accept), NGX_CONF_UNSET,
      ngx_http_flowdash_delivery_answer },

    { "flowdash_set_from_answer",
      offsetof(ngx_http_flowdash_loc_conf_t, from_answer), NGX_CONF_UNSET,
      ngx_http_flowdash_delivery_answer },

    { "flowdash_require_json",
      offsetof(ngx_http_flowdash_loc_conf_t, require_json), NGX_CONF_UNSET,
      ngx_http_flowdash_delivery_answer },

    { "flowdash_retry",
      offsetof(ngx_http_flowdash_loc_conf_t, retry), NGX_CONF_UNSET,
      "it is tried again until \"max_age=\" of \"flowdash_outbox\": delete "
      "it" },

    { "flowdash_error_detail",
      offsetof(ngx_http_flowdash_loc_conf_t, error_detail), NGX_CONF_UNSET,
      ngx_http_flowdash_delivery_client },

    { "flowdash_pass_status",
      offsetof(ngx_http_flowdash_loc_conf_t, pass_status), NGX_CONF_UNSET,
      ngx_http_flowdash_delivery_client },

    { NULL, 0, 0, NULL }
};


char *
ngx_http_flowdash_conf_step_directives(ngx_conf_t *cf,
    ngx_http_flowdash_step_t *step, ngx_http_flowdash_conf_block_t *block)
{
    const char                     *name;
    ngx_http_flowdash_place_t       place;
    ngx_http_flowdash_loc_conf_t   *flcf;
    ngx_http_flowdash_directive_t  *set;

    flcf = step->loc_conf[ngx_http_flowdash_module.ctx_index];

    set = ngx_http_flowdash_conf_step_directives_find(flcf,
                                         ngx_http_flowdash_action_directives);
    if (set) {
        name = ngx_http_flowdash_conf_step_directives_place(cf, flcf, block,
                                                            set, &place);

        return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                    "\"%s\" is for the whole action, not for a step: write it "
                    "outside the step, in the action's location", name);
    }

    if (step->kind == NGX_HTTP_FLOWDASH_KIND_STEP) {
        return ngx_http_flowdash_conf_step_directives_call(cf, flcf, block);
    }

    set = ngx_http_flowdash_conf_step_directives_find(flcf,
                                       ngx_http_flowdash_delivery_directives);
    if (set == NULL) {
        return NGX_CONF_OK;
    }

    name = ngx_http_flowdash_conf_step_directives_place(cf, flcf, block, set,
                                                        &place);

    return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                "\"%s\" has no effect here: %s", name, set->hint);
}


static char *
ngx_http_flowdash_conf_step_directives_call(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_conf_block_t *block)
{
    const char                     *name;
    ngx_http_flowdash_place_t       place;
    ngx_http_flowdash_directive_t  *set;

    if (flcf->url) {
        return NGX_CONF_OK;
    }

    set = ngx_http_flowdash_conf_step_directives_find(flcf,
                                           ngx_http_flowdash_call_directives);
    if (set == NULL) {
        return NGX_CONF_OK;
    }

    name = ngx_http_flowdash_conf_step_directives_place(cf, flcf, block, set,
                                                        &place);

    if (set->hint) {
        return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                    "\"%s\" is for \"flowdash_call\" only: with "
                    "\"proxy_pass\", write \"%s\"", name, set->hint);
    }

    return ngx_http_flowdash_conf_report_refuse(cf, flcf, &place,
                "\"%s\" is for \"flowdash_call\" only: other content "
                "handlers have no equivalent", name);
}


/* returns the name: two directives may share a value */

static const char *
ngx_http_flowdash_conf_step_directives_place(ngx_conf_t *cf,
    ngx_http_flowdash_loc_conf_t *flcf, ngx_http_flowdash_conf_block_t *block,
    ngx_http_flowdash_directive_t *d, ngx_http_flowdash_place_t *place)
{
    ngx_http_flowdash_rule_t   *rule;
    ngx_http_flowdash_param_t  *param;

    if (d->offset == offsetof(ngx_http_flowdash_loc_conf_t, set)) {
        param = flcf->set->elts;
        *place = *param->place;
        return param->json ? "flowdash_set_json" : d->name;
    }

    if (d->offset == offsetof(ngx_http_flowdash_loc_conf_t, rules)) {
        rule = flcf->rules->elts;
        *place = *rule->place;
        return d->name;
    }

    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;

    if (ngx_http_flowdash_conf_block_read(cf, block) == NGX_OK) {
        place->line = ngx_http_flowdash_conf_block_line(block, d->name);
    }

    return d->name;
}


/* returns the first directive of a table that the step has, or NULL */

static ngx_http_flowdash_directive_t *
ngx_http_flowdash_conf_step_directives_find(ngx_http_flowdash_loc_conf_t *flcf,
    ngx_http_flowdash_directive_t *d)
{
    intptr_t  value;

    for ( /* void */ ; d->name; d++) {

        ngx_memcpy(&value, (u_char *) flcf + d->offset, sizeof(intptr_t));

        if (value != d->unset) {
            return d;
        }
    }

    return NULL;
}
