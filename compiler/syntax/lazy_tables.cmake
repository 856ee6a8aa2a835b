# cmake -DFOLDER=generated -P lazy_tables.cmake: has ANTLR's tables made when a script is first parsed. As Debian's
# ANTLR generates them, they are made at the start of every command, also of those that parse nothing. Sources of
# another ANTLR, which look different, are left as they are.
foreach(name MigLexer MigParser)
    file(READ ${FOLDER}/${name}.cpp source)
    set(at_start "${name}::Initializer ${name}::_init;")
    set(constructor "_interpreter = new")
    string(FIND "${source}" "${at_start}" has_tables)
    string(FIND "${source}" "${constructor}" has_constructor)
    if(has_tables GREATER -1 AND has_constructor GREATER -1)
        string(REPLACE "${at_start}" "" source "${source}")
        string(REPLACE "${constructor}" "static const Initializer once;\n  ${constructor}" source "${source}")
        file(WRITE ${FOLDER}/${name}.cpp "${source}")
    endif()
endforeach()
