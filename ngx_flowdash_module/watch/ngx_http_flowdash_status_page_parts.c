
/*
 * What is the same on each flow page: its style, its search fields, and its
 * only script, which brings it up to date.  Each text fits into one call of
 * ngx_http_flowdash_output().
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_metrics.h>
#include <ngx_http_flowdash_output.h>
#include <ngx_http_flowdash_status_page_parts.h>


static void ngx_http_flowdash_status_page_tools(
    ngx_http_flowdash_output_t *out, ngx_http_flowdash_zone_t *zone,
    ngx_str_t *id);


static const char  ngx_http_flowdash_status_page_head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"robots\" content=\"noindex\">\n"
    "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n";


/* names of classes: a, action; n, name; s, small; none, nothing has run */

static const char  ngx_http_flowdash_status_page_style[] =
    "<style>\n"
    ":root{--bg:#f7f8fa;--text:#1b2430;--dim:#566170;--line:#c3cbd5;"
    "--ok:#12805a;--bad:#b3261e;--badbg:#fbe3e0;--slow:#7d4e00;"
    "--slowbg:#fcefd0}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#10151b;--text:#e8edf3;"
    "--dim:#a3afbd;--line:#465260;--ok:#37b585;--bad:#ff968c;"
    "--badbg:#46201e;--slow:#f0c25c;--slowbg:#3b2f13}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:.5rem 1.5rem;max-width:max(78rem,140vh);"
    "background:var(--bg);color:var(--text);font:1rem/1.4 system-ui,"
    "sans-serif}\n"
    "#tools{float:right;display:flex;flex-wrap:wrap;gap:.2rem .7rem;"
    "align-items:center;min-height:2.6rem}\n"
    "[type=search]{font:inherit;padding:.2rem .5rem;width:8.5rem;"
    "color:var(--text);background:var(--bg);border:1px solid var(--dim);"
    "border-radius:.4rem}\n"
    "header{display:flex;flex-wrap:wrap;align-items:baseline;gap:0 1.5rem;"
    "margin-bottom:.6rem;line-height:1.25}\n"
    "#when{font-size:.9rem}\n"
    "h1,h2,p{margin:0}\n"
    "h1,#sum{font-size:1.7rem;font-weight:600}\n"
    "h2{font-size:1.2rem;overflow-wrap:anywhere}\n"
    "p{color:var(--dim)}\n"
    "#sum span{margin-right:.8rem;white-space:nowrap}\n"
    "#sum .failing,p.stop{color:var(--bad)}\n"
    "#sum .degraded,.slow p.stop,.refused p.stop{color:var(--slow)}\n"
    "#sum .fine{color:var(--ok)}\n"
    ".flow h2,.numbers{position:absolute;clip-path:inset(50%);width:1px;"
    "height:1px;overflow:hidden}\n"
    "svg{display:block;width:100%;overflow:visible}\n"
    "text{font-size:15px;fill:var(--text);unicode-bidi:isolate;"
    "font-variant-numeric:tabular-nums}\n"
    ".a,.n{font-size:17px;font-weight:600}\n"
    ".a{font-size:20px}\n"
    ".s{font-size:13px;fill:var(--dim)}\n"
    ".idle text,.none text{fill:var(--dim);font-weight:400}\n"
    "text.bad{fill:var(--bad);font-weight:600}\n"
    ".slow .p,.refused .p{fill:var(--slow);font-weight:600}\n"
    "rect{fill:var(--badbg)}\n"
    "rect.slow,rect.refused{fill:var(--slowbg)}\n"
    "path{stroke:var(--ok)}\n"
    "path.none{stroke:var(--line)}\n"
    "path.refused{stroke:var(--slow)}\n"
    "path.bad{stroke:var(--bad)}\n"
    ".dot{fill:var(--bg);stroke:var(--ok);stroke-width:4}\n"
    ".dot.none{stroke:var(--line)}\n"
    ".dot.slow,.dot.refused{stroke:var(--slow)}\n"
    ".dot.bad{fill:var(--bad);stroke:var(--bad)}\n"
    ".dot.weak{stroke:var(--bad)}\n"
    ".dot+path{stroke:var(--bg);stroke-width:3}\n"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}\n"
    "th,td{text-align:left;font-weight:400;padding:.3rem .8rem .3rem 0;"
    "border-bottom:1px solid var(--line);vertical-align:top;"
    "overflow-wrap:anywhere;font-variant-numeric:tabular-nums}\n"
    "thead th{color:var(--dim);white-space:nowrap}\n"
    "tbody th,.stop{font-weight:600}\n"
    "tbody p{font-size:.85rem;font-weight:400}\n"
    ".numbers table{table-layout:fixed}\n"
    ".numbers th:first-child,.numbers th:last-child{width:26%}\n"
    ".failures{margin-top:1.5rem}\n"
    ".failures td:first-child,.failures td:nth-child(n+4){"
    "white-space:nowrap}\n"
    "code{font-size:.85rem}\n"
    ":has(#all:checked) .numbers{position:static;clip-path:none;width:auto;"
    "height:auto;padding:.3rem 0 1.5rem}\n";


