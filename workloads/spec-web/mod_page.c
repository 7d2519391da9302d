// SPDX-License-Identifier: MIT
/*
 * mod_page.c: a module of Apache's that makes the dynamic pages, as modspecweb99 did for the paper.
 *
 *   rexen-page   the file that the query names, between a head and a tail
 *   rexen-ad     the same, with the advertisement that suits the cookie's user put into it
 *   rexen-post   appends the form's number, user and file to PagePostLog, then answers as rexen-page
 *
 * Files go out as buckets that the core reads when the connection takes more, so that no thread waits
 * for a slow reader.
 */
#include "page.h"

#include <httpd.h>

#include <apr_buckets.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_protocol.h>
#include <util_filter.h>

#define FORM_MAX 256

module AP_MODULE_DECLARE_DATA page_module;

static const char *log_path;
static apr_file_t *post_log;

static const char *set_log(cmd_parms *command, void *config, const char *path)
{
	(void)config;
	log_path = apr_pstrdup(command->pool, path);
	return NULL;
}

/* The whole form, which is short; false if it is not. */
static bool read_form(request_rec *r, char form[FORM_MAX])
{
	long used = 0, got;

	if (ap_setup_client_block(r, REQUEST_CHUNKED_ERROR) != OK || !ap_should_client_block(r))
		return false;
	while ((got = ap_get_client_block(r, form + used, (apr_size_t)(FORM_MAX - 1 - used))) > 0)
		used += got;
	form[used] = '\0';
	return got == 0;
}

/* One line by one write, so that lines of several threads do not mix. Returns the file's name. */
static const char *keep_form(request_rec *r)
{
	char form[FORM_MAX], name[PAGE_NAME + 1];
	unsigned int number, user;
	const char *line;
	apr_size_t size;

	if (!read_form(r, form) ||
	    sscanf(form, "number=%u&user=%u&file=%10s", &number, &user, name) != 3)
		return NULL;
	line = apr_psprintf(r->pool, "%u %u %s\n", number, user, name);
	size = strlen(line);
	if (apr_file_write_full(post_log, line, size, NULL) != APR_SUCCESS)
		return NULL;
	return apr_pstrdup(r->pool, name);
}

/* The advertisement for the user of the cookie, which is then told to the client. */
static const char *choose_ad(request_rec *r)
{
	const char *cookie = apr_table_get(r->headers_in, "Cookie");
	char *text = apr_palloc(r->pool, PAGE_AD_SIZE + 1);
	unsigned int user, last, ad;

	if (!cookie || sscanf(cookie, "user=%u&last=%u", &user, &last) != 2)
		return NULL;
	ad = page_next_ad(user, last);
	page_ad(text, ad);
	apr_table_setn(r->headers_out, "Set-Cookie", apr_psprintf(r->pool, "ad=%03u", ad));
	return text;
}

/* Where the mark is, by looking for it as if its place were not known; `size` if it is nowhere. */
static apr_size_t find_mark(const char *content, apr_size_t size)
{
	const char *found = memmem(content, size, PAGE_AD_BEGIN, strlen(PAGE_AD_BEGIN));

	return found ? (apr_size_t)(found - content) : size;
}

static apr_status_t insert_with_ad(request_rec *r, apr_bucket_brigade *all, apr_file_t *file,
				   apr_size_t size, const char *ad)
{
	char *content = apr_palloc(r->pool, size);
	apr_status_t status = apr_file_read_full(file, content, size, NULL);
	apr_size_t place;

	if (status != APR_SUCCESS)
		return status;
	place = find_mark(content, size);
	if (place + PAGE_AD_SIZE <= size)
		memcpy(content + place, ad, PAGE_AD_SIZE);
	APR_BRIGADE_INSERT_TAIL(
	    all, apr_bucket_pool_create(content, size, r->pool, r->connection->bucket_alloc));
	return APR_SUCCESS;
}

static int send_page(request_rec *r, const char *name, const char *ad)
{
	apr_bucket_alloc_t *allocator = r->connection->bucket_alloc;
	apr_bucket_brigade *all = apr_brigade_create(r->pool, allocator);
	apr_file_t *file;
	apr_finfo_t info;
	struct page page;

	if (!name || !page_parse(name, &page))
		return HTTP_BAD_REQUEST;
	name = apr_psprintf(r->pool, "%s/%.*s", ap_document_root(r), PAGE_NAME, name);
	if (apr_file_open(&file, name, APR_READ | APR_BINARY, 0, r->pool) != APR_SUCCESS ||
	    apr_file_info_get(&info, APR_FINFO_SIZE, file) != APR_SUCCESS)
		return HTTP_NOT_FOUND;
	ap_set_content_type(r, "text/html");
	ap_set_content_length(r, (apr_off_t)(strlen(PAGE_HEAD) + strlen(PAGE_TAIL)) + info.size);
	APR_BRIGADE_INSERT_TAIL(
	    all, apr_bucket_immortal_create(PAGE_HEAD, strlen(PAGE_HEAD), allocator));
	if (!ad || !page_has_ad(&page))
		apr_brigade_insert_file(all, file, 0, info.size, r->pool);
	else if (insert_with_ad(r, all, file, (apr_size_t)info.size, ad) != APR_SUCCESS)
		return HTTP_INTERNAL_SERVER_ERROR;
	APR_BRIGADE_INSERT_TAIL(
	    all, apr_bucket_immortal_create(PAGE_TAIL, strlen(PAGE_TAIL), allocator));
	APR_BRIGADE_INSERT_TAIL(all, apr_bucket_eos_create(allocator));
	return ap_pass_brigade(r->output_filters, all) == APR_SUCCESS ? OK
								       : AP_FILTER_ERROR;
}

static int answer(request_rec *r)
{
	const char *ad;

	if (strcmp(r->handler, "rexen-page") == 0)
		return send_page(r, r->args, NULL);
	if (strcmp(r->handler, "rexen-post") == 0)
		return send_page(r, keep_form(r), NULL);
	if (strcmp(r->handler, "rexen-ad") != 0)
		return DECLINED;
	ad = choose_ad(r);
	return ad ? send_page(r, r->args, ad) : HTTP_BAD_REQUEST;
}

/* Still as root, before the server's processes become another user. */
static int open_log(apr_pool_t *pool, apr_pool_t *log_pool, apr_pool_t *temporary, server_rec *s)
{
	int how = APR_WRITE | APR_CREATE | APR_APPEND;

	(void)log_pool;
	(void)temporary;
	(void)s;
	if (log_path &&
	    apr_file_open(&post_log, log_path, how, APR_OS_DEFAULT, pool) != APR_SUCCESS)
		return HTTP_INTERNAL_SERVER_ERROR;
	return OK;
}

static void register_hooks(apr_pool_t *pool)
{
	(void)pool;
	ap_hook_open_logs(open_log, NULL, NULL, APR_HOOK_MIDDLE);
	ap_hook_handler(answer, NULL, NULL, APR_HOOK_MIDDLE);
}

static const command_rec commands[] = {
    AP_INIT_TAKE1("PagePostLog", set_log, NULL, RSRC_CONF, "the file that forms are kept in"),
    {0},
};

module AP_MODULE_DECLARE_DATA page_module = {
    .version = MODULE_MAGIC_NUMBER_MAJOR,
    .minor_version = MODULE_MAGIC_NUMBER_MINOR,
    .module_index = -1,
    .name = "mod_page.c",
    .magic = MODULE_MAGIC_COOKIE,
    .cmds = commands,
    .register_hooks = register_hooks,
};
