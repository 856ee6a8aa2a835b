M=$MIGC
export PATH=@DIR@/bin:$PATH
new() { rm -rf @DIR@/$1; mkdir -p @DIR@/$1; cd @DIR@/$1; }
m() { timeout 120 $M "$@"; echo "== exit $?"; }
