
/*
 * Reads the members of a record's lines.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http_flowdash_record_members.h>
#include <ngx_http_flowdash_record_words.h>
#include <ngx_http_flowdash_text.h>


/* of one piece of a text */

typedef struct {
    ngx_str_t                            secret;
    ngx_uint_t                           encoding;
    ngx_uint_t                           insert;
} ngx_http_flowdash_record_piece_t;


static ngx_int_t ngx_http_flowdash_record_members_wrong(
    ngx_http_flowdash_record_reader_t *reader);
static ngx_int_t ngx_http_flowdash_record_members_base64(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_array(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, ngx_array_t *array, size_t size,
    ngx_http_flowdash_record_member_pt read);
static ngx_int_t ngx_http_flowdash_record_members_object(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_headers(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_header(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_pieces(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_piece(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_encoding(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);
static ngx_int_t ngx_http_flowdash_record_members_kind(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value);


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_delivery_members[] =
{
    { ngx_string("name"), ngx_http_flowdash_record_members_text,
      offsetof(ngx_http_flowdash_delivery_t, name), 0 },

    { ngx_string("key"), ngx_http_flowdash_record_members_text,
      offsetof(ngx_http_flowdash_delivery_t, key), 0 },

    { ngx_string("host"), ngx_http_flowdash_record_members_text,
      offsetof(ngx_http_flowdash_delivery_t, host), 0 },

    { ngx_string("uri"), ngx_http_flowdash_record_members_pieces,
      offsetof(ngx_http_flowdash_delivery_t, uri), 0 },

    { ngx_string("headers"), ngx_http_flowdash_record_members_headers,
      offsetof(ngx_http_flowdash_delivery_t, headers), 0 },

    { ngx_string("body"), ngx_http_flowdash_record_members_pieces,
      offsetof(ngx_http_flowdash_delivery_t, body), 0 },

    { ngx_string("error"), ngx_http_flowdash_record_members_text,
      offsetof(ngx_http_flowdash_delivery_t, error), 0 },

    { ngx_string("state"), ngx_http_flowdash_record_members_state,
      offsetof(ngx_http_flowdash_delivery_t, state), 0 },

    { ngx_string("tries"), ngx_http_flowdash_record_members_number,
      offsetof(ngx_http_flowdash_delivery_t, tries), 0 },

    { ngx_string("status"), ngx_http_flowdash_record_members_number,
      offsetof(ngx_http_flowdash_delivery_t, status), 0 },

    { ngx_null_string, NULL, 0, 0 }
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_secret_members[] =
{
    { ngx_string("secret"), ngx_http_flowdash_record_members_text,
      offsetof(ngx_http_flowdash_record_piece_t, secret), 1 },

    { ngx_string("as"), ngx_http_flowdash_record_members_encoding,
      offsetof(ngx_http_flowdash_record_piece_t, encoding), 1 },

    { ngx_null_string, NULL, 0, 0 }
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_insert_members[] =
{
    { ngx_string("insert"), ngx_http_flowdash_record_members_kind,
      offsetof(ngx_http_flowdash_record_piece_t, insert), 1 },

    { ngx_null_string, NULL, 0, 0 }
};


static ngx_http_flowdash_record_member_t
    ngx_http_flowdash_record_base64_members[] =
{
    { ngx_string("base64"), ngx_http_flowdash_record_members_base64, 0, 1 },
    { ngx_null_string, NULL, 0, 0 }
};


ngx_int_t
ngx_http_flowdash_record_members(ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node,
    ngx_http_flowdash_record_member_t *members, void *base)
{
    ngx_int_t                           rc;
    ngx_uint_t                          seen, bit;
    ngx_http_flowdash_record_member_t  *member;

    if (!node->object) {
        return ngx_http_flowdash_record_members_wrong(reader);
    }

    seen = 0;

    for (node = node->first; node; node = node->next) {

        bit = 1;

        for (member = members; member->name.len; member++, bit <<= 1) {
            if (ngx_http_flowdash_text_equal(&node->key, &member->name)) {
                break;
            }
        }

        if (member->name.len == 0) {
            reader->error = "a line has a member that this version does not "
                            "know";
            return NGX_DECLINED;
        }

        if (seen & bit) {
            reader->error = "a line has a member twice";
            return NGX_DECLINED;
        }

        seen |= bit;

        rc = member->read(reader, node, (u_char *) base + member->offset);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    for (member = members; member->name.len; member++, seen >>= 1) {
        if (member->required && !(seen & 1)) {
            reader->error = "a member of a line is missing";
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_members_wrong(
    ngx_http_flowdash_record_reader_t *reader)
{
    reader->error = "a member of a line has the wrong type";

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_flowdash_record_members_text(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_str_t *text = value;

    if (!node->string) {
        return ngx_http_flowdash_record_members(reader, node,
                                    ngx_http_flowdash_record_base64_members,
                                    text);
    }

    *text = node->text;

    return NGX_OK;
}


static ngx_int_t
ngx_http_flowdash_record_members_base64(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_str_t *text = value;

    if (!node->string) {
        return ngx_http_flowdash_record_members_wrong(reader);
    }

    text->data = ngx_pnalloc(reader->pool,
                             ngx_base64_decoded_length(node->text.len));
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_decode_base64(text, &node->text) != NGX_OK) {
        return ngx_http_flowdash_record_members_wrong(reader);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_record_members_number(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_int_t    n;
    ngx_uint_t  *number = value;

    n = node->string ? NGX_ERROR : ngx_atoi(node->text.data, node->text.len);

    if (n == NGX_ERROR) {
        return ngx_http_flowdash_record_members_wrong(reader);
    }

    *number = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_record_members_flag(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_uint_t  *flag = value;

    if (!node->string && ngx_http_flowdash_text_is(&node->text, "true")) {
        *flag = 1;
        return NGX_OK;
    }

    if (!node->string && ngx_http_flowdash_text_is(&node->text, "false")) {
        *flag = 0;
        return NGX_OK;
    }

    return ngx_http_flowdash_record_members_wrong(reader);
}


ngx_int_t
ngx_http_flowdash_record_members_word(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, ngx_str_t *words, ngx_uint_t *value)
{
    ngx_uint_t  i;

    for (i = 0; node->string && words[i].len; i++) {

        if (ngx_http_flowdash_text_equal(&node->text, &words[i])
            && words[i].data[0] != '-')
        {
            *value = i;
            return NGX_OK;
        }
    }

    return ngx_http_flowdash_record_members_wrong(reader);
}


ngx_int_t
ngx_http_flowdash_record_members_state(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_int_t                      rc;
    ngx_uint_t                     n;
    ngx_http_flowdash_delivery_e  *state = value;

    rc = ngx_http_flowdash_record_members_word(reader, node,
                                      ngx_http_flowdash_record_states, &n);
    if (rc == NGX_OK) {
        *state = (ngx_http_flowdash_delivery_e) n;
    }

    return rc;
}


/* each element of an array, by the same function */

static ngx_int_t
ngx_http_flowdash_record_members_array(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, ngx_array_t *array, size_t size,
    ngx_http_flowdash_record_member_pt read)
{
    void       *element;
    ngx_int_t   rc;

    if (!node->array) {
        return ngx_http_flowdash_record_members_wrong(reader);
    }

    if (ngx_array_init(array, reader->pool, ngx_max(node->members, 1), size)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (node = node->first; node; node = node->next) {

        element = ngx_array_push(array);
        if (element == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(element, size);

        rc = read(reader, node, element);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_flowdash_record_members_deliveries(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    return ngx_http_flowdash_record_members_array(reader, node, value,
                                    sizeof(ngx_http_flowdash_delivery_t),
                                    ngx_http_flowdash_record_members_object);
}


ngx_int_t
ngx_http_flowdash_record_members_delivery(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_http_flowdash_delivery_t  **delivery = value;

    *delivery = ngx_pcalloc(reader->pool,
                            sizeof(ngx_http_flowdash_delivery_t));
    if (*delivery == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_flowdash_record_members_object(reader, node, *delivery);
}


static ngx_int_t
ngx_http_flowdash_record_members_object(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    return ngx_http_flowdash_record_members(reader, node,
                                  ngx_http_flowdash_record_delivery_members,
                                  value);
}


static ngx_int_t
ngx_http_flowdash_record_members_headers(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    return ngx_http_flowdash_record_members_array(reader, node, value,
                                    sizeof(ngx_http_flowdash_record_header_t),
                                    ngx_http_flowdash_record_members_header);
}


/* an array of its name and its value */

static ngx_int_t
ngx_http_flowdash_record_members_header(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_int_t                           rc;
    ngx_http_flowdash_record_header_t  *header = value;

    if (!node->array || node->members != 2) {
        return ngx_http_flowdash_record_members_wrong(reader);
    }

    node = node->first;

    rc = ngx_http_flowdash_record_members_text(reader, node, &header->name);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_flowdash_record_members_pieces(reader, node->next,
                                                   &header->value);
}


/* an array, or one text that stands for itself */

static ngx_int_t
ngx_http_flowdash_record_members_pieces(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_array_t                *pieces = value;
    ngx_http_flowdash_piece_t  *piece;

    if (node->array) {
        return ngx_http_flowdash_record_members_array(reader, node, pieces,
                                     sizeof(ngx_http_flowdash_piece_t),
                                     ngx_http_flowdash_record_members_piece);
    }

    if (ngx_array_init(pieces, reader->pool, 1,
                       sizeof(ngx_http_flowdash_piece_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    piece = ngx_array_push(pieces);
    if (piece == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(piece, sizeof(ngx_http_flowdash_piece_t));

    return ngx_http_flowdash_record_members_text(reader, node, &piece->text);
}


static ngx_int_t
ngx_http_flowdash_record_members_piece(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    ngx_int_t                          rc;
    ngx_http_flowdash_piece_t         *piece = value;
    ngx_http_flowdash_record_piece_t   read;

    ngx_memzero(&read, sizeof(ngx_http_flowdash_record_piece_t));

    if (node->first
        && ngx_http_flowdash_text_is(&node->first->key, "insert"))
    {
        rc = ngx_http_flowdash_record_members(reader, node,
                                    ngx_http_flowdash_record_insert_members,
                                    &read);

        piece->kind = (ngx_http_flowdash_piece_e) read.insert;
        return rc;
    }

    if (node->first && node->object
        && !ngx_http_flowdash_text_is(&node->first->key, "base64"))
    {
        rc = ngx_http_flowdash_record_members(reader, node,
                                    ngx_http_flowdash_record_secret_members,
                                    &read);

        piece->kind = NGX_HTTP_FLOWDASH_PIECE_SECRET;
        piece->encoding = (ngx_http_flowdash_piece_encoding_e) read.encoding;
        piece->text = read.secret;
        return rc;
    }

    return ngx_http_flowdash_record_members_text(reader, node, &piece->text);
}


static ngx_int_t
ngx_http_flowdash_record_members_encoding(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    return ngx_http_flowdash_record_members_word(reader, node,
                                 ngx_http_flowdash_record_encodings, value);
}


static ngx_int_t
ngx_http_flowdash_record_members_kind(
    ngx_http_flowdash_record_reader_t *reader,
    ngx_http_flowdash_json_node_t *node, void *value)
{
    return ngx_http_flowdash_record_members_word(reader, node,
                                     ngx_http_flowdash_record_kinds, value);
}
