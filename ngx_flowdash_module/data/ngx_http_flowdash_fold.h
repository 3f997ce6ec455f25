
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

/* Returns a hash that is the same for strings that fold to one. */
uint32_t ngx_http_flowdash_fold_hash(ngx_str_t *s);

/* The same as a keyed hash, so that nobody can choose names that collide. */
uint64_t ngx_http_flowdash_fold_keyed_hash(ngx_str_t *s);

/*
 * A tree of names: its nodes are of type ngx_str_node_t, their keys are
 * ngx_http_flowdash_fold_hash() of the name.  This function is what
 * ngx_rbtree_init() needs.  The tree is ordered by hash, then by the folded
 * names, then by their bytes: names with colliding hashes cost no more than
 * others.
 */
void ngx_http_flowdash_fold_insert_value(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);

/*
 * Finds a name, with its hash, in such a tree: the same bytes if "exact",
 * otherwise any name that folds to the same.  Returns NULL if there is none.
 */
ngx_str_node_t *ngx_http_flowdash_fold_lookup(ngx_rbtree_t *names,
    ngx_str_t *name, uint32_t hash, ngx_uint_t exact);


#endif /* _NGX_HTTP_FLOWDASH_FOLD_H_INCLUDED_ */
