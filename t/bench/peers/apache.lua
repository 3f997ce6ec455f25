-- The action, in mod_lua: used by apache.conf.

local cjson = require "cjson.safe"
local socket = require "socket"

local USER = { id = "abc123", email = "user@example.com",
               first_name = "Example", last_name = "User" }

-- not passed to the app
local HOP_BY_HOP = { connection = true, ["content-length"] = true,
                     ["transfer-encoding"] = true, host = true,
                     ["keep-alive"] = true }

-- the connections that this thread keeps
local kept = {}


local function connect(to)
    local host, port = to:match("^(.*):(%d+)$")
    local s = socket.tcp()
    s:settimeout(15)
    local ok, err = s:connect(host, tonumber(port))
    if not ok then return nil, err end
    s:setoption("tcp-nodelay", true)
    return s
end

local function read(s)
    local line, err = s:receive("*l")
    if not line then return nil, err end

    local answer = { status = tonumber(line:match("^HTTP/1%.%d (%d%d%d)")),
                     headers = {} }
    while true do
        line, err = s:receive("*l")
        if not line then return nil, err end
        if line == "" then break end
        local name, value = line:match("^([^:]+):%s*(.-)%s*$")
        if name then answer.headers[name:lower()] = value end
    end

    local length = answer.headers["content-length"]
    answer.body, err = s:receive(length and tonumber(length) or "*a")
    if not answer.body then return nil, err end

    answer.last = not length or answer.headers.connection == "close"
    return answer
end

-- once more if a kept connection had died

local function post(to, path, headers, body)
    local request = "POST " .. path .. " HTTP/1.1\r\nHost: " .. to .. "\r\n"
        .. headers .. "Content-Length: " .. #body .. "\r\n\r\n"

    while true do
        local old = kept[to]
        local s, err = old
        if not s then
            s, err = connect(to)
            if not s then return nil, err end
        end
        kept[to] = nil

        local answer
        if #body < 16384 then
            s:send(request .. body)
        else
            s:send(request)
            s:send(body)
        end
        answer, err = read(s)

        if answer then
            if answer.last then s:close() else kept[to] = s end
            return answer
        end

        s:close()
        if not old then return nil, err end
    end
end

local function fail(r, status, title)
    r.status = status
    r.content_type = "application/problem+json"
    r:puts(cjson.encode({ title = title, status = status }))
    return apache2.OK
end

function act(r)
    local request = cjson.decode(r:requestbody() or "")

    if type(request) ~= "table" or type(request.task) ~= "table" then
        return fail(r, 400, "not a task")
    end

    local answer = post(r.subprocess_env.CRM, "/crm",
        "Content-Type: application/json\r\n", cjson.encode({
            action = "Finish", user = USER, task = request.task }))

    if not answer or answer.status < 200 or answer.status > 299 then
        return fail(r, 502, "the step failed")
    end

    if answer.body ~= "" then
        local changed = cjson.decode(answer.body)
        if type(changed) ~= "table" then
            return fail(r, 502, "the step's answer is not JSON")
        end
        for name, value in pairs(changed.task or {}) do
            request.task[name] = value
        end
    end

    local headers = {}
    for name, value in pairs(r:headers_in_table()) do
        if not HOP_BY_HOP[name:lower()] then
            headers[#headers + 1] = name .. ": " .. value .. "\r\n"
        end
    end

    answer = post(r.subprocess_env.APP, r.unparsed_uri,
                  table.concat(headers), cjson.encode(request))
    if not answer then
        return fail(r, 502, "the app does not answer")
    end

    r.status = answer.status
    r.content_type = answer.headers["content-type"] or "text/plain"
    r:puts(answer.body)
    return apache2.OK
end
