-- neovim's own language client against `migc lsp`, through the editor package: opens an example and uses it as a
-- person would. Run by neovim.py; a failure ends neovim with exit code 1.
local function wait_for(what, condition)
    if not vim.wait(10000, condition, 20) then error("never came: " .. what) end
end

local function expect(what, value)
    if not value then error(what) end
    print("ok: " .. what)
end

-- Places of a text in the buffer: 0-based line, 0-based byte.
local function find(text)
    for i, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
        local at = line:find(text, 1, true)
        if at then return i - 1, at - 1 end
    end
    error("not in the buffer: " .. text)
end

local function ask(method, text, shift, more)
    local line, column = find(text)
    vim.api.nvim_win_set_cursor(0, { line + 1, column + (shift or 0) })
    local params = vim.tbl_extend("force", vim.lsp.util.make_position_params(), more or {})
    local answers = vim.lsp.buf_request_sync(0, method, params, 10000)
    for _, answer in pairs(answers or {}) do
        if answer.error then error(method .. ": " .. answer.error.message) end
        return answer.result
    end
    error("no answer to " .. method)
end

local function text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), "\n") end

local function run()
    vim.cmd("edit script.mig")
    expect("the file type is found", vim.bo.filetype == "mig")
    local line, column = find("stage staging")
    expect("a keyword is highlighted", vim.fn.synIDattr(vim.fn.synID(line + 1, column + 1, 1), "name") == "migKeyword")
    wait_for("the server", function() return #vim.lsp.get_active_clients() > 0 end)

    wait_for("diagnostics", function() return #vim.diagnostic.get(0) > 0 end)
    local finding = vim.diagnostic.get(0)[1]
    expect("a stage without a way back is a finding", finding.code == "R001" and finding.lnum == line)

    expect("hover tells the declaration", ask("textDocument/hover", "scale webapi", 1).contents.value:find("verb scale", 1, true))
    local items = ask("textDocument/completion", "verify pods ready", 0).items
    local offered = false
    for _, item in ipairs(items) do offered = offered or item.label:find("^scale") ~= nil end
    expect("completion offers phrases", offered)

    ask("textDocument/references", "let health", 5, { context = { includeDeclaration = true } })
    vim.api.nvim_win_set_cursor(0, { select(1, find("to replicas")) + 1, select(2, find("to replicas")) + 3 })
    vim.lsp.buf.rename("count")
    wait_for("the rename", function() return text():find("param count: int", 1, true) and text():find("to count", 1, true) end)
    print("ok: rename")

    local place = ask("textDocument/definition", "scale webapi", 1)
    vim.lsp.util.jump_to_location(place, "utf-16")
    expect("the definition is shown", vim.api.nvim_get_current_line():find("^verb scale") ~= nil)
    vim.cmd("edit script.mig")

    -- The name since 0.8, and the one before.
    local format = vim.lsp.buf.format or function() vim.lsp.buf.formatting_sync(nil, 10000) end
    format({ async = false, timeout_ms = 10000 })
    expect("formatting", text():find("    scale webapi to count;", 1, true))

    wait_for("diagnostics of the new text", function()
        local all = vim.diagnostic.get(0)
        return #all == 1 and all[1].lnum == select(1, find("stage staging"))
    end)
    local l, c = find("staging <")
    vim.api.nvim_win_set_cursor(0, { l + 1, c })
    local range = vim.lsp.util.make_range_params()
    range.context = { diagnostics = {} }
    for _, answer in pairs(vim.lsp.buf_request_sync(0, "textDocument/codeAction", range, 10000)) do
        vim.lsp.util.apply_workspace_edit(answer.result[1].edit, "utf-16")
    end
    expect("the action mends it", text():find("on failure undo", 1, true))
    wait_for("no findings", function() return #vim.diagnostic.get(0) == 0 end)
    print("ok: no findings are left")
end

local ok, message = pcall(run)
if not ok then
    print("failed: " .. tostring(message))
    vim.cmd("cquit 1")
end
vim.cmd("qall!")
