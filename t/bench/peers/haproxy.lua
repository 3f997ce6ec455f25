-- The action, in HAProxy's Lua: used by haproxy.cfg.

local cjson = require "cjson.safe"

local CRM = os.getenv("CRM")
local USER = { id = "abc123", email = "user@example.com",
               first_name = "Example", last_name = "User" }


local function fail(txn, status, title)
    local reply = txn:reply({ status = status })
    reply:add_header("Content-Type", "application/problem+json")
    reply:set_body(cjson.encode({ title = title, status = status }))
    txn:done(reply)
end

core.register_action("act", { "http-req" }, function(txn)
    local request = cjson.decode(txn.f:req_body() or "")

    if type(request) ~= "table" or type(request.task) ~= "table" then
        return fail(txn, 400, "not a task")
    end

    local answer = core.httpclient():post({
        url = CRM, headers = { ["content-type"] = { "application/json" } },
        body = cjson.encode({
            action = "Finish", user = USER, task = request.task }) })

    if not answer or answer.status < 200 or answer.status > 299 then
        return fail(txn, 502, "the step failed")
    end

    if answer.body and answer.body ~= "" then
        local changed = cjson.decode(answer.body)
        if type(changed) ~= "table" then
            return fail(txn, 502, "the step's answer is not JSON")
        end
        for name, value in pairs(changed.task or {}) do
            request.task[name] = value
        end

        local body = cjson.encode(request)
        txn:set_var("txn.body", body)
        txn.http:req_set_header("content-length", tostring(#body))
    end
end)


local change = {}
change.id = "changes the body"
change.flags = filter.FLT_CFG_FL_HTX
change.__index = change

function change:new()
    return setmetatable({}, change)
end

function change:start_analyze(txn, channel)
    if not channel:is_resp() then
        filter.register_data_filter(self, channel)
    end
end

function change:http_payload(txn, message)
    local body = not message:is_resp() and txn:get_var("txn.body")
    if body and not self.done then
        self.done = true
        message:set(body)
        return
    end
end

core.register_filter("change", change, function(instance, args)
    return instance
end)
