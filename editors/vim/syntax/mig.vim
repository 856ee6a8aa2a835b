" Syntax of Mig, the language of migc.
if exists("b:current_syntax")
    finish
endif

syntax case match
syntax iskeyword @,48-57,_,-

" keywords: written by editors/keywords.py --write
syntax keyword migKeyword after all always as because becomes capture converges depends different do effect else every failure for gate hold if in irreversible let migration needs never none on parallel param probe read repeats require resource result retry soak stage steps throughout tool undo use verb verify watch while within
syntax keyword migOperator above absent and below is matches not or
syntax match migOperator /\<at\_s\+least\>/
syntax match migOperator /\<at\_s\+most\>/
syntax match migKeyword /\<by\_s\+caller\>/
syntax match migOperator /\<contains\>/
syntax match migOperator /\<one\_s\+of\>/
" end of keywords
syntax keyword migBoolean true false
syntax match migNumber /\<\d\+\%(\.\d\+\)\?\%(%\|[A-Za-z][A-Za-z0-9]*\)\?/
syntax match migBlock /[<>]/
syntax match migEscape /\\./ contained
syntax match migName /\${[^}"]*}/ contained
syntax region migString start=/"/ skip=/\\./ end=/"\|$/ contains=migEscape,migName
syntax match migComment /#.*/ contains=@Spell
syntax match migDocumentation /##.*/ contains=@Spell

highlight default link migKeyword Keyword
highlight default link migOperator Operator
highlight default link migBoolean Boolean
highlight default link migNumber Number
highlight default link migBlock Delimiter
highlight default link migEscape SpecialChar
highlight default link migName Identifier
highlight default link migString String
highlight default link migComment Comment
highlight default link migDocumentation SpecialComment

let b:current_syntax = "mig"
