-- A small HTTP/1.1 cosocket client, with kept connections and TLS.

local M = {}

local CONNECT, SEND, READ = 5000, 15000, 15000
local IDLE, KEPT = 60000, 1024


local function read_chunked(socket)
    local parts = {}

    while true do
        local line, err = socket:receive("*l")
        local size = line and tonumber(line:match("^%x+"), 16)
        if not size then return nil, err or "bad chunk" end
        if size == 0 then break end

        parts[#parts + 1] = socket:receive(size)
        socket:receive(2)
    end

    repeat
        local line, err = socket:receive("*l")
        if not line then return nil, err end
    until line == ""

    return table.concat(parts)
end

-- returns the status and the body, or nil and what went wrong

function M.post(to, body)
    local socket = ngx.socket.tcp()
    socket:settimeouts(CONNECT, SEND, READ)

    local ok, err = socket:connect(to.host, to.port)
    if not ok then return nil, err end

    if to.tls_name and socket:getreusedtimes() == 0 then
        ok, err = socket:sslhandshake(nil, to.tls_name, true)
        if not ok then return nil, err end
    end

    ok, err = socket:send({
        "POST ", to.path, " HTTP/1.1\r\nHost: ", to.host, ":", to.port,
        "\r\nContent-Type: application/json\r\nContent-Length: ", #body,
        "\r\n\r\n", body })
    if not ok then return nil, err end

    local line
    line, err = socket:receive("*l")
    if not line then return nil, err end

    local status = tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
    local headers = {}

    while true do
        line, err = socket:receive("*l")
        if not line then return nil, err end
        if line == "" then break end
        local name, value = line:match("^([^:]+):%s*(.-)%s*$")
        if name then headers[name:lower()] = value end
    end

    local text
    if headers["transfer-encoding"] == "chunked" then
        text, err = read_chunked(socket)
    elseif headers["content-length"] then
        text, err = socket:receive(tonumber(headers["content-length"]))
    else
        text, err = socket:receive("*a")
        headers.connection = "close"
    end
    if not text then return nil, err end

    if headers.connection == "close" then
        socket:close()
    else
        socket:setkeepalive(IDLE, KEPT)
    end

    return status, text
end

return M
