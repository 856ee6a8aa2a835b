# cmake -DFOLDER=generated -P lazy_tables.cmake: has ANTLR's tables made when a script is first parsed. As ANTLR 4.9
# generates them they are made at the start of every command, also of those that parse nothing. Newer ANTLRs do it
# by themselves; their sources have none of these lines.
foreach(name MigLexer MigParser)
    file(READ ${FOLDER}/${name}.cpp source)
    string(REPLACE "${name}::Initializer ${name}::_init;" "" source "${source}")
    string(REPLACE "_interpreter = new" "static const Initializer once;\n  _interpreter = new" source "${source}")
    file(WRITE ${FOLDER}/${name}.cpp "${source}")
endforeach()