static const char  ngx_http_flowdash_status_page_one[] =
    "a{color:inherit}\n"
    ".execution p{margin:.3rem 0;max-width:40rem}\n"
    ".execution .ok{color:var(--ok)}\n"
    ".execution .failed,.execution .aborted,.execution .refused,"
    ".execution .unknown{color:var(--bad)}\n"
    ".execution table{margin-top:1rem;width:auto}\n"
    ".execution th,.execution td{padding-right:2rem}\n";


/* instead of drawings, the numbers that matter most */

static const char  ngx_http_flowdash_status_page_narrow[] =
    "@media(max-width:48rem){\n"
    "body{padding:1rem}\n"
    "#sum{font-size:1.3rem}\n"
    "#tools{float:none}\n"
    "svg,thead{display:none}\n"
    ".flow h2,.numbers{position:static;clip-path:none;width:auto;"
    "height:auto}\n"
    ".flow{margin-bottom:1.2rem}\n"
    ".flow tr{display:block;border-left:.3rem solid var(--ok);"
    "padding:.1rem 0 .3rem .6rem}\n"
    ".flow .bad,.flow .weak{border-color:var(--bad);"
    "background:var(--badbg)}\n"
    ".flow .slow,.flow .refused{border-color:var(--slow);"
    "background:var(--slowbg)}\n"
    ".flow .none,.idle tr{border-color:var(--line)}\n"
    "th,td{border:0;padding:0 .6rem 0 0}\n"
    ".flow table,.flow tbody{display:block}\n"
    ".flow th{width:auto!important}\n"
    ".flow tbody th{display:block}\n"
    ".flow td{display:none}\n"
    ".flow td:nth-child(3),.flow td:nth-child(5),"
    ":has(#all:checked) .flow td{display:inline}\n"
    ".flow td:nth-child(2)::after{content:\"/min\"}\n"
    ".flow td:nth-child(4)::before{content:\"median \"}\n"
    ".flow td:nth-child(5)::before{content:\"p95 \"}\n"
    ".flow td:nth-child(6)::before{content:\"last \"}\n"
    ".flow td:nth-child(7)::before{content:\"total \"}\n"
    ".flow td:empty{display:none!important}\n"
    ".idle .numbers,.fine tr+tr,.fine tbody th,.failures td:empty{"
    "display:none}\n"
    ":has(#all:checked) .idle .numbers,:has(#all:checked) .fine tr,"
    ":has(#all:checked) .fine tbody th{display:block}\n"
    ".failures tr,.execution tr{display:block;padding:.5rem 0;"
    "border-bottom:1px solid var(--line)}\n"
    ".failures td,.execution td{display:inline;"
    "white-space:normal!important}\n"
    ".execution th{display:block}\n"
    ".execution td,.execution th{padding-right:.6rem}\n"
    ".execution td:nth-child(3):not(:empty)::before{"
    "content:\"answered \"}\n"
    ".execution td:nth-child(5):not(:empty)::before{content:\"calls \"}\n"
    ".failures td:nth-child(3)::before{content:\"\\203a  \"}\n"
    ".failures td:nth-child(4)::before{content:\"\\a\";white-space:pre}\n"
    ".failures td:nth-child(5)::before{content:\"answered \"}\n"
    ".failures td:nth-child(6)::before{content:\"user got \"}\n"
    ".failures td:first-child,.failures td:last-child{display:block}\n"
    "}\n"
    "</style>\n";


/*
 * Shows times as the reader's clock does, and replaces what is shown by what a
 * new request for the page brings, unless the user has selected text, perhaps
 * to copy it.  With many actions, there is a field to find some.
 */

