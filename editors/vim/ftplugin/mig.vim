" Settings for Mig; in neovim it starts the language server, `migc lsp`.
if exists("b:did_ftplugin")
    finish
endif
let b:did_ftplugin = 1

setlocal comments=:##,:# commentstring=#\ %s
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal iskeyword+=-
setlocal matchpairs+=<:>
let b:undo_ftplugin = "setlocal comments< commentstring< expandtab< shiftwidth< softtabstop< iskeyword< matchpairs<"

" The program can be named: let g:migc = "/opt/migc/bin/migc"
if has("nvim") && executable(get(g:, "migc", "migc"))
    lua require("mig").start(vim.g.migc or "migc")
endif
