-- The action, in Lua: used by lua.conf.

local cjson = require "cjson.safe"
local client = require "lua_http"
local _, resty = pcall(require, "resty.http")

local M = {}

local USER = { id = "abc123", email = "user@example.com",
               first_name = "Example", last_name = "User" }


local function body()
    ngx.req.read_body()
    local data = ngx.req.get_body_data()

    if not data then
        local name = ngx.req.get_body_file()
        if name then
            local file = assert(io.open(name, "rb"))
            data = file:read("*a")
            file:close()
        end
    end

    return data or ""
end

local function fail(status, title)
    ngx.status = status
    ngx.header.content_type = "application/problem+json"
    ngx.say(cjson.encode({ title = title, status = status }))
    return ngx.exit(status)
end

-- call(where, payload) returns the answer's status and its body

function M.act(call, where)
    local request = cjson.decode(body())
    if type(request) ~= "table" or type(request.task) ~= "table" then
        return fail(400, "not a task")
    end

    local status, text = call(where, cjson.encode({
        action = "Finish", user = USER, task = request.task }))

    if not status or status < 200 or status > 299 then
        return fail(502, "the step failed")
    end

    if text and text ~= "" then
        local answer = cjson.decode(text)
        if type(answer) ~= "table" then
            return fail(502, "the step's answer is not JSON")
        end
        for name, value in pairs(answer.task or {}) do
            request.task[name] = value
        end
        ngx.req.set_body_data(cjson.encode(request))
    end
end

function M.capture(where, payload)
    local answer = ngx.location.capture(where,
        { method = ngx.HTTP_POST, body = payload })
    return not answer.truncated and answer.status, answer.body
end

function M.http(where, payload)
    return client.post(where, payload)
end

function M.resty(where, payload)
    local http = resty.new()
    http:set_timeouts(5000, 15000, 15000)

    local answer = http:request_uri(where.url, {
        method = "POST", body = payload,
        headers = { ["Content-Type"] = "application/json" },
        ssl_server_name = where.tls_name, ssl_verify = true,
        keepalive_timeout = 60000, keepalive_pool = 1024 })

    return answer and answer.status, answer and answer.body
end

return M