static const char  ngx_http_flowdash_status_page_script[] =
    "<script>\n"
    "function two(n) { return String(n).padStart(2, '0'); }\n"
    "function ago(s) {\n"
    "    return s < 60 ? Math.max(s, 0) + ' s' : s < 5400\n"
    "        ? Math.round(s / 60) + ' min' : s < 172800\n"
    "        ? Math.round(s / 3600) + ' h' : Math.round(s / 86400) + ' "
    "days';\n"
    "}\n"
    "function show() {\n"
    "    var now = new Date(document.querySelector('#when time').dateTime);\n"
    "    document.querySelectorAll('time').forEach(function (t) {\n"
    "        var d = new Date(t.dateTime);\n"
    "        t.title = t.textContent + ' UTC';\n"
    "        var text = two(d.getHours()) + ':' + two(d.getMinutes()) + "
    "':'\n"
    "            + two(d.getSeconds());\n"
    "        if (d.toDateString() != now.toDateString()) {\n"
    "            text = d.getFullYear() + '-' + two(d.getMonth() + 1) + "
    "'-'\n"
    "                + two(d.getDate()) + ' ' + text;\n"
    "        }\n"
    "        if (t.closest('tbody')) {\n"
    "            text += ', ' + ago(Math.round((now - d) / 1000)) + ' ago';\n"
    "        }\n"
    "        t.textContent = text;\n"
    "    });\n"
    "    document.querySelectorAll('.utc').forEach(function (e) {\n"
    "        e.remove();\n"
    "    });\n"
    "    find();\n"
    "}\n"
    "function find() {\n"
    "    var filter = document.querySelector('#filter');\n"
    "    var flows = document.querySelectorAll('.flow');\n"
    "    var text = filter.value.trim().toLowerCase();\n"
    "    filter.hidden = flows.length < 7 && !text;\n"
    "    flows.forEach(function (flow) {\n"
    "        flow.hidden = !flow.textContent.toLowerCase().includes(text);\n"
    "    });\n"
    "}\n"
    "document.querySelector('#filter').addEventListener('input', find);\n"
    "show();\n"
    "setInterval(function () {\n"
    "    if (document.hidden || String(getSelection())) { return; }\n"
    "    fetch(location.href, { cache: 'no-store' }).then(function (r) {\n"
    "        if (!r.ok && r.status != 404) { throw r.status; }\n"
    "        return r.text();\n"
    "    }).then(function (text) {\n"
    "        var now = new DOMParser().parseFromString(text, 'text/html');\n"
    "        document.title = now.title;\n"
    "        document.querySelector('main').replaceWith(\n"
    "            document.adoptNode(now.querySelector('main')));\n"
    "        show();\n"
    "    }).catch(function () {\n"
    "        document.querySelector('#when').textContent =\n"
    "            'The gateway does not answer; these are the last figures.';\n"
    "    });\n"
    "}, 5000);\n"
    "</script>\n";


void
ngx_http_flowdash_status_page_top(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_uint_t failing, ngx_str_t *id)
{
    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_head);
    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_style);
    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_one);
    ngx_http_flowdash_output(out, "%s<title>",
                             ngx_http_flowdash_status_page_narrow);

    if (failing) {
        ngx_http_flowdash_output(out, "(%ui) ", failing);
    }

    ngx_http_flowdash_output(out, "%s</title>\n",
                             id ? "Execution" : "Flows");

    ngx_http_flowdash_status_page_tools(out, zone, id);

    ngx_http_flowdash_output(out, "<main>\n");
}


/* they are not replaced when the page is brought up to date */

static void
ngx_http_flowdash_status_page_tools(ngx_http_flowdash_output_t *out,
    ngx_http_flowdash_zone_t *zone, ngx_str_t *id)
{
    ngx_http_flowdash_output(out, "<div id=\"tools\" role=\"search\">"
                             "<input id=\"filter\" type=\"search\" "
                             "placeholder=\"Find an action\" "
                             "aria-label=\"Find an action\" hidden>");

    if (zone->executions) {
        ngx_http_flowdash_output(out, "<form><input name=\"id\" "
                                 "type=\"search\" placeholder=\"Find an id\" "
                                 "aria-label=\"Find an execution by its id\" "
                                 "maxlength=\"80\" required value=\"");

        if (id) {
            ngx_http_flowdash_output_html(out, id);
        }

        ngx_http_flowdash_output(out, "\"></form>");
    }

    ngx_http_flowdash_output(out, "<label%s><input id=\"all\" "
                             "type=\"checkbox\"> numbers</label></div>\n",
                             id ? " hidden" : "");
}


void
ngx_http_flowdash_status_page_bottom(ngx_http_flowdash_output_t *out)
{
    ngx_http_flowdash_output(out, "</main>\n");
    ngx_http_flowdash_output(out, "%s", ngx_http_flowdash_status_page_script);
}
