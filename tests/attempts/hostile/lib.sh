# source lib.sh; `new NAME` makes a clean project and a clean home; $M is the program, `m` runs it for 30 s at most
A=${A:-$(mktemp -d)}; M=${M:-migc}
export HOME=$A/home; unset XDG_CONFIG_HOME XDG_CACHE_HOME MIGC_KEYS
new() { rm -rf "$A/$1" "$HOME"; mkdir -p "$A/$1" "$HOME"; cd "$A/$1" || exit; echo '{"x":1}' > a.json; rm -f $A/TRIP; echo CANARY-7719 > $A/canary
  printf '#!/bin/sh\ntouch %s/TRIP\necho "$0 $*" >> %s/TRIP\n' $A $A > $A/trip.sh; chmod +x $A/trip.sh; }
m() { timeout -k 1 30 "$M" "$@" </dev/null; local r=$?; echo "[exit $r]"; return $r; }
tripped() { if [ -e $A/TRIP ]; then echo "TRIPPED: $(cat $A/TRIP)"; else echo "not tripped"; fi; }
FILE_STAGE='stage staging < set value of "a.json" at "/x" to 4; > on failure undo;'
